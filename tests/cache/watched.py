"""An audit hook, and what it watches being read and written: bytes and values that would run code if they could."""

import contextlib
import datetime as dt
import decimal
import fractions
import gc
import gzip
import ipaddress
import json
import pickle
import re
import sys
import uuid
import zoneinfo
from array import array
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any, ClassVar

import numpy

from siftpack import Ext, packb, wire
from siftpack.cache import Cache, MemoryBackend, Pickles
from siftpack.cache.frames import bound_head
from tests.cache.test_pickle_bombs import BOMBS
from tests.cli.mixed import FOREIGN

NAME = "app:u:k"
ALLOWED = Pickles(b"a secret of some bytes", allow=[("collections", "OrderedDict")])
MODULE = "this_module_is_never_imported"
WATCHED = frozenset(
    (
        *("import", "exec", "compile", "code.__new__", "marshal.loads", "pickle.find_class", "ctypes.dlopen"),
        *("open", "os.listdir", "os.scandir", "os.system", "os.exec", "os.fork", "os.posix_spawn", "subprocess.Popen"),
    )
)


class Watch:
    """What the hook sees while it is on; it cannot be taken away again."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self.hook)

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if self.on and event in WATCHED:
            self.seen.append(f"{event} {args[:1]}"[:200])

    @contextlib.contextmanager
    def __call__(self) -> Iterator[list[str]]:
        gc.collect()  # what other tests left to be finalized is not what is watched
        gc.disable()
        self.seen = []
        self.on = True
        try:
            yield self.seen
        finally:
            self.on = False
            gc.enable()


class Evil:
    """A pickle of it would run code."""

    ran: ClassVar[list[str]] = []
    """Methods of those below that somebody called."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"import {MODULE}",)


def _trap(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **options: Any) -> Any:
        Evil.ran.append(name)
        return NotImplemented

    return method


TRAPS = (
    *("__getattribute__", "__getattr__", "__iter__", "__next__", "__len__", "__bool__", "__call__", "__getitem__"),
    *("__repr__", "__str__", "__format__", "__bytes__", "__hash__", "__eq__", "__lt__", "__int__", "__index__"),
    *("__getstate__", "__reduce_ex__", "__copy__", "__deepcopy__", "__dir__", "__enter__", "__await__", "__array__"),
    *("to_dict", "dict", "model_dump", "to_json", "__json__", "_asdict", "__fspath__", "__float__"),
)
TRAPPED: tuple[Callable[[], Any], ...] = (
    type("Trapped", (Evil,), {name: _trap(name) for name in TRAPS}),
    type("Reached", (Evil,), {"__getattr__": _trap("__getattr__"), "shown": property(_trap("shown"))}),
    *(
        type(f"Own{cls.__name__}", (cls,), {name: _trap(name) for name in TRAPS if hasattr(cls, name)})
        for cls in (list, dict, set, str, bytes, int, float, tuple)
    ),
)
"""Make instances whose methods tell when they are called."""

HARMLESS: list[Any] = [
    *(None, True, -1, 2**80, 1.5, 1j, "s", "\ud800", b"b", bytearray(b"b"), memoryview(b"m"), array("b", [1]), ...),
    *((1,), [1], {1}, frozenset({1}), {(1, 2): {"k": 1}}, deque([1]), OrderedDict(a=1), range(3), slice(1)),
    *(dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.datetime(2024, 1, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))),
    *(dt.date(2024, 1, 1), dt.time(1), dt.timedelta(1), dt.UTC, zoneinfo.ZoneInfo("Europe/Berlin")),
    *(decimal.Decimal(1), fractions.Fraction(1, 2), uuid.UUID(int=1), PurePosixPath("a"), re.compile("a")),
    *(ipaddress.ip_address("::1"), Ext(1, b"e"), Ext(100, b"e"), numpy.zeros(3)),
]
"""One value of each kind that is data: what reads and writes it is loaded when it is first needed."""


def ext(code: int, data: bytes) -> bytes:
    return b"\xc7" + bytes((len(data), code % 256)) + data


def record(name: str) -> bytes:
    return b"\x93" + bytes((0xD4, wire.MARK, wire.RECORD)) + packb(name) + packb({"args": ["true"]})


def bound(payload: bytes) -> bytes:
    """An entry with a payload that somebody forged."""
    return bound_head(NAME, 0, 0) + payload


def frame() -> bytes:
    store = MemoryBackend()
    Cache(store, namespace="app").for_user("u").set("k", {"a": [1, "x"]})
    return store.get(NAME) or b""


CALL = packb(["os", "system", ["true"], "__reduce__"])
CALLS = (
    {"py/object": "os.system"},
    {"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["true"]}]},
    {"lc": 2, "type": "constructor", "id": ["os", "system"], "kwargs": {"command": "true"}},
    {"__type__": "os.system", "__value__": ["true"]},
)
"""As jsonpickle, LangChain and others write down what is to be called."""
HOSTILE: tuple[bytes, ...] = (
    *(pickle.dumps(Evil(), protocol=protocol) for protocol in range(6)),
    *(ALLOWED.sign(NAME, pickle.dumps(Evil(), protocol=protocol)) for protocol in range(6)),
    *(ALLOWED.sign(NAME, body) for body in BOMBS.values()),
    b"\x80\x04Nr\xff\xff\xff\x7f.",
    b"cos\nsystem\n(S'true'\ntR.",
    b"cos\nsystem\n.",
    b"!!python/object/apply:os.system ['true']",
    *(json.dumps(each).encode() for each in CALLS),
    *(frame()[:size] for size in range(len(frame()))),
    gzip.compress(b"x"),
    b"\x85\xc1",
    b"\xc1" * 50,
    *FOREIGN,
    *(ext(code, CALL) for code in range(6)),  # as LangGraph's serializer does
    *(bound(ext(code, CALL)) for code in (*range(-1, 6), *range(wire.FIRST_OWN, 128))),
    *(bound(ext(code, b"../../../etc/passwd")) for code in (wire.ZONEINFO, wire.PATH, wire.PATTERN, wire.NDARRAY)),
    *(bound(record(name)) for name in ("os.system", "os:system", "system", MODULE)),
    *(bound(packb(each)) for each in CALLS),
)
"""Entries under ``NAME`` of whoever can write to the store."""
