"""What the tests drive: the package itself, and beside it the reference that says what it should do."""

import importlib
import os
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from siftpack import reference

FULL = "SIFTPACK_FULL" in os.environ
"""Whether tests that have a size run at the one that is promised, as ``make full`` does, or at a smaller one."""
EXAMPLES = int(os.environ.get("SIFTPACK_EXAMPLES", "10000" if FULL else "50"))
"""Examples of a law; some laws take a fixed part of them."""

settings.register_profile(
    "siftpack",
    deadline=None,
    database=None,
    derandomize="CI" in os.environ,  # what lands is judged on the same examples twice; `properties/long.py` explores
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    max_examples=EXAMPLES,
)
settings.load_profile("siftpack")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what ``make full`` alone runs."""
    left_out = [] if FULL else [item for item in items if item.get_closest_marker("full")]
    if left_out:
        items[:] = [item for item in items if not item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(params=["core", "reference"])
def subject(request: pytest.FixtureRequest) -> Any:
    """Both implementations of the same functions, one after the other."""
    return reference if request.param == "reference" else importlib.import_module("siftpack")


def outcome(call: Any, *args: Any, **options: Any) -> Any:
    """What a call gives, or the class of what it raises."""
    try:
        return call(*args, **options)
    except Exception as raised:
        return type(raised)


def core() -> Any:
    """The package; under SIFTPACK_SUBJECT=reference the reference, to try a new test before the core can pass it."""
    if os.environ.get("SIFTPACK_SUBJECT") == "reference":
        return SimpleNamespace(**vars(reference))
    return importlib.import_module("siftpack")
