"""Reads ``golden.txt``: one case a line, four fields, of which the last is a Python expression.

``both``    the value is written as these bytes and read back from them
``read``    other writers' bytes that give the value
``listed``  as ``both``, the classes of ``LISTED`` being listed for writing and reading
``refuse``  bytes no reader takes; in place of the expression a part of the message, or a star for any
``frame``   what ``dumps`` writes and ``loads`` reads

A large case has ``sha256:<digest>:<size>`` in place of its bytes.
"""

import array
import datetime as dt
import fractions
import hashlib
import ipaddress
import pathlib
import re
import uuid
import zoneinfo
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from siftpack.policy import Kind
from siftpack.report import Ext, Tombstone
from siftpack.testing import zoo

GOLDEN = Path(__file__).with_name("golden.txt")
NAMES: dict[str, Any] = {
    "array": array.array,
    "dt": dt,
    "Fraction": fractions.Fraction,
    "ip": ipaddress,
    "pathlib": pathlib,
    "re": re,
    "uuid": uuid,
    "ZoneInfo": zoneinfo.ZoneInfo,
    "Decimal": Decimal,
    "deque": deque,
    "OrderedDict": OrderedDict,
    "defaultdict": defaultdict,
    "Counter": Counter,
    "ChainMap": ChainMap,
    "Ext": Ext,
    "Tombstone": Tombstone,
    "Kind": Kind,
    "np": np,
    "pd": pd,
    "zoo": zoo,
}
LISTED: dict[str, type] = {
    "order.v2": zoo.Frozen,
    "Pair": zoo.Pair,
    "Attr": zoo.AttrFrozen,
    "Struct": zoo.FrozenStruct,
    "Model": zoo.FrozenModel,
    "Color": zoo.Color,
    "Str": zoo.Str,
    "Tuple": zoo.Tuple,
    "n" * 32: zoo.Int,
}
"""Names and classes of the cases in which some are listed."""


class Case(NamedTuple):
    """One line of the table."""

    kind: str
    name: str
    wire: str
    expression: str

    def value(self) -> Any:
        """The Python value, made anew."""
        return eval(self.expression, dict(NAMES))

    def options(self) -> dict[str, Any]:
        """What the functions are given beside the value."""
        return {"types": LISTED} if self.kind == "listed" else {}

    def data(self) -> bytes:
        """The literal bytes; a dash stands for none."""
        return bytes.fromhex(self.wire.removeprefix("-"))

    def matches(self, data: bytes) -> bool:
        """True if these are the bytes of the case, literally or by digest and size."""
        if self.wire.startswith("sha256:"):
            return self.wire == f"sha256:{hashlib.sha256(data).hexdigest()}:{len(data)}"
        return data == self.data()


def cases(*kinds: str) -> list[Case]:
    """The cases of those kinds, in the order of the table."""
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    found = [Case(*line.split(maxsplit=3)) for line in lines if line and not line.startswith("#")]
    return [case for case in found if case.kind in kinds]
