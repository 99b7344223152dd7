"""What is kept and what is done with the rest: kinds, actions, policies, limits."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

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


def _default_action(kind: Kind) -> Action:
    if kind in DATA_KINDS:
        return Action.KEEP
    return Action.TOMBSTONE if kind is Kind.SECRET else Action.DROP


class Policy(Frozen):
    """One action per kind, checked and lowered once.

    ``actions`` maps ``Kind`` (or its value) to ``Action`` (or its value); kinds not named keep their default:
    data is kept, secrets become tombstones, machinery is dropped.

    Raises ``PolicyError`` for unknown names and for choices that make no sense (keeping a lock, dropping scalars).
    """

    __slots__ = ("actions", "lowered")
    __match_args__ = ("actions",)
    actions: Mapping[Kind, Action]
    lowered: bytes

    def __init__(self, actions: Mapping[Kind, Action] = MappingProxyType({})) -> None:
        checked = dict(_check(kind, action) for kind, action in actions.items())
        object.__setattr__(self, "actions", MappingProxyType(checked))
        order = list(Action)
        table = bytes(order.index(checked.get(kind, _default_action(kind))) for kind in Kind)
        object.__setattr__(self, "lowered", table)

    def __hash__(self) -> int:
        return hash(self.lowered)

    def __reduce__(self) -> tuple[type["Policy"], tuple[dict[Kind, Action]]]:
        return Policy, (dict(self.actions),)


def _check(kind: object, action: object) -> tuple[Kind, Action]:
    try:
        known, choice = Kind(kind), Action(action)  # type: ignore[arg-type]
    except ValueError as unknown:
        raise PolicyError(f"{unknown}; see siftpack.Kind and siftpack.Action") from None
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


DEFAULT = Policy()


_CEILINGS = {
    "depth": 2**24,
    "nodes": 2**40,
    "bytes": 2**40,
    "str_bytes": 2**32 - 1,
    "container_keys": 2**32,
    "key_depth": 32,
}


class Limits(Frozen):
    """Bounds that hold for writing and reading alike.

    - ``depth``: containers open at once, as written (a tagged array and the map inside it are two)
    - ``nodes``: containers, values that are dear to build (by their cost) and things left out
    - ``bytes``: size of the payload, in bytes
    - ``str_bytes``: size of one string or binary value, in bytes
    - ``container_keys``: dict keys and set elements that are not a plain str, bytes, int, float, bool or None
    - ``key_depth``: containers nested inside one key or set element, at most 32: hashing a nested tuple takes
      the C stack, which no budget of ours protects

    Raises ``PolicyError`` for a bound that is not a positive ``int`` or is too large.
    """

    __slots__ = (*_CEILINGS, "lowered")
    __match_args__ = ("depth", "nodes", "bytes", "str_bytes", "container_keys", "key_depth")
    depth: int
    nodes: int
    bytes: int
    str_bytes: int
    container_keys: int
    key_depth: int
    lowered: tuple[int, int, int, int, int, int]

    def __init__(  # noqa: PLR0913, PLR0917 - one argument a bound
        self,
        depth: int = 16_384,
        nodes: int = 2**21,
        bytes: int = 512 * 2**20,  # noqa: A002 - a public word of the design
        str_bytes: int = 512 * 2**20,
        container_keys: int = 2**20,
        key_depth: int = 32,
    ) -> None:
        values = (depth, nodes, bytes, str_bytes, container_keys, key_depth)
        for value, (name, ceiling) in zip(values, _CEILINGS.items(), strict=True):
            if type(value) is not int or not 0 < value <= ceiling:
                raise PolicyError(f"Limits.{name} must be an int from 1 to {ceiling}")
            object.__setattr__(self, name, value)
        object.__setattr__(self, "lowered", values)
