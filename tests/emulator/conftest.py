"""A sample fleet on a clock that stands still until a test moves it, and a caller with a key."""

import pytest

from pulumi_hbr_clients.emulator import Backend, sample
from tests.emulator.caller import Caller
from tests.virtual_clock import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def backend(clock: VirtualClock) -> Backend:
    return sample(clock=clock.time)


@pytest.fixture
def caller(backend: Backend) -> Caller:
    return Caller(backend)
