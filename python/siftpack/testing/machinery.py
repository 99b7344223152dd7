"""One specimen of every kind of machinery the standard library has, built once and never used."""

import asyncio
import collections
import concurrent.futures
import contextlib
import contextvars
import functools
import http.client
import inspect
import io
import itertools
import json
import logging
import mmap
import operator
import os
import queue
import socket
import sqlite3
import sys
import threading
import types
import typing
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from unittest import mock

from siftpack.policy import Kind


class Specimen(NamedTuple):
    """An object that is machinery, and the kind it is."""

    kind: Kind
    obj: Any


class Owner:
    """Something for weak references, methods and descriptors to hang on."""

    @property
    def prop(self) -> int:
        """A property."""
        return 1

    def method(self) -> int:
        """A method."""
        return 1


class Agent:
    """An agent by its method of execution."""

    def __init__(self) -> None:
        self.model = "m"

    def run(self) -> None:
        """Execute."""


class LazyRows:
    """An iterator by protocol."""

    def __next__(self) -> int:
        return 1


def _generator() -> Iterator[int]:
    yield 1
    yield 2


async def _coroutine() -> None: ...


async def _async_generator() -> Any:
    yield 1


def _closed_coroutine() -> Any:
    made = _coroutine()
    made.close()
    return made


def _traceback() -> Any:
    try:
        raise ValueError
    except ValueError as caught:
        return caught.__traceback__


_owner = Owner()
_variable: contextvars.ContextVar[int] = contextvars.ContextVar("_variable")
_CLASSES: tuple[Any, ...] = (int, Owner, Kind, list[int], int | None, typing.Any, typing.List[int], typing.TypeVar("T"))  # noqa: UP006
_FUNCTIONS: tuple[Any, ...] = (
    *(_generator, lambda: None, len, [].append, _owner.method, str.upper, int.__add__, (1).__add__),
    *(functools.partial(len), functools.lru_cache(_generator), operator.itemgetter(1), operator.attrgetter("a")),
    *(property(), staticmethod(len)),
    classmethod(len),  # type: ignore[arg-type]  # never called, so it need not take a class
    *(Owner.__dict__["prop"], types.FunctionType.__dict__["__code__"]),
    *(collections.deque.__dict__["maxlen"], dict.__dict__["fromkeys"], super(Owner, _owner)),
)
_OTHERS: tuple[tuple[Kind, Callable[[], Any]], ...] = (
    (Kind.MODULE, lambda: json),
    (Kind.MODULE, lambda: types.ModuleType("made_up")),
    (Kind.WEAKREF, lambda: weakref.ref(_owner)),
    (Kind.WEAKREF, lambda: weakref.proxy(_owner)),
    (Kind.WEAKREF, lambda: weakref.WeakSet([_owner])),
    (Kind.WEAKREF, lambda: weakref.WeakValueDictionary(a=_owner)),
    (Kind.WEAKREF, lambda: weakref.WeakKeyDictionary({_owner: 1})),
    (Kind.WEAKREF, lambda: weakref.finalize(_owner, len, ())),
    (Kind.MOCK, mock.Mock),
    (Kind.MOCK, mock.MagicMock),
    (Kind.MOCK, lambda: mock.Mock(spec=dict)),
    (Kind.MOCK, lambda: mock.call(1)),
    (Kind.SYNC, threading.Lock),
    (Kind.SYNC, threading.RLock),
    (Kind.SYNC, threading.Event),
    (Kind.SYNC, threading.Condition),
    (Kind.SYNC, threading.Semaphore),
    (Kind.SYNC, threading.local),
    (Kind.SYNC, threading.Thread),
    (Kind.SYNC, queue.Queue),
    (Kind.SYNC, queue.SimpleQueue),
    (Kind.SYNC, concurrent.futures.ThreadPoolExecutor),
    (Kind.SYNC, asyncio.Lock),
    (Kind.SYNC, asyncio.Queue),
    (Kind.STREAM, lambda: io.BytesIO(b"unread")),
    (Kind.STREAM, lambda: io.StringIO("unread")),
    (Kind.STREAM, lambda: open(os.devnull, "rb")),
    (Kind.STREAM, socket.socket),
    (Kind.STREAM, lambda: mmap.mmap(-1, 16)),
    (Kind.ITERATOR, _generator),
    (Kind.ITERATOR, _closed_coroutine),
    (Kind.ITERATOR, _async_generator),
    (Kind.ITERATOR, lambda: iter([1])),
    (Kind.ITERATOR, lambda: iter({"a": 1}.items())),
    (Kind.ITERATOR, lambda: map(len, [])),
    (Kind.ITERATOR, itertools.count),
    (Kind.ITERATOR, concurrent.futures.Future),
    (Kind.ITERATOR, contextlib.ExitStack),
    (Kind.ITERATOR, LazyRows),
    (Kind.CONTEXT, lambda: _variable),
    (Kind.CONTEXT, lambda: contextvars.Context().run(_variable.set, 1)),
    (Kind.CONTEXT, contextvars.copy_context),
    (Kind.CODE, lambda: _generator.__code__),
    (Kind.CODE, sys._getframe),
    (Kind.CODE, _traceback),
    (Kind.CODE, lambda: types.CellType(1)),
    (Kind.CODE, lambda: inspect.signature(_generator)),
    (Kind.LOGGER, lambda: logging.getLogger("siftpack.specimen")),
    (Kind.LOGGER, lambda: logging.LoggerAdapter(logging.getLogger("siftpack.specimen"))),
    (Kind.LOGGER, logging.NullHandler),
    (Kind.LOGGER, logging.Formatter),
    (Kind.CONNECTION, lambda: sqlite3.connect(":memory:")),
    (Kind.CONNECTION, lambda: sqlite3.connect(":memory:").cursor()),
    (Kind.CONNECTION, lambda: http.client.HTTPConnection("localhost")),
    (Kind.AGENT, Agent),
)


@functools.cache
def specimens() -> tuple[Specimen, ...]:
    """One of each, the same objects every time."""
    found = [Specimen(Kind.CLASS, cls) for cls in _CLASSES] + [Specimen(Kind.FUNCTION, f) for f in _FUNCTIONS]
    return (*found, *(Specimen(kind, make()) for kind, make in _OTHERS))


@functools.cache
def hashable_specimens() -> tuple[Specimen, ...]:
    """Those that can be a dict key or set element."""
    return tuple(found for found in specimens() if _hashable(found.obj))


def _hashable(obj: Any) -> bool:
    try:
        hash(obj)
    except TypeError:
        return False
    return True
