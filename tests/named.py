"""Names of a test's parameters that are the same in every process that runs a share of the tests."""

import re
from typing import Any

_ADDRESS = re.compile(r" at 0x[0-9a-f]+| id='\d+'")


def named(value: Any) -> str:
    """Its ``repr`` without addresses."""
    return _ADDRESS.sub("", repr(value))
