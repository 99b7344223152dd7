"""Seventeen scenes of an agent platform, each with what must come of it, by the original chain and by siftpack."""

import asyncio
import contextvars
import sys
import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple
from unittest.mock import MagicMock

import siftpack
from siftpack.agents import ExecutionContext, execute_agent_pipeline_sync
from siftpack.cache import Cache
from siftpack.cli.original import OriginalCache, child
from siftpack.testing import same

ANSWER_SHOWN = 60
"""Characters of an answer that the table shows."""
KEPT_FOR = 60
"""Seconds after which a store forgets the demo's keys by itself."""


class Engine:
    """Passed around as a class and as an object."""

    def execute(self, context: Any, input_data: Any) -> Any:
        """Never called here."""


class Failure(Exception):  # noqa: N818 - a class that contexts name
    """An exception class in a context."""


class User:
    """A user's context, with a weak reference in it."""

    def __init__(self) -> None:
        self.user_id, self.thread_id, self.run_id, self.request_id = "ada", "t", "r", "q"
        self.data: dict[str, Any] = {"query": "why", "engine": Engine, "runtime": sys}
        self.session = weakref.ref(Engine)


@dataclass
class State:
    """A dataclass whose metadata is not all data."""

    request: str
    metadata: dict[str, Any] = field(default_factory=dict)


USER = {"user_id": "ada", "thread_id": "t", "run_id": "r", "request_id": "q", "data": {"query": "why"}}
DATA = {"name": "Ada", "limits": [10, 20.5]}
REPORT = {"status": "completed", "report_data": {"cpu_usage": [45.2], "recommendations": ["scale"]}}
SAVINGS = {"optimizations": [{"target": "db"}], "confidence_score": 0.92}
ENTRY = {"result": REPORT, "cached_at": "2025-09-01T12:00:00+00:00", "ttl": 3600}


class Scene(NamedTuple):
    """Something to copy or to keep, and what must come back."""

    name: str
    value: Any
    expected: Any
    copied: bool = False
    """A context that is copied for a child; else it is kept and read back."""


def scenes() -> list[Scene]:
    """All of them, made anew."""
    itself: dict[str, Any] = {"data": [1], "system": sys, "engine": Engine}
    itself["itself"] = itself
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    mixed = {"user_data": DATA, "agent": MagicMock(), "engine": Engine, "system": sys, "loop": asyncio}
    dirty = {"agent": MagicMock(), "on_done": lambda value: value, "retry_on": Failure, "lock": threading.Lock()}
    return [
        Scene("context with mock, class, modules", mixed, {"user_data": DATA}, copied=True),
        Scene(
            "dataclass with class, module, lambda",
            State("optimize", {"engine": Engine, "sys": sys, "score": lambda: 0, "tries": 2}),
            {"request": "optimize", "metadata": {"tries": 2}},
            copied=True,
        ),
        Scene("clean context", {"user_data": DATA, "at": (1, 2)}, {"user_data": DATA, "at": (1, 2)}, copied=True),
        Scene("user context with a weak reference", User(), USER, copied=True),
        Scene("the same, kept", User(), USER),
        Scene(
            "state: context, engine, module, registry",
            {"context": User(), "engine": Engine, "module": sys, "registry": MagicMock(), "input": DATA},
            {"context": USER, "input": DATA},
        ),
        Scene("whole pipeline context", {**mixed, "user": User(), **dirty}, {"user_data": DATA, "user": USER}),
        Scene("reporting result, contaminated", {**REPORT, **dirty}, REPORT),
        Scene(
            "optimization result, modules in a list", {**SAVINGS, "by": ["a", sys, "b"]}, {**SAVINGS, "by": ["a", "b"]}
        ),
        Scene(
            "clean result with tuples and sets", {**REPORT, "pairs": {(1, 2): {3}}}, {**REPORT, "pairs": {(1, 2): {3}}}
        ),
        Scene("entry with time and ttl", {**ENTRY, "agent": MagicMock()}, ENTRY),
        Scene("contaminated value", mixed, {"user_data": DATA}),
        Scene("entry of one user and run", {"of": "ada", "run": "r", "engine": Engine()}, {"of": "ada", "run": "r"}),
        Scene("a tuple stays a tuple", {"at": ("eu", 1)}, {"at": ("eu", 1)}),
        Scene("dict that holds itself, a module, a class", itself, {"data": [1]}),
        Scene("set beside a local lambda", {"seen": {1, 2}, "f": lambda: None}, {"seen": {1, 2}}),
        Scene(
            "result of two agents, executor, mocks",
            {"results": [REPORT, SAVINGS], "executor": Engine, "mocks": [MagicMock(), variable]},
            {"results": [REPORT, SAVINGS], "mocks": []},
        ),
    ]


class Outcome(NamedTuple):
    """What came of one scene."""

    name: str
    before: str
    after: str

    @property
    def held_before(self) -> bool:
        """True if the original gave what it should."""
        return self.before == "exact"

    @property
    def holds(self) -> bool:
        """True if siftpack gives what it should."""
        return self.after == "exact"


def outcomes(cache: Cache | None = None) -> list[Outcome]:
    """Every scene, through the chain and through siftpack, with a cache in memory if none is given."""
    ours = partial(_ours, Cache() if cache is None else cache)
    return [Outcome(each.name, _answer(_original, each), _answer(ours, each)) for each in scenes()]


def _original(scene: Scene) -> Any:
    if scene.copied:
        return child(scene.value)
    cache = OriginalCache()
    cache.set("k", scene.value)
    return cache.get("k")


def _ours(cache: Cache, scene: Scene) -> Any:
    if scene.copied:
        return siftpack.sanitize(scene.value)
    user = cache.for_user("ada")
    user.set("k", scene.value)
    return user.get("k")


def _answer(through: Callable[[Scene], Any], scene: Scene) -> str:
    try:
        found = through(scene)
    except Exception as refused:  # noqa: BLE001 - whatever is raised is what is shown
        return f"{type(refused).__name__}: {refused}"[:ANSWER_SHOWN]
    if type(found) is str:
        return "a str, its repr"
    if type(found) is type(scene.value) and type(found) is not dict:
        return "an object, live things and all"
    return "exact" if same(found, scene.expected) else "something else"


class Runs(NamedTuple):
    """What came of the same questions asked again and again."""

    questions: int
    answered: int
    """Runs that gave what the agent says to this user and this question."""
    calls: int
    """Times that the agent ran."""
    hits: int


QUESTIONS, DIFFERENT = 12, 3
"""Questions that each user asks, and how many of them are different."""


def _said(user: str, question: int) -> dict[str, Any]:
    return {"report_data": REPORT["report_data"], "asked": question, "for": user}


def _agent(calls: list[Any], user: str) -> Callable[[Any, Any], Any]:
    tool = MagicMock()

    def agent(context: Any, question: int) -> dict[str, Any]:  # noqa: ARG001 - what agents are called with
        calls.append(question)
        return {"status": "completed", **_said(user, question), "engine": Engine, "tool": tool, "done": lambda: None}

    return agent


def _asked(users: Sequence[str]) -> list[tuple[str, int]]:
    return [(user, number % DIFFERENT) for number in range(QUESTIONS) for user in users]


def runs_before(users: Sequence[str] = ("ada",)) -> Runs:
    """Copy the context, look into the cache, run, keep: as the original did."""
    calls: list[Any] = []
    agents, cache = {user: _agent(calls, user) for user in users}, OriginalCache()
    answered = hits = 0
    for user, question in _asked(users):
        key, context = f"{user}:{question}", {"user": user, "query": question}
        found = cache.get(key)
        hits += isinstance(found, dict)
        if not isinstance(found, dict):
            found = agents[user](child(context), question)
            cache.set(key, found)
        answered += _said(user, question).items() <= found.items()
    return Runs(QUESTIONS * len(users), answered, len(calls), hits)


def runs_after(users: Sequence[str] = ("ada",), cache: Cache | None = None) -> Runs:
    """The same through ``execute_agent_pipeline_sync``, with a cache in memory if none is given."""
    calls: list[Any] = []
    agents = {user: _agent(calls, user) for user in users}
    used = Cache() if cache is None else cache
    answered = hits = 0
    for user, question in _asked(users):
        # One name for all: nothing but the partition keeps the answer to one user from another.
        options: dict[str, Any] = {"cache": used, "ttl": KEPT_FOR, "agent_name": "reporting"}
        made = execute_agent_pipeline_sync(agents[user], ExecutionContext(user), question, **options)
        hits += made.cached
        answered += made.ok and made.result_data == _said(user, question)
    return Runs(QUESTIONS * len(users), answered, len(calls), hits)
