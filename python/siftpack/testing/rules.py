"""Hypothesis strategies for what a caller may set: policies, limits, listed types."""

from typing import Any

from hypothesis import strategies as st

from siftpack.policy import Action, Kind, Limits, Policy
from siftpack.testing import zoo

Strategy = st.SearchStrategy[Any]

PATTERNS = (
    *("$", "$.a", "$.b", "$.*", "$[*]", "$[0]", "$[1]", "$.**", "$.a.**", "$[*].**", "$.**.a", "$.**[0]", "$.*.b"),
    *("$.a[*]", "$[0][0]", "$[0].a", "$.me", "$.maps[0].a", "$.args[0]", "$.**.password", "$.x.**.a", '$["a b"]'),
    *("${1}", "${None}", "${True}", "${0.0}", "${nan}", "$.**{1}", "$.token", "$.api_key", "$.**.cause"),
)
CHOICES = (Action.KEEP, Action.DROP, Action.TOMBSTONE, Action.NAME, Action.RAISE)
CLASSES = (
    *(zoo.Plain, zoo.Slotted, zoo.Frozen, zoo.FrozenSlotted, zoo.Held, zoo.Pair, zoo.Loose, zoo.Model, zoo.FrozenModel),
    *(
        zoo.Attr,
        zoo.AttrFrozen,
        zoo.Struct,
        zoo.FrozenStruct,
        zoo.Color,
        zoo.Size,
        zoo.Word,
        zoo.Bits,
        zoo.Str,
        zoo.Int,
    ),
    *(zoo.Float, zoo.Bytes, zoo.List, zoo.Dict, zoo.Tuple, zoo.Set, zoo.FrozenSet, zoo.Deque, zoo.Ordered, zoo.Tally),
    *(zoo.Opaque, zoo.SlotBase, zoo.SlotMore, zoo.Failure, zoo.Default, ValueError, KeyError, ExceptionGroup),
)


def policies() -> Strategy:
    """Policies that leave most kinds alone."""
    return st.one_of(_by_kind(), rules())


def rules() -> Strategy:
    """Policies by path, with hooks, in every mode."""
    paths = st.dictionaries(st.sampled_from(PATTERNS), st.sampled_from(CHOICES), max_size=3)
    return st.builds(
        Policy,
        st.one_of(st.just({}), _actions()),
        paths=st.one_of(st.just({}), paths, paths),
        default=st.sampled_from((None, None, declines, fails, as_list, as_name, as_mock)),
        redact=st.booleans(),
        strict=st.sampled_from((False, False, False, True)),
        mode=st.sampled_from(("native", "native", "json", "portable")),
        longest=st.sampled_from((None, None, 1, 3, 40)),
        emptied=st.sampled_from((Action.DROP, Action.TOMBSTONE, Action.NAME)),
    )


def declines(_: Any) -> Any:
    """A hook that has nothing to say."""
    return NotImplemented


def fails(_: Any) -> Any:
    """A hook that raises."""
    raise LookupError("no")


def as_list(obj: Any) -> Any:
    """A hook that hides the object in a list, so that it comes round again."""
    return [type(obj).__name__, obj]


def as_name(obj: Any) -> Any:
    """A hook that gives plain data."""
    return {"type": type(obj).__qualname__, "n": (1, 2.5)}


def as_mock(_: Any) -> Any:
    """A hook that gives machinery again, without end."""
    return type("Made", (), {"run": lambda self: None})()


def _actions() -> Strategy:
    columns = (st.sampled_from(column) for column in map(list, zip(*ACTION_ROWS, strict=True)))
    return st.dictionaries(*columns, max_size=5).map(
        lambda found: {kind: action for kind, action in found.items() if _allowed(kind, action)}
    )


def _by_kind() -> Strategy:
    return _actions().map(Policy)


def _allowed(kind: Kind, action: Action) -> bool:
    try:
        Policy({kind: action})
    except ValueError:
        return False
    return True


ACTION_ROWS = [(kind, action) for kind in Kind for action in CHOICES if _allowed(kind, action)]
"""Every kind with every action that a policy may give it."""
BOUNDS = {
    "depth": (1, 6),
    "nodes": (1, 40),
    "bytes": (1, 200),
    "str_bytes": (1, 40),
    "container_keys": (1, 3),
    "key_depth": (1, 3),
}
"""Tight spans of each bound of ``Limits``."""


def tight(on_exceed: str = "raise") -> Strategy:
    """Limits that most values exceed."""
    one = [
        st.builds(Limits, **{name: st.integers(*span)}, on_exceed=st.just(on_exceed)) for name, span in BOUNDS.items()
    ]
    whole = {name: st.integers(*span) for name, span in BOUNDS.items()}
    return st.one_of(*one, st.builds(Limits, **whole, on_exceed=st.just(on_exceed)))


def listings() -> Strategy:
    """Classes of the zoo that come back as themselves."""
    return st.one_of(st.just(CLASSES), st.lists(st.sampled_from(CLASSES), unique=True, max_size=9).map(tuple))
