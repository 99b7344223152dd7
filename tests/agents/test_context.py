"""``ExecutionContext``: isolated data, shared dependencies, ids that are checked."""

import asyncio
import collections
import contextvars
import copy
import dataclasses
import datetime as dt
import gc
import json
import pickle
import sqlite3
import sys
import threading
import timeit
import uuid
import weakref
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import pytest

import siftpack
from siftpack import PolicyError, reference
from siftpack.agents import ExecutionContext
from siftpack.cache import Cache
from siftpack.policy import Kind
from tests.named import named

IDS = ("user_id", "thread_id", "run_id", "request_id")


class Owner:
    """Something to refer to weakly."""


class Hostile:
    """Whose every door runs code."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)

    def __repr__(self) -> str:
        raise AssertionError

    def __deepcopy__(self, memo: Any) -> Any:
        raise AssertionError


OWNER = Owner()


def machinery() -> dict[str, Any]:
    """What contexts hold in practice and no serializer takes."""
    return {
        "weak": weakref.ref(OWNER),
        "module": sys,
        "variable": contextvars.ContextVar("variable"),
        "session": sqlite3.connect(":memory:"),
        "lock": threading.RLock(),
        "mock": MagicMock(),
        "cls": Owner,
        "callback": lambda: None,
        "hostile": Hostile(),
    }


def context(**data: Any) -> ExecutionContext:
    return ExecutionContext("ada", "t-1", "r-1", "q-1", data=data)


def test_the_ids_are_what_was_given() -> None:
    """Ids come back as given, and the context is at the root."""
    made = context(question="why")
    assert [getattr(made, name) for name in IDS] == ["ada", "t-1", "r-1", "q-1"]
    assert (made.operation_depth, made.parent_request_id, made.operation) == (0, None, None)
    assert made.created_at.tzinfo is dt.UTC
    assert made.report.clean


def test_ids_that_are_missing_are_made() -> None:
    """Only the user has to be named; no two contexts get the same ids."""
    one, other = ExecutionContext("ada"), ExecutionContext("ada")
    made = [getattr(each, name) for each in (one, other) for name in IDS[1:]]
    assert len(set(made)) == 6
    assert all(made)


@pytest.mark.parametrize("name", IDS)
@pytest.mark.parametrize("wrong", ["", "  ", 7, b"ada", "a\nb", "x" * 257, MagicMock()], ids=named)
def test_ids_are_checked(name: str, wrong: Any) -> None:
    """Empty, blank, unprintable, overlong ids and ids of other types are refused by name."""
    with pytest.raises(PolicyError, match=name):
        ExecutionContext(**{"user_id": "ada", name: wrong})


@pytest.mark.parametrize("name", [*IDS, "data", "live", "created_at", "operation_depth", "report"])
def test_nothing_but_the_data_can_be_changed(name: str) -> None:
    """Ids, times and dependencies are fixed, and no attribute can be added."""
    made = context()
    with pytest.raises(AttributeError):
        setattr(made, name, "other")
    with pytest.raises(AttributeError):
        made.more = 1  # type: ignore[attr-defined]


def test_there_are_no_subclasses() -> None:
    """Attributes of a subclass would be shared or lost in a child, so there is none."""
    with pytest.raises(TypeError, match="live"):
        type("Own", (ExecutionContext,), {})


def test_data_of_another_kind_is_refused() -> None:
    """What is no dict is no data."""
    for wrong in ([], "data", 1, MagicMock()):
        with pytest.raises(PolicyError, match="data is a dict"):
            ExecutionContext("ada", data=wrong)


def test_two_users_never_share_what_can_be_changed() -> None:
    """Contexts made from one dict have lists and dicts of their own, and leave the original as it was."""
    given = {"history": [{"role": "user"}]}
    one, other = ExecutionContext("ada", data=given), ExecutionContext("bob", data=given)
    one.data["history"][0]["role"] = "changed"
    one.data["history"].append(1)
    assert other.data == given == {"history": [{"role": "user"}]}


def test_machinery_in_the_data_is_left_out_and_named() -> None:
    """Each entry that is no data is missing, reported with its path, and what stood beside it is there."""
    made = context(question="why", deep=[{"fine": 1, "lock": threading.Lock()}], **machinery())
    assert made.data == {"question": "why", "deep": [{"fine": 1}]}
    assert {finding.path for finding in made.report} == {
        "$.data.deep[0].lock",
        *(f"$.data.{name}" for name in machinery()),
    }


def test_a_child_is_isolated_and_keeps_the_run() -> None:
    """A child has the ids of the run, a request of its own, a copy of the data, and the very same dependencies."""
    client = object()
    parent = ExecutionContext("ada", "t-1", "r-1", "q-1", data={"notes": [1]}, live={"client": client})
    child = parent.child("summarise", data={"more": (2,)})
    assert (child.user_id, child.thread_id, child.run_id) == ("ada", "t-1", "r-1")
    assert child.request_id != parent.request_id
    assert (child.parent_request_id, child.operation, child.operation_depth) == ("q-1", "summarise", 1)
    assert child.data == {"notes": [1], "more": (2,)}
    assert child.live["client"] is client
    child.data["notes"].append(2)
    assert parent.data == {"notes": [1]}
    assert child.created_at >= parent.created_at


def test_machinery_that_got_into_the_data_later_does_not_raise() -> None:
    """What is put into a context's data after it was made is left out of a child, and the child's report names it."""
    parent = context(fine=1, first=print)
    parent.data.update(machinery())
    child = parent.child("step")
    assert child.data == {"fine": 1}
    assert {finding.path for finding in child.report} == {"$.data.first", *(f"$.data.{name}" for name in machinery())}
    assert child.report.counts[Kind.FUNCTION] == 2
    assert len(child.child("next").report) == len(child.report)


def test_operations_nest_ten_deep() -> None:
    """The eleventh operation inside one another is refused: agents that call agents come to an end."""
    made = context()
    for depth in range(1, 11):
        made = made.child("step")
        assert made.operation_depth == depth
    with pytest.raises(PolicyError, match="10"):
        made.child("step")


@pytest.mark.parametrize("wrong", ["", None, 3])
def test_an_operation_has_a_name(wrong: Any) -> None:
    """A child is made for something that has a name."""
    with pytest.raises(PolicyError, match="operation"):
        context().child(wrong)


def test_a_snapshot_is_the_clean_form() -> None:
    """The four ids and the data, isolated, whatever was put into it."""
    made = ExecutionContext("ada", "t-1", "r-1", "q-1", data={"rows": [1]}, live=machinery())
    made.data.update(machinery())
    shot = made.snapshot()
    assert shot == {"user_id": "ada", "thread_id": "t-1", "run_id": "r-1", "request_id": "q-1", "data": {"rows": [1]}}
    shot["data"]["rows"].append(2)
    assert made.data["rows"] == [1]
    assert json.loads(json.dumps(made.snapshot())) == made.snapshot()


def test_a_pickle_is_the_clean_form() -> None:
    """A context holding machinery in data and dependencies pickles; what comes back has neither, and equal data."""
    parent = ExecutionContext("ada", "t-1", "r-1", "q-1", data={"rows": [1], "f": print}, live=machinery())
    made = parent.child("step")
    made.data.update(machinery())
    back = pickle.loads(pickle.dumps(made))
    assert type(back) is ExecutionContext
    assert back.snapshot() == made.snapshot()
    assert (back.created_at, back.operation, back.operation_depth) == (made.created_at, "step", 1)
    assert back.parent_request_id == "q-1"
    assert [finding.path for finding in back.report] == ["$.data.f"]
    assert len(back.live) == 0


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_a_copy_is_isolated_and_works_on(copied: Any) -> None:
    """A copy has data of its own and the same dependencies and ids; machinery is no obstacle."""
    made = ExecutionContext("ada", data={"rows": [1]}, live=machinery())
    made.data.update(machinery())
    twin = copied(made)
    assert twin.data == {"rows": [1]}
    assert twin.request_id == made.request_id
    assert twin.live["module"] is sys
    twin.data["rows"].append(2)
    assert made.data["rows"] == [1]
    assert twin != made
    assert made.child("a") != made


@pytest.mark.parametrize("subject", [siftpack, reference], ids=["core", "reference"])
def test_what_is_written_of_a_context(subject: Any) -> None:
    """The four ids and the data; machinery in it and the dependencies as a whole are findings with their paths."""
    made = ExecutionContext("ada", "t", "r", "q", data={"n": 1}, live={"client": MagicMock(api_key="sk-in-live")})
    made.data["module"] = sys
    assert subject.sanitize([made]) == [
        {"user_id": "ada", "thread_id": "t", "run_id": "r", "request_id": "q", "data": {"n": 1}}
    ]
    found = [(finding.path, finding.kind) for finding in subject.inspect([made])]
    assert found == [("$[0].data.module", Kind.MODULE), ("$[0].live", Kind.CONTEXT)]
    assert b"sk-in-live" not in subject.packb(made)


def test_a_context_can_be_cached() -> None:
    """A context full of machinery is stored, and its ids and data come back."""
    with Cache() as cache:
        user = cache.for_user("ada")
        made = ExecutionContext("ada", data={"rows": [1]}, live=machinery())
        made.data.update(machinery())
        assert user.set("context", made)
        assert user.get("context") == made.snapshot()


def test_listed_classes_stay_themselves() -> None:
    """Instances of classes given as ``types`` are copied as such in every child; their pickle is a dict."""

    @dataclasses.dataclass
    class Order:
        number: int
        on_change: Any = None

    made = ExecutionContext("ada", data={"order": Order(7, print)}, types=(Order,))
    child = made.child("step")
    assert type(child.data["order"]) is Order
    assert child.data["order"].number == 7
    assert child.data["order"] is not made.data["order"]
    assert pickle.loads(pickle.dumps(child)).data == {"order": {"number": 7, "on_change": None}}


def test_repr_shows_ids_and_no_data() -> None:
    """The repr names the run; data and dependencies are not in it."""
    made = ExecutionContext("ada", data={"secret": "hunter2"}, live={"client": Hostile()})
    assert "hunter2" not in repr(made)
    assert "ada" in repr(made)
    assert repr(made.live) == "<Live: client>"


def test_dependencies_are_a_mapping() -> None:
    """Dependencies are looked up by name, listed, and compared by identity alone."""
    made = ExecutionContext("ada", live={"a": 1, "b": Hostile()})
    assert (list(made.live), len(made.live), made.live["a"], made.live.get("c")) == (["a", "b"], 2, 1, None)
    assert made.live == made.child("x").live
    assert made.live != ExecutionContext("ada", live={"a": 1}).live
    with pytest.raises(TypeError):
        made.live["a"] = 2  # type: ignore[index]


REQUEST = uuid.UUID(int=5)


@dataclasses.dataclass
class UsersOwn:
    """A context as applications have them."""

    user_id: str
    thread_id: str
    run_id: str
    request: "weakref.ref[Owner]"
    session: Any
    on_done: Any
    agent_context: dict[str, Any]
    request_id: uuid.UUID = REQUEST
    websocket_client: Any = None


def test_a_dataclass_of_the_user_gives_ids_and_clean_data() -> None:
    """Ids are read from its fields, the rest is data, and what is no data is at hand in ``live``."""
    session = sqlite3.connect(":memory:")
    own = UsersOwn("ada", "t-9", "r-9", weakref.ref(OWNER), session, print, {"question": "why", "engine": Owner})
    made = ExecutionContext.of(own)
    assert [getattr(made, name) for name in IDS] == ["ada", "t-9", "r-9", str(REQUEST)]
    assert made.data == {"agent_context": {"question": "why"}, "websocket_client": None}
    assert made.live["session"] is session
    assert set(made.live) == {"request", "session", "on_done"}
    assert {finding.path for finding in made.report} == {
        "$.data.request",
        "$.data.session",
        "$.data.on_done",
        "$.data.agent_context.engine",
    }
    made.data["agent_context"]["question"] = "changed"
    assert own.agent_context["question"] == "why"


def test_contexts_of_other_shapes() -> None:
    """Dicts, namedtuples, slotted and plain objects give the same, under the names that ``names`` says."""

    class Plain:
        def __init__(self) -> None:
            self.uid, self.note = 7, "n"

        @property
        def user_id(self) -> str:
            raise AssertionError

    class Slotted:
        __slots__ = ("note", "uid")

        def __init__(self) -> None:
            self.uid, self.note = 7, "n"

    Pair = collections.namedtuple("Pair", "uid note")
    for source in (Plain(), Slotted(), Pair(7, "n"), {"uid": 7, "note": "n"}):
        made = ExecutionContext.of(source, names={"user_id": "uid"}, live={"db": 1})
        assert (made.user_id, made.data, made.live["db"]) == ("7", {"note": "n"}, 1)


def test_a_pydantic_context() -> None:
    """A model gives its fields and its extra ones, but none that it excludes."""
    import pydantic

    class Model(pydantic.BaseModel, extra="allow", arbitrary_types_allowed=True):
        user_id: str
        hidden: str = pydantic.Field("h", exclude=True)
        client: Any = None

    made = ExecutionContext.of(Model(user_id="ada", client=Owner, more=[1]))
    assert made.data == {"more": [1]}
    assert made.live["client"] is Owner


def test_what_a_context_of_the_users_keeps_secret() -> None:
    """A field of an object that holds a secret by its name is masked in the data, reported, and at hand in ``live``."""

    @dataclasses.dataclass
    class Keyed:
        user_id: str
        api_key: str | None = "sk-in-a-field"

    own = Keyed("ada")
    own.added = {1: "undeclared"}  # type: ignore[attr-defined]
    made = ExecutionContext.of(own)
    assert made.data["added"] == {1: "undeclared"}
    assert "sk-in-a-field" not in str(made.snapshot())
    assert made.live["api_key"] == "sk-in-a-field"
    assert [(finding.path, finding.kind) for finding in made.report] == [("$.data.api_key", Kind.SECRET)]
    assert ExecutionContext.of(Keyed("ada", None)).data == {"api_key": None}
    given = {"user_id": "ada", "api_key": "put there on purpose", 7: "any key"}
    assert ExecutionContext.of(given).data == {"api_key": "put there on purpose", 7: "any key"}


def test_a_source_without_a_user_is_refused() -> None:
    """Without a user id there is no context, and the error says how to name the field."""
    for source in ({}, Owner(), 3, None, MagicMock(user_id="u")):
        with pytest.raises(PolicyError, match="user"):
            ExecutionContext.of(source)
    with pytest.raises(PolicyError, match="uid"):
        ExecutionContext.of({"user_id": "u"}, names={"uid": "user_id"})


def test_a_context_is_its_own() -> None:
    """``of`` a context is that context."""
    made = context()
    assert ExecutionContext.of(made) is made


def test_many_tasks_have_children_of_their_own() -> None:
    """Tasks at once, each changing what its child holds, see nothing of one another."""
    parent = context(items=[])

    async def work(number: int) -> list[int]:
        child = parent.child("work")
        for _ in range(5):
            child.data["items"].append(number)
            await asyncio.sleep(0)
        return child.data["items"]

    async def run() -> list[list[int]]:
        return await asyncio.gather(*(work(number) for number in range(50)))

    assert asyncio.run(run()) == [[number] * 5 for number in range(50)]
    assert parent.data == {"items": []}


def ways() -> dict[str, Callable[[], object]]:
    """Every way to make a context, and to copy one that holds rows and, among them, machinery."""
    rows: list[Any] = [{"n": n, "text": "t" * 20} for n in range(50)]
    given, live = {"rows": rows, "module": sys}, machinery()
    made = ExecutionContext("ada", data=given, live=live)
    made.data["module"] = sys
    own = UsersOwn("ada", "t", "r", weakref.ref(OWNER), None, print, given)
    pickled = pickle.dumps(made)
    return {
        "construction": lambda: ExecutionContext("ada", data=given, live=live),
        "of": lambda: ExecutionContext.of(own),
        "child": lambda: made.child("step"),
        "copy": lambda: copy.copy(made),
        "deepcopy": lambda: copy.deepcopy(made),
        "snapshot": made.snapshot,
        "pickle": lambda: pickle.dumps(made),
        "unpickle": lambda: pickle.loads(pickled),
    }


def fastest(way: Callable[[], object]) -> float:
    """Seconds of one call, the best of many, with the garbage collector at work as in any program."""
    return min(timeit.repeat(way, gc.enable, number=1, repeat=300))


@pytest.mark.alone
def test_no_context_costs_more_whatever_else_is_alive() -> None:
    """With a million live objects each way takes what it takes with ten thousand; the bound is twice."""
    every = ways()
    heap: list[Any] = [[] for _ in range(10_000)]
    gc.collect()
    small = {name: fastest(way) for name, way in every.items()}
    heap.extend([] for _ in range(990_000))
    gc.collect()
    assert len(gc.get_objects()) > 1_000_000
    large = {name: fastest(way) for name, way in every.items()}
    del heap
    slower = {name: (round(small[name] * 1e6), round(large[name] * 1e6)) for name in every}
    assert {name: took for name, took in slower.items() if large[name] >= 2 * small[name]} == {}
