"""Nothing that a test registers outlives it."""

from collections.abc import Iterator

import pytest

from siftpack import _core
from siftpack.registry import REGISTERED


@pytest.fixture(autouse=True)
def unregistered() -> Iterator[None]:
    """Whatever a test registers is forgotten after it."""
    before = dict(REGISTERED)
    yield
    REGISTERED.clear()
    REGISTERED.update(before)
    _core.forget_plans()
