"""An agent platform as it holds its state: user contexts with live objects, engines, registries, and business data."""

import asyncio
import dataclasses
import datetime as dt
import sys
import weakref
from typing import Any
from unittest.mock import MagicMock

IDS = ("user_id", "thread_id", "run_id", "request_id")


class Session:
    """What a context refers to weakly."""


class ExecutionEngine:
    """An engine, passed around as a class and as an object."""

    def __init__(self) -> None:
        self.name = "engine"

    async def execute(self, context: Any, input_data: Any) -> Any:
        """Never called here."""
        return input_data


class EngineError(Exception):
    """An exception class, which contexts name in their retry rules."""


class UserContext:
    """A user's execution context: four ids, data, and a weak reference to the session."""

    def __init__(self, user: str, session: Session) -> None:
        self.user_id = user
        self.thread_id = f"thread-{user}"
        self.run_id = f"run-{user}"
        self.request_id = f"request-{user}"
        self.created_at = dt.datetime(2025, 9, 1, 12, tzinfo=dt.UTC)
        self.agent_context: dict[str, Any] = {
            "query": f"costs of {user}",
            "engine_class": ExecutionEngine,
            "runtime": sys,
        }
        self.session = weakref.ref(session)


@dataclasses.dataclass
class AgentState:
    """A dataclass whose metadata holds what is no data."""

    user_request: str
    step_count: int = 0
    metadata: dict[str, Any] = dataclasses.field(default_factory=dict)


SESSION = Session()
USER_DATA = {"name": "Ada", "query": "Where do the costs come from?", "limits": [10, 20.5], "active": True}
REPORT_DATA = {
    "cpu_usage": [45.2, 67.8, 89.1],
    "memory_usage": [2.1, 3.4, 2.8],
    "recommendations": ["Scale up during peaks", "Review caching"],
}
SAVINGS = {
    "optimizations": [{"target": "database", "saving": 0.25}, {"target": "cache", "saving": 0.1}],
    "estimated_savings": {"monthly": 1250.0, "currency": "EUR"},
    "confidence_score": 0.92,
}


def user_context(user: str = "ada") -> UserContext:
    """The context of one user."""
    return UserContext(user, SESSION)


def agent_context() -> dict[str, Any]:
    """A context with data and four things that are none."""
    return {
        "user_data": dict(USER_DATA),
        "agent": MagicMock(name="agent"),
        "engine_class": ExecutionEngine,
        "system": sys,
        "loop_module": asyncio,
    }


MACHINERY_OF_THE_CONTEXT = {"$.agent", "$.engine_class", "$.system", "$.loop_module"}
