"""A fleet in simulated time."""

import pytest

from tests.activation.worlds import World


@pytest.fixture
def world() -> World:
    """Ten clients, all activated."""
    return World()
