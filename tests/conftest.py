"""What all tests share: how property tests run, and an environment without anyone's keys."""

import os

import pytest
from hypothesis import HealthCheck, settings

# A test must not fail because the machine was busy while Hypothesis built its character tables.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("here")


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """Nobody's account: no settings of the person who runs the tests, an empty home, no metadata service."""
    for name in os.environ:
        if name.startswith(("ALIBABA_CLOUD_", "ALICLOUD_", "HBR_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quick tests first, the engine's last: what Pulumi leaves unclosed is collected in none of ours."""
    items.sort(key=lambda item: item.get_closest_marker("engine") is not None)
