"""What a pickle would build, worked out without building it: so that loading one takes no more than its size.

Two things that a few bytes can ask for bring a process down after any check of names: a memo number far away, for which
gigabytes are reserved, and a key that is a deep or an endlessly shared tuple, whose hash overflows the C stack or never
ends. So the opcodes are run on numbers: each value is its depth and its weight, the number of steps its hash takes.
"""

import pickletools
from collections.abc import Callable
from typing import Any, Final

DEEPEST: Final = 200
"""Tuples and frozen sets within each other; far less than what overflows the stack of a small thread."""
HEAVIEST: Final = 2**22
"""Steps that all the hashing of one pickle may take together."""


class Refused(Exception):  # noqa: N818 - never leaves the reader of pickles
    """The pickle does what it may not."""


class _Value:
    """What is known of a value: how deep its hash goes, and how many steps it takes."""

    __slots__ = ("depth", "weight")

    def __init__(self, depth: int = 0, weight: int = 1) -> None:
        self.depth = depth
        self.weight = min(weight, HEAVIEST + 1)

    def take(self, item: "_Value") -> None:
        """Hold one more, in place: what had this value before holds it too."""
        self.weight = min(self.weight + item.weight, HEAVIEST + 1)


class _Machine:
    """The stack and the memo of an unpickler, with numbers for values. Whatever fails is no pickle."""

    def __init__(self) -> None:
        self.seen = 0
        """Opcodes so far."""
        self.steps = 0
        self._stack: list[_Value | None] = []  # None is a mark
        self._memo: dict[int, _Value] = {}

    def push(self, value: _Value) -> None:
        self._stack.append(value)

    def pop(self) -> _Value:
        value = self._stack.pop()
        if value is None:
            raise Refused
        return value

    def top(self) -> _Value:
        value = self._stack[-1]
        if value is None:
            raise Refused
        return value

    def mark(self) -> None:
        self._stack.append(None)

    def drop(self) -> None:
        """POP takes a mark as well."""
        self._stack.pop()

    def to_mark(self) -> list[_Value]:
        items = []
        while (value := self._stack.pop()) is not None:
            items.append(value)
        return items[::-1]

    def forget(self) -> None:
        self.to_mark()

    def hashed(self, value: _Value) -> None:
        self.steps += value.weight
        if self.steps > HEAVIEST:
            raise Refused

    def tuple_of(self, items: list[_Value]) -> None:
        made = _Value(1 + max((item.depth for item in items), default=0), 1 + sum(item.weight for item in items))
        if made.depth > DEEPEST:
            raise Refused
        self.push(made)

    def remember(self, number: int) -> None:
        if number > self.seen:  # room is made for all numbers below it
            raise Refused
        self._memo[number] = self.top()

    def memoize(self) -> None:
        self.remember(len(self._memo))

    def recall(self, number: int) -> None:
        self.push(self._memo[number])

    def append(self, items: list[_Value]) -> None:
        for item in items:
            self.top().take(item)

    def put(self, items: list[_Value]) -> None:
        """Keys and values by turns."""
        for key in items[::2]:
            self.hashed(key)
        self.append(items)

    def put_one(self) -> None:
        value, key = self.pop(), self.pop()
        self.put([key, value])

    def add(self, items: list[_Value]) -> None:
        for item in items:
            self.hashed(item)
        self.append(items)

    def freeze(self) -> None:
        items = self.to_mark()
        for item in items:
            self.hashed(item)
        self.tuple_of(items)

    def some(self, count: int) -> list[_Value]:
        return [self.pop() for _ in range(count)][::-1]

    def call(self) -> None:
        """A class or function, and its arguments: it may hash all of them."""
        arguments = self.pop()
        self.pop()
        self.hashed(arguments)
        self.tuple_of([arguments])

    def build(self) -> None:
        state = self.pop()
        self.hashed(state)
        self.top().take(state)

    def named(self) -> None:
        self.some(2)
        self.push(_Value())

    def nothing(self) -> None:
        """Frames and the version number."""


_ATOMS: Final = (
    *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "SHORT_BINUNICODE"),
    *("BINUNICODE", "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "EMPTY_LIST", "EMPTY_DICT", "EMPTY_SET"),
    *("EMPTY_TUPLE", "GLOBAL"),
)
_STEPS: Final[dict[str, Callable[[_Machine, Any], object]]] = {
    **{name: lambda run, _: run.push(_Value()) for name in _ATOMS},
    "PROTO": lambda run, _: run.nothing(),
    "FRAME": lambda run, _: run.nothing(),
    "STOP": lambda run, _: run.some(1),
    "MARK": lambda run, _: run.mark(),
    "POP": lambda run, _: run.drop(),
    "POP_MARK": lambda run, _: run.forget(),
    "DUP": lambda run, _: run.push(run.top()),
    "MEMOIZE": lambda run, _: run.memoize(),
    "BINPUT": lambda run, arg: run.remember(arg),
    "LONG_BINPUT": lambda run, arg: run.remember(arg),
    "BINGET": lambda run, arg: run.recall(arg),
    "LONG_BINGET": lambda run, arg: run.recall(arg),
    "APPEND": lambda run, _: run.append([run.pop()]),
    "APPENDS": lambda run, _: run.append(run.to_mark()),
    "TUPLE": lambda run, _: run.tuple_of(run.to_mark()),
    "TUPLE1": lambda run, _: run.tuple_of(run.some(1)),
    "TUPLE2": lambda run, _: run.tuple_of(run.some(2)),
    "TUPLE3": lambda run, _: run.tuple_of(run.some(3)),
    "SETITEM": lambda run, _: run.put_one(),
    "SETITEMS": lambda run, _: run.put(run.to_mark()),
    "ADDITEMS": lambda run, _: run.add(run.to_mark()),
    "FROZENSET": lambda run, _: run.freeze(),
    "STACK_GLOBAL": lambda run, _: run.named(),
    "REDUCE": lambda run, _: run.call(),
    "NEWOBJ": lambda run, _: run.call(),
    "BUILD": lambda run, _: run.build(),
}
"""What a pickle may do. Not among them: persistent ids, extensions, INST and OBJ, bytearrays reserved before read."""


def scan(data: bytes) -> None:
    """Raises ``Refused`` for a pickle that needs more than its size to load, or does what it may not."""
    machine = _Machine()
    end = 0
    try:
        for seen, (opcode, arg, position) in enumerate(pickletools.genops(data), 1):
            end = (position or 0) + 1
            machine.seen = seen
            _STEPS[opcode.name](machine, arg)
    except Exception:  # noqa: BLE001 - whatever is wrong with it
        raise Refused from None
    if end != len(data):
        raise Refused
