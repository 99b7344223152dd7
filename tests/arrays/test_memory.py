"""One copy and no more, and nothing held afterwards."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from siftpack.testing import arrays

ROOT = Path(__file__).resolve().parents[2]
SIZE = 64 * 2**20
PEAK = f"""
import gc, sys
from pathlib import Path
import numpy as np, siftpack

value = np.zeros({SIZE} // 8)
value[:] = 1
data = siftpack.packb(value)
RUN = {{
    "packb": lambda: siftpack.packb(value),
    "nested": lambda: siftpack.packb({{"a": [value], "b": 1}}),
    "strided": lambda: siftpack.packb(np.lib.stride_tricks.as_strided(value, (4, value.size // 4), (8, 32))),
    "unpackb": lambda: siftpack.unpackb(data),
    "sanitize": lambda: siftpack.sanitize(value),
    "inspect": lambda: siftpack.inspect(value),
}}

def status(word):
    row = next(row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith(word))
    return int(row.split()[1]) * 1024

siftpack.unpackb(siftpack.packb(value[:10]))
gc.collect()
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
kept = RUN[sys.argv[1]]()
print(status("VmHWM") - before)
"""
COPIES = {"packb": 1, "nested": 1, "strided": 2, "unpackb": 1, "sanitize": 1, "inspect": 0}


@pytest.mark.resident
@pytest.mark.parametrize("name", COPIES)
def test_the_peak_is_the_result(name: str) -> None:
    """Packing, reading and copying a large array takes the memory of one copy; items in another order take two."""
    command = [sys.executable, "-c", PEAK, name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) <= COPIES[name] * SIZE + SIZE // 8


def test_nothing_is_held_when_a_walk_is_over(subject: Any) -> None:
    """After every function the references of an array and its elements are what they were, and it can be resized."""
    element = object()
    values = [np.arange(200_000.0), np.arange(10), arrays.objects(element, 1), np.zeros(2, "O,i4"), pd.Series([1, 2])]
    counts = [sys.getrefcount(each) for each in (*values, element)]
    for value in (*values, values, {"a": values, "b": {1: tuple(values)}}):
        subject.unpackb(subject.packb(value))
        subject.packb_with_report(value)
        subject.sanitize(value)
        subject.inspect(value)
    del value
    assert [sys.getrefcount(each) for each in (*values, element)] == counts
    fresh = np.arange(200_000.0)
    subject.packb([fresh, [fresh]])
    fresh.resize((3,))
    assert fresh.tolist() == [0, 1, 2]


def test_a_copy_is_isolated(subject: Any) -> None:
    """Nothing in a copy, at any depth of tables and object arrays, is the array of the original."""
    table = pd.DataFrame({"a": [1.5, 2.5], "o": arrays.objects([1], np.zeros(2))})
    copy = subject.sanitize({"t": table})["t"]
    table.loc[0, "a"] = 9.0
    table["o"].iloc[0].append(2)
    table["o"].iloc[1][:] = 7
    assert copy["a"].tolist() == [1.5, 2.5]
    assert copy["o"].iloc[0] == [1]
    assert copy["o"].iloc[1].tolist() == [0, 0]
    copy.loc[1, "a"] = 3.0
    assert table["a"].tolist() == [9.0, 2.5]
