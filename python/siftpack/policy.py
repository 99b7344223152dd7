"""What is kept and what is done with the rest: kinds, actions, policies, limits."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal

from siftpack import patterns as patterns_
from siftpack.errors import PolicyError
from siftpack.frozen import Frozen


class Kind(StrEnum):
    """What a type is to siftpack. The order is shared with the Rust core."""

    # Data, kept.
    SCALAR = "scalar"
    BINARY = "binary"
    CONTAINER = "container"
    VALUE = "value"
    ENUM = "enum"
    RECORD = "record"
    SUBCLASS = "subclass"
    EXCEPTION = "exception"
    ARRAY = "array"
    OPAQUE = "opaque"
    # Masked.
    SECRET = "secret"
    # Machinery, left out.
    CLASS = "class"
    MODULE = "module"
    FUNCTION = "function"
    WEAKREF = "weakref"
    MOCK = "mock"
    SYNC = "sync"
    STREAM = "stream"
    ITERATOR = "iterator"
    CONTEXT = "context"
    CODE = "code"
    LOGGER = "logger"
    CONNECTION = "connection"
    AGENT = "agent"
    # Only in findings: what happened to data rather than what a type is.
    CYCLE = "cycle"
    KEY_COLLISION = "key_collision"
    PRIVATE = "private"
    ATTRIBUTE = "attribute"
    HOOK = "hook"


class Action(StrEnum):
    """What is done with an object that is not kept as data. The order is shared with the Rust core."""

    KEEP = "keep"
    """Sift it into data: the default of every data kind."""
    DROP = "drop"
    """Leave it out: a mapping entry, field, list or set element leaves; a tuple element becomes None."""
    TOMBSTONE = "tombstone"
    """Write a ``Tombstone`` that names kind and type."""
    NAME = "name"
    """Write a bounded string such as ``<function f>``."""
    RAISE = "raise"
    """Raise ``EncodeError`` naming path, kind and type."""
    CONVERTED = "converted"
    """Only in findings: the data stayed, in another type."""
    CUT = "cut"
    """Only in findings: a bound was reached here, and what lies beyond it was left out."""


DATA_KINDS = frozenset(list(Kind)[: list(Kind).index(Kind.SECRET)])
MACHINERY_KINDS = frozenset(list(Kind)[list(Kind).index(Kind.CLASS) : list(Kind).index(Kind.CYCLE)])
_CHOICES = frozenset({Action.KEEP, Action.DROP, Action.TOMBSTONE, Action.NAME, Action.RAISE})
_ALWAYS_KEPT = frozenset({Kind.SCALAR, Kind.CONTAINER})


Mode = Literal["native", "json", "portable"]
MODES: tuple[Mode, ...] = ("native", "json", "portable")
"""In the order the Rust core counts them."""


def _default_action(kind: Kind, *, strict: bool) -> Action:
    if kind in DATA_KINDS:
        return Action.KEEP
    if strict:
        return Action.RAISE
    return Action.TOMBSTONE if kind is Kind.SECRET else Action.DROP


class Policy(Frozen):
    """What is done with what, checked and lowered once.

    - ``actions``: ``Kind`` (or its value) to ``Action`` (or its value). Kinds not named keep their default: data is
      kept, secrets become tombstones, machinery is dropped.
    - ``paths``: a pattern such as ``$.debug.**`` (see ``siftpack.patterns``) to an action. A path decides before the
      kind does; the most specific one wins. ``keep`` undoes a wider path, a kind's action on data and the mask of a
      secret-named field; it does not make data of machinery.
    - ``default``: called with each object that is machinery or that nobody knows; what it returns is sifted in its
      place, ``NotImplemented`` or the object itself declines. If it raises an ``Exception``, the object is treated as
      without it, and a finding of kind ``hook`` says so.
    - ``redact``: mask secret names and secret values everywhere, in mappings and strings too.
    - ``strict``: raise at the first finding; kinds and paths that are given an action keep it.
    - ``mode``: ``"native"``; ``"json"`` (``sanitize`` gives what ``json.dumps`` takes); ``"portable"`` (``packb``
      writes no ext value and no key but strings, for readers in other languages).
    - ``longest``: strings and binary values of more characters or bytes are cut to this length.
    - ``emptied``: what is written for an opaque object of which nothing is left: drop, tombstone or name.

    Raises ``PolicyError`` for unknown names and for choices that make no sense (keeping a lock, dropping scalars).
    """

    __slots__ = (
        *("actions", "paths", "default", "redact", "strict", "mode", "longest", "emptied"),
        *("lowered", "patterns", "rules"),
    )
    __match_args__ = ("actions", "paths", "default", "redact", "strict", "mode", "longest", "emptied")
    actions: Mapping[Kind, Action]
    paths: Mapping[str, Action]
    default: Callable[[Any], Any] | None
    redact: bool
    strict: bool
    mode: Mode
    longest: int | None
    emptied: Action
    lowered: bytes
    """The action of each kind, as the core counts both."""
    patterns: tuple[patterns_.Pattern, ...]
    """The paths, compiled."""
    rules: Any
    """All but the actions of kinds, as the core has it; None if there is nothing else."""

    def __init__(  # noqa: PLR0913 - one argument a rule
        self,
        actions: Mapping[Kind, Action] = MappingProxyType({}),
        *,
        paths: Mapping[str, Action] = MappingProxyType({}),
        default: Callable[[Any], Any] | None = None,
        redact: bool = False,
        strict: bool = False,
        mode: Mode = "native",
        longest: int | None = None,
        emptied: Action = Action.DROP,
    ) -> None:
        checked = dict(_check(kind, action) for kind, action in actions.items())
        wanted = {text: _check_path(action) for text, action in paths.items()}
        _check_rules(default, (redact, strict), mode, longest)
        left = _known(Action, emptied)
        if left not in (Action.DROP, Action.TOMBSTONE, Action.NAME):
            raise PolicyError("emptied is drop, tombstone or name: nothing is left that could be kept")
        self._fill(MappingProxyType(checked), MappingProxyType(wanted), default, redact, strict, mode, longest, left)
        object.__setattr__(self, "patterns", patterns_.compiled(wanted))
        order = list(Action)
        table = bytes(order.index(checked.get(kind, _default_action(kind, strict=strict))) for kind in Kind)
        object.__setattr__(self, "lowered", table)
        object.__setattr__(self, "rules", self._rules(order))

    def _fill(self, *values: Any) -> None:
        for name, value in zip(type(self).__match_args__, values, strict=True):
            object.__setattr__(self, name, value)

    def _rules(self, order: list[Action]) -> Any:
        plain = self.mode == "native" and self.emptied is Action.DROP
        if plain and not (self.patterns or self.default or self.redact or self.strict or self.longest):
            return None
        from siftpack._core import Rules

        rows = [([tuple(want) for want in each.steps], order.index(each.action)) for each in self.patterns]
        flags = (self.redact, self.strict, MODES.index(self.mode))
        return Rules(rows, self.default, flags, self.longest, order.index(self.emptied))

    def replace(self, **changes: Any) -> "Policy":
        """A policy with some of the rules changed: ``JSON.replace(redact=True)``. Raises ``PolicyError``."""
        given = {name: getattr(self, name) for name in type(self).__match_args__}
        unknown = sorted(changes.keys() - given.keys())
        if unknown:
            raise PolicyError(f"a policy has no {unknown[0]}")
        return Policy(**{**given, **changes})

    __replace__ = replace

    def _identity(self) -> tuple[Any, ...]:
        """What two equal policies share. Hooks are compared as objects: their own ``==`` is never asked."""
        paths = tuple((text, str(action)) for text, action in self.paths.items())
        rest = (self.redact, self.strict, self.mode, self.longest, self.emptied)
        return (self.lowered, tuple(sorted(self.actions)), paths, id(self.default), *rest)

    def __eq__(self, other: object) -> bool:
        return self._identity() == other._identity() if type(other) is Policy else NotImplemented

    def __hash__(self) -> int:
        return hash(self._identity())

    def __reduce__(self) -> tuple[Any, ...]:
        given = {name: getattr(self, name) for name in type(self).__match_args__}
        return _policy, ({**given, "actions": dict(self.actions), "paths": dict(self.paths)},)


def _policy(given: dict[str, Any]) -> Policy:
    return Policy(**given)


def _known(words: type[Any], word: object) -> Any:
    try:
        return words(word)
    except ValueError as unknown:
        raise PolicyError(f"{unknown}; see siftpack.Kind and siftpack.Action") from None


def _check(kind: object, action: object) -> tuple[Kind, Action]:
    known, choice = _known(Kind, kind), _known(Action, action)
    if choice not in _CHOICES:
        raise PolicyError(f"Action.{choice.name} is what a finding says, not something a policy can ask for")
    if known in DATA_KINDS:
        if known in _ALWAYS_KEPT and choice is not Action.KEEP:
            raise PolicyError(f"Kind.{known.name} is always kept")
    elif known is Kind.SECRET or known in MACHINERY_KINDS:
        if choice is Action.KEEP:
            raise PolicyError(f"Kind.{known.name} cannot be kept: it is not data")
    elif choice not in (Action.DROP, Action.RAISE):
        raise PolicyError(f"Kind.{known.name} has no object to write: choose Action.DROP or Action.RAISE")
    return known, choice


def _check_path(action: object) -> Action:
    choice: Action = _known(Action, action)
    if choice not in _CHOICES:
        raise PolicyError(f"Action.{choice.name} is what a finding says, not something a path can ask for")
    return choice


def _check_rules(default: Any, flags: tuple[Any, Any], mode: Any, longest: Any) -> None:
    if default is not None and not callable(default):
        raise PolicyError("default is a function of one object, or None")
    if not all(type(flag) is bool for flag in flags):
        raise PolicyError("redact and strict are True or False")
    if type(mode) is not str or mode not in MODES:
        raise PolicyError(f"mode is one of {', '.join(MODES)}")
    if longest is not None and (type(longest) is not int or not 0 < longest < 2**32):
        raise PolicyError("longest is a number of characters from 1 on, or None")


DEFAULT = Policy()
STRICT = Policy(strict=True)
"""Raises ``EncodeError`` at the first loss, naming path, kind and type."""
JSON = Policy(mode="json")
"""``sanitize`` gives what ``json.dumps`` takes: ISO dates, str keys, lists for tuples and sets, base64 for bytes."""
PORTABLE = Policy(mode="portable")
"""``packb`` writes core MessagePack only: what every reader in every language opens with its defaults."""
LOGGING = Policy(dict.fromkeys(sorted(MACHINERY_KINDS), Action.NAME), redact=True, longest=1024, emptied=Action.NAME)
"""For logs: names where something is left out, secrets masked everywhere, strings cut to 1 024 characters."""


_CEILINGS = {
    "depth": 2**24,
    "nodes": 2**40,
    "bytes": 2**40,
    "str_bytes": 2**32 - 1,
    "container_keys": 2**32,
    "key_depth": 32,
}


CONTAINER_BYTES = 16
"""Bytes that a container counts while output is cut to ``Limits.bytes``: no header of ours is longer."""


class Limits(Frozen):
    """Bounds that hold for writing and reading alike.

    - ``depth``: containers open at once, as written (a tagged array and the map inside it are two)
    - ``nodes``: containers, values that are dear to build (by their cost) and things left out
    - ``bytes``: size of the payload, in bytes
    - ``str_bytes``: size of one string or binary value, in bytes
    - ``container_keys``: dict keys and set elements that are not a plain str, bytes, int, float, bool or None
    - ``key_depth``: containers nested inside one key or set element, at most 32: hashing a nested tuple takes
      the C stack, which no budget of ours protects
    - ``on_exceed``: ``"raise"``; or ``"cut"``: what does not fit is left out and reported, strings are shortened, and
      when nodes or bytes are used up the walk ends there. When cutting, ``bytes`` counts each container as
      ``CONTAINER_BYTES``, its header at the most. Reading always raises.

    Raises ``PolicyError`` for a bound that is not a positive ``int`` or is too large.
    """

    __slots__ = (*_CEILINGS, "lowered", "on_exceed")
    __match_args__ = (*_CEILINGS, "on_exceed")
    depth: int
    nodes: int
    bytes: int
    str_bytes: int
    container_keys: int
    key_depth: int
    on_exceed: Literal["raise", "cut"]
    lowered: tuple[int, int, int, int, int, int, bool]

    def __init__(  # noqa: PLR0913, PLR0917 - one argument a bound
        self,
        depth: int = 16_384,
        nodes: int = 2**21,
        bytes: int = 512 * 2**20,  # noqa: A002 - a public word of the design
        str_bytes: int = 512 * 2**20,
        container_keys: int = 2**20,
        key_depth: int = 32,
        on_exceed: Literal["raise", "cut"] = "raise",
    ) -> None:
        values = (depth, nodes, bytes, str_bytes, container_keys, key_depth)
        for value, (name, ceiling) in zip(values, _CEILINGS.items(), strict=True):
            if type(value) is not int or not 0 < value <= ceiling:
                raise PolicyError(f"Limits.{name} must be an int from 1 to {ceiling}")
            object.__setattr__(self, name, value)
        if on_exceed not in ("raise", "cut"):
            raise PolicyError("Limits.on_exceed is 'raise' or 'cut'")
        object.__setattr__(self, "on_exceed", on_exceed)
        object.__setattr__(self, "lowered", (*values, on_exceed == "cut"))
