"""What all tests share: how property tests run, an environment without anyone's keys, and an emulated service in it.

A test that needs another fleet overrides `backend`.
"""

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from pulumi_hbr_clients.emulator import Backend, RunningEmulator, sample, serve
from tools import plugin_archive

# A test must not fail because the machine was busy while Hypothesis built its character tables.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Nobody's account: no settings of the person who runs the tests, an empty home, no metadata service."""
    for name in os.environ:
        if name.startswith(("ALIBABA_CLOUD_", "ALIBABACLOUD_", "ALICLOUD_", "HBR_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The empty home, which HOME names."""
    return tmp_path


@pytest.fixture(scope="session")
def frozen_plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the self-contained plugin, out of its archive, which is built if the package changed."""
    folder = tmp_path_factory.mktemp("plugin")
    with tarfile.open(plugin_archive.archive()) as packed:
        packed.extractall(folder, filter="data")
    return folder


@pytest.fixture
def backend() -> Backend:
    """The sample fleet."""
    return sample()


@pytest.fixture
def emulator(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningEmulator]:
    """The service that has this fleet, where every program started from here looks for it."""
    with serve(backend) as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick tests first, the engine's last: what Pulumi leaves unclosed is collected in none of ours."""
    items.sort(key=lambda item: item.get_closest_marker("engine") is not None)
