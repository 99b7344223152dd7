"""What to do about a loss, a refusal or a limit: the words of errors and reports. One line each, never a value."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from siftpack.policy import MACHINERY_KINDS, Action, Kind

if TYPE_CHECKING:
    from siftpack.report import Finding

_HELP: dict[Kind, str] = {
    Kind.SCALAR: "as a key or set element it must be of a plain type",
    Kind.CONTAINER: "as a key or set element it must be hashable: use a tuple or a frozenset there",
    Kind.OPAQUE: "say what in it is data with siftpack.register({cls}, extract=...) or default=",
    Kind.WEAKREF: "put the object itself in its place",
    Kind.STREAM: "put what it holds in its place, as bytes or str",
    Kind.ITERATOR: "put its items or its result in its place",
    Kind.CONTEXT: "put the value it holds in its place",
    Kind.CONNECTION: "keep some of its data with siftpack.register({cls}, extract=...)",
    Kind.AGENT: 'keep its data with siftpack.register({cls}, kind="opaque")',
    Kind.CYCLE: "it refers back to what it is inside of: put an id in its place",
    Kind.KEY_COLLISION: "two keys are equal once they are sifted: make them differ",
    Kind.PRIVATE: "list its owner's class in types=, or say what is data with siftpack.register(..., extract=...)",
    Kind.ATTRIBUTE: "declare it as a field, or say what is data with siftpack.register(..., extract=...)",
    Kind.HOOK: "a hook raised here: make it return plain data",
}
"""How to keep what can be kept. Kinds that are not named are data that a policy keeps, or machinery without data."""


def advice(kind: Kind, type_name: str, done: Action = Action.DROP) -> str:
    """What helps against a loss of this kind and type, of which this was done: one line, without a full stop."""
    if done is Action.CUT:
        return 'a limit ended here: allow more in Limits, or set on_exceed="raise" to be told'
    if done is Action.CONVERTED:
        return "its data is kept in a plainer type: list the class in types= to have it back as it was"
    if kind is Kind.SECRET:
        return _secret(done)
    known = _HELP.get(kind)
    if kind in MACHINERY_KINDS:
        return _machinery(kind, done, known.format(cls=_expression(type_name)) if known else None)
    if known is None or (kind is Kind.OPAQUE and done is not Action.DROP):
        known = f"keep its data with {_policy(kind, Action.KEEP)}"
        return f"{known}, or {_leave(kind)}" if done is Action.RAISE else f"{known}; as a key it must be hashable"
    known = known.format(cls=_expression(type_name))
    return f"{known}, or {_leave(kind)}" if done is Action.RAISE else known


def refusal(path: str, kind: Kind, type_name: str) -> str:
    """The message of an ``EncodeError``: the policy says raise."""
    machinery = kind in MACHINERY_KINDS
    why = "is not data, and the policy says raise" if machinery else "is refused: the policy says raise"
    return f"{path}: {kind} {type_name} {why}; {advice(kind, type_name, Action.RAISE)}"


def lossy(first: "Sequence[Finding]", total: int, *, cut: bool) -> str:
    """The message of ``raise_if_lossy``: the first findings, and what helps against the first of them."""
    from siftpack.report import PATH_SHOWN, TYPE_SHOWN, legible

    rows = [(legible(f.path, PATH_SHOWN), f"{f.kind} {legible(f.type_name, TYPE_SHOWN)}", f) for f in first]
    named = [f"{path}: {what}" for path, what, _ in rows]
    if total > len(rows):
        named.append(f"and {total - len(rows)} more")
    parts = [f"{total} finding{'' if total == 1 else 's'}{': ' if named else ''}{'; '.join(named)}"]
    if cut:
        parts.append("A limit cut the data: allow more in Limits")
    for path, _, found in rows[:1]:
        parts.append(f"For {path}: {advice(found.kind, legible(found.type_name, TYPE_SHOWN), found.action)}")
    return ". ".join(parts)


_BOUNDS = {
    "depth": "deeper than {}",
    "nodes": "more than {} nodes",
    "bytes": "larger than {} bytes",
    "str_bytes": "one value of more than {} bytes",
    "container_keys": "more than {} keys that are no plain scalars",
    "key_depth": "key nested deeper than {}",
    "same_hash": "more than {} keys of one hash",
}


def exceeded(path: str, bound: str, most: int) -> str:
    """The message of a ``LimitExceeded``: which bound of ``Limits`` it was and how to allow more."""
    words = _BOUNDS[bound].format(most)
    if bound == "same_hash":
        return f"{path}: {words}, as forged keys have: give their class a better __hash__"
    bounded = ", at most 32," if bound == "key_depth" else ""
    more = f'allow more with Limits({bound}=...){bounded} or keep what fits with Limits(on_exceed="cut")'
    return f"{path}: {words} (Limits.{bound}); {more}"


def _secret(done: Action) -> str:
    if done is Action.RAISE:
        return f"mask it with {_policy(Kind.SECRET, Action.TOMBSTONE)}, or {_leave(Kind.SECRET)}"
    if done is Action.DROP:
        return f"left out on purpose: mark its place with {_policy(Kind.SECRET, Action.TOMBSTONE)}"
    return f"masked on purpose: {_leave(Kind.SECRET)}"


def _machinery(kind: Kind, done: Action, known: str | None) -> str:
    """Machinery: what would keep its data, else what else the policy can do with it."""
    if known is None:
        name = f"or keep its name with {_policy(kind, Action.NAME)}"
        if done is Action.DROP:
            return f"it holds no data: take it out first, {name}"
        return f"{_leave(kind)}, {name}" if done is Action.RAISE else f"it holds no data: {_leave(kind)}"
    return f"{known}, or {_mark(kind) if done is Action.DROP else _leave(kind)}"


def _leave(kind: Kind) -> str:
    return f"leave it out with {_policy(kind, Action.DROP)}"


def _mark(kind: Kind) -> str:
    return f"mark its place with {_policy(kind, Action.TOMBSTONE)}"


def _policy(kind: Kind, action: Action) -> str:
    return f'Policy(actions={{"{kind}": "{action}"}})'


def _expression(type_name: str) -> str:
    """The name as code can say it: without the function it is local to; dots where it has no such name."""
    local = type_name.rpartition("<locals>.")[2]
    return local if all(part.isidentifier() for part in local.split(".")) else "..."
