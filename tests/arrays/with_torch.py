"""torch's tensors. Named so that no ordinary run collects it: `make test-torch` brings torch, which is large."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import siftpack
from siftpack import NDArray
from siftpack.errors import DecodeError
from siftpack.policy import Action, Kind, Policy
from siftpack.reference.encode import ext
from siftpack.testing import same

DTYPES = (
    *(torch.bool, torch.uint8, torch.int8, torch.uint16, torch.int16, torch.uint32, torch.int32, torch.uint64),
    *(torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128),
)
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_comes_back_in_every_shape(subject: Any, dtype: Any) -> None:
    """A tensor comes back of its dtype, shape and items; so does its copy, and both can be written to."""
    for shape in ((), (0,), (3,), (2, 3), (2, 0, 3)):
        value = torch.arange(max(1, int(np.prod(shape)))).to(dtype)[: int(np.prod(shape))].reshape(shape)
        payload, report = subject.packb_with_report([value])
        assert report.clean, str(report)
        for copy in (subject.unpackb(payload)[0], subject.sanitize([value])[0]):
            assert type(copy) is torch.Tensor
            assert (copy.dtype, copy.shape) == (dtype, value.shape)
            assert torch.equal(copy, value)
            assert same(copy, value)
            if copy.numel():
                copy.zero_()
        assert subject.packb(value) == subject.packb(value.clone())


def test_half_complex_comes_back(subject: Any) -> None:
    """``complex32``, which torch itself calls experimental, keeps its bits."""
    value = torch.tensor([1.5, -2, 3, 4], dtype=torch.float16).view(torch.complex32)
    assert torch.equal(subject.unpackb(subject.packb(value)).view(torch.float16), value.view(torch.float16))


def test_layout_is_no_content(subject: Any) -> None:
    """Transposed, stepped, expanded, conjugated and negated tensors are written as their plain copies are."""
    value = torch.arange(24.0).reshape(2, 3, 4)
    spun = torch.tensor([1 + 2j, 3])
    for view in (value.transpose(0, 2), value[:, ::2], value[0].expand(5, 3, 4), spun.conj(), spun.conj().imag):
        assert subject.packb(view) == subject.packb(view.clone().contiguous())
        assert torch.equal(subject.unpackb(subject.packb(view)), view)


def test_what_belongs_to_a_computation_is_reported(subject: Any) -> None:
    """Gradients, hooks and attributes are findings, and what comes back is a plain tensor without them."""
    value = torch.ones(2, requires_grad=True)
    (value * 2).sum().backward()
    value.register_hook(lambda grad: grad)
    value.note = 5
    found = [(each.path, each.kind, each.action) for each in subject.inspect({"w": value})]
    assert sorted(found) == [
        ("$.w._backward_hooks", Kind.PRIVATE, Action.DROP),
        *((f"$.w.{name}", Kind.ATTRIBUTE, Action.DROP) for name in ("grad", "note", "requires_grad")),
    ]
    clean = subject.sanitize(value)
    assert not clean.requires_grad
    assert same(clean, torch.ones(2))
    assert [each.path for each in subject.inspect(value * 2)] == ["$.requires_grad"]


CALLS: list[Any] = []


class Asked(torch.Tensor):
    """A subclass that may not be asked."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        CALLS.append(func)
        return super().__torch_function__(func, types, args, kwargs or {})

    def numpy(self, *_: Any, **__: Any) -> Any:
        CALLS.append("numpy")

    def detach(self) -> Any:
        CALLS.append("detach")


class Wrapped(torch.Tensor):
    """A subclass whose items are wherever it says."""

    @staticmethod
    def __new__(cls, inner: Any) -> Any:
        return torch.Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype)

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        CALLS.append(func)
        raise RuntimeError("asked")


def test_subclasses_are_read_by_their_storage_or_not_at_all(subject: Any) -> None:
    """A Parameter and a subclass of somebody's own are the tensor in them; one without storage is dropped, unasked."""
    plain = torch.arange(6.0).reshape(2, 3)
    asked, parameter, wrapped = plain.as_subclass(Asked), torch.nn.Parameter(plain), Wrapped(plain)
    CALLS.clear()
    payload, report = subject.packb_with_report([asked, parameter, wrapped])
    clean = subject.sanitize([asked, parameter, wrapped])
    assert CALLS == []
    assert same(clean, [plain, plain])
    assert same(subject.unpackb(payload), clean)
    assert [(each.path, each.kind) for each in report] == [
        ("$[1].requires_grad", Kind.ATTRIBUTE),
        ("$[2]", Kind.SUBCLASS),
    ]


def test_modes_of_the_program_are_not_asked(subject: Any) -> None:
    """Function and dispatch modes that happen to be on see nothing of the walk."""
    from torch.overrides import TorchFunctionMode
    from torch.utils._python_dispatch import TorchDispatchMode

    class Functions(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            CALLS.append(func)
            return func(*args, **(kwargs or {}))

    class Dispatch(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            CALLS.append(func)
            return func(*args, **(kwargs or {}))

    value = torch.arange(3.0)
    with Functions(), Dispatch():
        CALLS.clear()
        payload = subject.packb(value)
        subject.sanitize(value)
        seen = list(CALLS)
    assert seen == []
    assert same(subject.unpackb(payload), value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.eye(2).to_sparse(),
        lambda: torch.ones(2, device="meta"),
        lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
        lambda: torch.nested.nested_tensor([torch.ones(1), torch.ones(2)]),
        lambda: torch.ones(2).to(torch.float8_e5m2),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_tensors_without_items_in_memory_are_dropped(subject: Any, make: Any) -> None:
    """Sparse, meta, quantised and nested tensors, and dtypes without a word, are left out with a finding."""
    value = make()
    assert subject.sanitize([value, 1]) == [1]
    assert [(each.path, each.kind, each.action) for each in subject.inspect([value])] == [
        ("$[0]", Kind.ARRAY, Action.DROP)
    ]


def test_no_tensor_is_a_key(subject: Any) -> None:
    """A tensor hashes by identity, which is no content: as a key or set element it is dropped, reported."""
    key = torch.ones(1)
    assert subject.sanitize([{key: 1, "a": 2}, {key, 1}]) == [{"a": 2}, {1}]
    assert [each.kind for each in subject.inspect({key: 1})] == [Kind.ARRAY]
    assert subject.sanitize([key], policy=Policy({Kind.ARRAY: Action.NAME})) == ["<array torch.Tensor>"]


def test_bools_that_are_neither_are_made_bools_and_refused(subject: Any) -> None:
    """A bool tensor of other bytes is written as true or false; bytes that say otherwise are a ``DecodeError``."""
    odd = torch.tensor([0, 2], dtype=torch.uint8).view(torch.bool)
    assert subject.unpackb(subject.packb(odd)).tolist() == [False, True]
    with pytest.raises(DecodeError, match="bool"):
        subject.unpackb(ext(120, b"\3\0\3|b1\0\2"))


@pytest.mark.parametrize("text", ["<U1", "|V1", "|S1", "<x16", "<M8[s]", "{1;1:a@0|u1}", "|O8", "<c32"])
def test_a_tensor_has_torchs_dtypes_alone(subject: Any, text: str) -> None:
    """A payload that says tensor and names a dtype that torch has not is a ``DecodeError``."""
    raw = text.encode()
    with pytest.raises(DecodeError):
        subject.unpackb(ext(120, b"\3" + len(raw).to_bytes(2, "big") + raw + b"\0" + bytes(16)))


def other(program: str, data: str) -> Any:
    """What a process of its own says."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, input=data, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


CARRY = """
import json, sys, siftpack, siftpack.reference as reference
wrong = []
for row in json.load(sys.stdin):
    data = bytes.fromhex(row)
    for module in (siftpack, reference):
        value = module.unpackb(data)
        if type(value) is not siftpack.NDArray or value.kind != "torch.Tensor" or module.packb(value) != data:
            wrong.append(row)
print(json.dumps([wrong, "torch" in sys.modules, "numpy" in sys.modules]))
"""
ALONE = """
import json, sys
sys.modules["numpy"] = None
import torch, siftpack, siftpack.reference as reference
rows = []
for row in json.load(sys.stdin):
    value = siftpack.unpackb(bytes.fromhex(row))
    assert type(value) is torch.Tensor, type(value)
    assert siftpack.packb(value) == reference.packb(value)
    rows.append(siftpack.packb(value).hex())
print(json.dumps(rows))
"""


def test_without_torch_a_tensor_is_carried_and_without_numpy_it_is_still_read() -> None:
    """A process without torch writes the same bytes again; one with torch and no numpy reads and writes the tensor."""
    rows = [siftpack.packb(torch.arange(3).to(dtype)).hex() for dtype in DTYPES]
    rows.append(siftpack.packb(torch.zeros(0, 2)).hex())
    assert other(CARRY, json.dumps(rows)) == [[], False, False]
    assert other(ALONE, json.dumps(rows)) == rows
    standin = NDArray("torch.Tensor", "<f4", (1,), b"\0\0\x80\x3f")
    assert torch.equal(siftpack.sanitize(standin), torch.ones(1))
