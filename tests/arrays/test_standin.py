"""``NDArray``: what stands for an array where its library is not imported."""

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import siftpack
from siftpack import NDArray
from siftpack.testing import arrays, same

ROOT = Path(__file__).resolve().parents[2]
VALUES = [*(make() for make in arrays.makers()), *arrays.scalars(), *map(arrays.filled, arrays.dtypes())]
PROGRAM = """
import json, sys
import siftpack, siftpack.reference
from siftpack.testing import same
wrong = []
for at, row in enumerate(json.load(sys.stdin)):
    data = bytes.fromhex(row)
    for module in (siftpack, siftpack.reference):
        value = module.unpackb(data)
        copy = module.sanitize(value)
        fine = module.packb(value) == data and module.inspect(value).clean and same(value, copy) and value == copy
        if not fine:
            wrong.append(at)
kinds = sorted({value.kind for value in map(siftpack.unpackb, map(bytes.fromhex, json.loads(sys.argv[1])))
                if type(value) is siftpack.NDArray})
print(json.dumps({"wrong": wrong, "kinds": kinds, "loaded": sorted({"numpy", "pandas", "torch"} & sys.modules.keys())}))
"""


def test_without_the_library_everything_is_carried_byte_for_byte() -> None:
    """A process that has no numpy and no pandas reads every array and table, and writes the very same bytes again."""
    keyed = [{value: 1} for value in arrays.scalars() if type(value) is not np.bool_]
    rows = [siftpack.packb(value).hex() for value in (*VALUES, *keyed, {"deep": [VALUES[0], (VALUES[-1],)]})]
    command = [sys.executable, "-c", PROGRAM, json.dumps([row for row in rows if len(row) < 2000])]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(rows), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["loaded"] == []
    assert said["wrong"] == []
    assert said["kinds"] == sorted(
        set(siftpack.ndarray.FORMS) - {"torch.Tensor"} | set(siftpack.ndarray.CONTAINERS.values())
    )


def standin(value: Any) -> NDArray:
    """What a reader without numpy makes of a leaf array or scalar."""
    from siftpack.values import layouts
    from siftpack.values.arrays import FORMS, head_size

    data = siftpack.packb(value)
    payload = data[data.index(b"\x78") + 1 :]
    size = head_size(payload)
    end = 3 + int.from_bytes(payload[1:3], "big")
    shape = tuple(int.from_bytes(payload[at : at + 8], "big") for at in range(end + 1, size, 8))
    assert layouts.parse(payload[3:end].decode())
    return NDArray(FORMS[payload[0]], payload[3:end].decode(), shape, payload[size:])


@pytest.mark.parametrize("value", [np.arange(3.0), np.float32(1.5), np.zeros((), "u1,u1")[()], np.array(["é"])])
def test_with_the_library_it_is_the_array_again(subject: Any, value: Any) -> None:
    """An ``NDArray`` is written as the array it stands for, and comes back as that array once numpy is imported."""
    other = standin(value)
    assert subject.packb(other) == subject.packb(value)
    assert same(subject.unpackb(subject.packb(other)), value)
    assert same(subject.sanitize([other]), [value])


def test_it_compares_hashes_shows_and_pickles(subject: Any) -> None:
    """Equal content is equal; a repr shows no data; leaves can be keys and parts cannot; all of them pickle."""
    leaf = NDArray("numpy.ndarray", "<f8", (2,), bytes(range(16)))
    parts = NDArray("numpy.ndarray", "object", (1,), ((1,), ([np.arange(2)],)))
    twin = NDArray("numpy.ndarray", "object", (1,), ((1,), ([np.arange(2)],)))
    assert repr(leaf) == "NDArray(kind='numpy.ndarray', dtype='<f8', shape=(2,), <16 bytes>)"
    assert repr(parts) == "NDArray(kind='numpy.ndarray', dtype='object', shape=(1,), <2 parts>)"
    assert parts == twin
    assert parts != NDArray("numpy.ndarray", "object", (1,), ((1,), ([np.arange(3)],)))
    assert leaf != parts
    assert {leaf: 1}[pickle.loads(pickle.dumps(leaf))] == 1
    assert pickle.loads(pickle.dumps(parts)) == parts
    assert len(repr(NDArray("numpy.ndarray", "{" * 5000, (), b""))) < 200
    with pytest.raises(TypeError, match="parts"):
        hash(parts)
    with pytest.raises(AttributeError):
        leaf.data = b""  # type: ignore[misc]
    assert subject.packb(leaf) == subject.packb(np.frombuffer(leaf.data, "f8"))


@pytest.mark.parametrize(
    "bad",
    [
        NDArray("numpy.ndarray", "<f8", (3,), bytes(16)),
        NDArray("numpy.ndarray", "<f9", (1,), bytes(9)),
        NDArray("numpy.ndarray", "|O8", (1,), bytes(8)),
        NDArray("numpy.ndarray", "<f8", (-1,), b""),
        NDArray("numpy.ndarray", "<f8", (2**64,), b""),
        NDArray("numpy.ndarray", "<f8", (True,), bytes(8)),
        NDArray("numpy.other", "<f8", (), bytes(8)),
        NDArray("numpy.generic", "<f8", (1,), bytes(8)),
        NDArray(5, "<f8", (), bytes(8)),  # type: ignore[arg-type]
        NDArray("numpy.ndarray", "<f8", [1], bytes(8)),  # type: ignore[arg-type]
        NDArray("numpy.ndarray", "<f8", (1,), bytearray(8)),  # type: ignore[arg-type]
        NDArray("pandas.NaT", "", (), b"x"),
        NDArray("numpy.ndarray", "object", (1,), ((2,), (1,))),
        NDArray("pandas.Series", "series", (), ()),
        NDArray("pandas.Series", "frame", (), ((), ())),
        NDArray("pandas.DataFrame", "frame", (), (1, 2, 3)),
        NDArray("", "", (), ("x",)),
        object.__new__(NDArray),
    ],
    ids=lambda bad: "",
)
def test_one_that_no_array_is_written_as_is_left_out(subject: Any, bad: Any) -> None:
    """An ``NDArray`` somebody made up, whose parts do not fit, is dropped with a finding, as a value and as a key."""
    assert subject.sanitize([bad, 1]) == [1]
    assert len(subject.inspect([bad])) == 1


def test_a_table_of_standins_is_no_table_yet(subject: Any) -> None:
    """Parts that hold an array this machine has no type for stay parts, even where pandas is imported."""
    quad = NDArray("numpy.ndarray", "<f16", (1,), bytes(16))
    value = NDArray("pandas.Series", "series", (), (None, ("range", None, 0, 1, 1), quad))
    copy = subject.unpackb(subject.packb(value))
    assert type(copy) is NDArray
    assert copy == value
    assert subject.packb(copy) == subject.packb(value)


def test_importing_the_package_imports_no_library() -> None:
    """Neither ``import siftpack`` nor a walk over other data imports numpy, pandas or torch."""
    program = (
        "import sys, siftpack, siftpack.reference as r; [m.unpackb(m.packb([1, {'a': ()}])) for m in (siftpack, r)];"
        "print(*{'numpy', 'pandas', 'torch', 'siftpack.values.arrays', 'siftpack.values.frames'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_library_that_is_still_being_imported_counts_as_absent(subject: Any, monkeypatch: Any) -> None:
    """While numpy or pandas is half imported, or something else stands under its name, arrays stay ``NDArray``."""
    payloads = [subject.packb(value) for value in (np.arange(2), np.float64(1), arrays.objects(1), pd.Timestamp(1))]
    for broken in (type(sys)("numpy"), object()):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, "numpy", broken)
            patch.setitem(sys.modules, "pandas", broken)
            read = [subject.unpackb(payload) for payload in payloads]
        assert [type(value) for value in read] == [NDArray] * 4
        assert [subject.packb(value) for value in read] == payloads


def test_the_strategies_do_without_the_libraries() -> None:
    """Where numpy and pandas are not installed, the strategies work and have no arrays."""
    program = (
        "import importlib.util as u, sys; find = u.find_spec;"
        "u.find_spec = lambda name, *rest: None if name in ('numpy', 'pandas') else find(name, *rest);"
        "from siftpack.testing import arrays, strategies as s; from hypothesis import find as pick;"
        "assert pick(s.graphs(), lambda _: True) is not NotImplemented;"
        "print(arrays.makers(), arrays.scalars(), arrays.ties(), *{'numpy', 'pandas'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] [] []"
