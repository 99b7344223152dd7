"""``ExecutionContext``: who runs what, the data of the run, and beside it the live things that are never copied."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Self, final

from siftpack import _core
from siftpack.agents import ids
from siftpack.agents.fields import everything
from siftpack.agents.reports import EMPTY, joined
from siftpack.agents.sifting import masked
from siftpack.classify import classify
from siftpack.errors import PolicyError
from siftpack.listed import Types, types_of
from siftpack.policy import MACHINERY_KINDS, Kind
from siftpack.redact import secret_name
from siftpack.registry import register
from siftpack.report import Report
from siftpack.storage import inherits

DEEPEST: Final = 10
"""Operations that may be nested in one another."""

_NOT_DATA: Final = MACHINERY_KINDS | {Kind.OPAQUE}


class Live(Mapping[str, Any]):
    """The live dependencies of a run by name: clients, tools, sessions. Never copied, written, compared or shown."""

    __slots__ = ("_objects",)

    def __init__(self, objects: Mapping[str, Any]) -> None:
        self._objects = dict(objects)

    def __getitem__(self, name: str) -> Any:
        return self._objects[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<Live: {', '.join(self._objects) or 'nothing'}>"


@final
class ExecutionContext:
    """Whose run this is, what it knows, and what it works with.

    ``data`` is an isolated copy of what was given, sifted: two contexts never share anything that can be changed.
    ``live`` holds what is no data, by name, and is shared with every child. ``report`` says what was left out of the
    data, here and in the contexts it came from. ``types`` are classes whose instances stay themselves in ``data``.

    Ids that are not given are made. Everything but the content of ``data`` is fixed. A copy, a pickle and whatever
    siftpack writes of a context is its clean form, without ``live``; ``copy`` and ``deepcopy`` keep ``live``.
    Raises ``PolicyError`` for ids that are none and data that is no dict, ``LimitExceeded`` for data past all bounds.
    """

    __slots__ = (
        *("_created_at", "_data", "_live", "_operation", "_operation_depth", "_parent_request_id", "_report"),
        *("_request_id", "_run_id", "_thread_id", "_types", "_user_id"),
    )

    def __init__(  # noqa: PLR0913 - one argument a field
        self,
        user_id: str,
        thread_id: str | None = None,
        run_id: str | None = None,
        request_id: str | None = None,
        *,
        data: Mapping[str, Any] | None = None,
        live: Mapping[str, Any] | None = None,
        types: Iterable[type] | Mapping[str, type] | Types = (),
    ) -> None:
        given = (user_id, *(ids.made() if each is None else each for each in (thread_id, run_id, request_id)))
        self._user_id, self._thread_id, self._run_id, self._request_id = (
            ids.checked(value, name) for name, value in zip(ids.NAMES, given, strict=True)
        )
        self._created_at = dt.datetime.now(dt.UTC)
        self._operation: str | None = None
        self._operation_depth = 0
        self._parent_request_id: str | None = None
        self._types = types_of(types)
        self._live = live if type(live) is Live else Live({} if live is None else live)
        self._data, self._report = self._sifted({} if data is None else data, EMPTY)

    def __init_subclass__(cls) -> None:
        raise TypeError("ExecutionContext has no subclasses: what is yours goes into data, or into live")

    @classmethod
    def of(
        cls,
        source: Any,
        *,
        names: Mapping[str, str] | None = None,
        live: Mapping[str, Any] | None = None,
        types: Iterable[type] | Mapping[str, type] | Types = (),
    ) -> Self:
        """The context that a dict, a dataclass or any object of yours describes.

        Its ids are read from the fields of those names, or from those that ``names`` says, as in
        ``{"user_id": "uid"}``; numbers and UUIDs become text. The other fields are its data. Those whose value is
        machinery or an object nobody knows are in ``live`` too, under their names, as are those of an object whose name
        says that they hold a secret, and which are masked in the data. Fields are read from storage, so no code of
        yours runs. Raises ``PolicyError`` without a user id, as of anything that is machinery itself.
        """
        if type(source) is cls:
            return source
        wanted = {name: name for name in ids.NAMES} | dict({} if names is None else names)
        unknown = sorted(wanted.keys() - set(ids.NAMES))
        if unknown:
            raise PolicyError(f"a context has no id {unknown[0]}")
        there = {} if classify(type(source)).kind in MACHINERY_KINDS - {Kind.AGENT} else everything(source)
        found = {name: ids.spelled(there.get(wanted[name])) for name in ids.NAMES}
        if found["user_id"] is None:
            raise PolicyError(f"there is no user id in the field {wanted['user_id']}; say where it is with names=")
        rest = {name: value for name, value in there.items() if name not in wanted.values()}
        beside = {name: value for name, value in rest.items() if type(name) is str and _is_live(value)}
        if not inherits(type(source), dict):
            beside |= {name: value for name, value in rest.items() if value is not None and secret_name(name)}
            rest = masked(rest)
        return cls(**found, data=rest, live={**beside, **({} if live is None else live)}, types=types)

    @property
    def user_id(self) -> str:
        """Whose run this is."""
        return self._user_id

    @property
    def thread_id(self) -> str:
        """The conversation that the run belongs to."""
        return self._thread_id

    @property
    def run_id(self) -> str:
        """The run."""
        return self._run_id

    @property
    def request_id(self) -> str:
        """The operation within the run; each child has its own."""
        return self._request_id

    @property
    def created_at(self) -> dt.datetime:
        """When the context was made, UTC."""
        return self._created_at

    @property
    def data(self) -> dict[str, Any]:
        """What the run knows; yours to change, and nobody else's."""
        return self._data

    @property
    def live(self) -> Live:
        """What the run works with."""
        return self._live

    @property
    def operation(self) -> str | None:
        """What this context was made for by ``child``, None at the root."""
        return self._operation

    @property
    def operation_depth(self) -> int:
        """How many operations it is nested in: 0 at the root, at most ``DEEPEST``."""
        return self._operation_depth

    @property
    def parent_request_id(self) -> str | None:
        """The ``request_id`` of the context it was made from, None at the root."""
        return self._parent_request_id

    @property
    def report(self) -> Report:
        """What was left out of ``data`` on the way here, as paths below ``$.data``."""
        return self._report

    def child(self, operation: str, *, data: Mapping[str, Any] | None = None) -> Self:
        """A context for one operation within this one: a copy of the data with ``data`` laid over it.

        User, thread and run stay, ``live`` is shared, and the request id is new. Machinery that got into the data is
        left out and reported. Raises ``PolicyError`` for operations nested deeper than ``DEEPEST``, and
        ``LimitExceeded`` for data past all bounds.
        """
        if self._operation_depth >= DEEPEST:
            raise PolicyError(f"operations are nested deeper than {DEEPEST}")
        return self._twin(
            {**self._data, **_entries({} if data is None else data)},
            operation=ids.checked(operation, "operation"),
            operation_depth=self._operation_depth + 1,
            request_id=ids.made(),
            parent_request_id=self._request_id,
            created_at=dt.datetime.now(dt.UTC),
        )

    def snapshot(self) -> dict[str, Any]:
        """The clean form: the four ids and an isolated copy of the data."""
        return {**self._ids(), "data": self._sifted(self._data, EMPTY)[0]}

    def _parts(self) -> dict[str, Any]:
        """What the walk is given: it reports machinery in the data, and ``live`` as a whole, each with its path."""
        return {**self._ids(), "data": self._data, **({"live": self._live} if self._live else {})}

    def _ids(self) -> dict[str, str]:
        given = (self._user_id, self._thread_id, self._run_id, self._request_id)
        return dict(zip(ids.NAMES, given, strict=True))

    def _sifted(self, data: Any, before: Report) -> tuple[dict[str, Any], Report]:
        whole = {"data": _entries(data)}
        copied = _core.sanitize(whole, types=self._types)["data"]
        return copied, joined(before, _core.inspect(whole, types=self._types))

    def _twin(self, data: dict[str, Any], **changes: Any) -> Self:
        made = object.__new__(type(self))
        copied, report = self._sifted(data, self._report)
        kept = {name: getattr(self, name) for name in ExecutionContext.__slots__}
        changed = {f"_{name}": value for name, value in changes.items()}
        for name, value in (kept | changed | {"_data": copied, "_report": report}).items():
            setattr(made, name, value)
        return made

    def __copy__(self) -> Self:
        return self._twin(self._data)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        # As bytes of ours, because not all data pickles: a memoryview does not, nor does an instance of a local class.
        packed = _core.packb(self._data)
        rest = (self._created_at, self._operation, self._operation_depth, self._parent_request_id)
        return _restored, (type(self), tuple(self._ids().values()), packed, rest, self._report)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return (self._ids(), self._data) == (other._ids(), other._data)

    __hash__ = None  # type: ignore[assignment]  # its data can change

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._ids().items())
        return f"<ExecutionContext {shown}, depth={self._operation_depth}>"


def _is_live(value: Any) -> bool:
    """True for machinery, and for objects of which the walk keeps public fields at most."""
    return value is not None and type(value) is not bool and classify(type(value)).kind in _NOT_DATA


def _entries(data: Any) -> dict[Any, Any]:
    if not inherits(type(data), dict):
        raise PolicyError("data is a dict")
    return dict(dict.items(data))


_PICKLED: Final = ("_created_at", "_operation", "_operation_depth", "_parent_request_id", "_report")


def _restored(
    cls: type[ExecutionContext], given: tuple[str, ...], packed: bytes, rest: Any, report: Report
) -> ExecutionContext:
    made = cls(*given, data=_core.unpackb(packed))
    for name, value in zip(_PICKLED, (*rest, report), strict=True):
        setattr(made, name, value)
    return made


register(Live, kind=Kind.CONTEXT)
register(ExecutionContext, extract=ExecutionContext._parts)  # noqa: SLF001 - its own room

__all__ = ["DEEPEST", "ExecutionContext", "Live"]
