"""Data with live machinery beside it, as agent pipelines leave it in their contexts and results."""

import sys
import weakref
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import MagicMock

from siftpack.cli.bench import clean


class ExecutionEngine:
    """A class somebody put into a context instead of its name."""

    retries = 3


class LLMClient:
    """A client that holds its key."""

    def __init__(self, api_key: str) -> None:
        self.api_key = api_key
        self.timeout = 30.0
        self.model = "small-2026-01"


class ReportAgent:
    """An agent: told by its ``run``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.client = LLMClient("sk-not-a-real-key")
        self.tools = {"print": print}

    def run(self, question: str) -> str:
        """Answer."""
        return f"{self.name}: {question}"


@dataclass
class UserContext:
    """Ids, and a weak reference to whoever made it."""

    user_id: str
    thread_id: str
    run_id: str
    request_id: str
    owner: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)


_OWNER = ReportAgent("owner")
"""Kept alive, so that the weak references to it stay the same."""


def context() -> dict[str, Any]:
    """A context in which everything that usually goes wrong is present once."""
    user = UserContext("user-1", "thread-1", "run-1", "request-1", weakref.ref(_OWNER), {"plan": "enterprise"})
    return {
        "user_context": user,
        "engine_class": ExecutionEngine,
        "agent": _OWNER,
        "on_done": lambda result: result,
        "log": print,
        "runtime": sys,
        "registry": MagicMock(name="registry"),
        "client": LLMClient("sk-not-a-real-key"),
        "input_data": {"request": "optimise costs", "priority": 1, "regions": ["eu-west-1", "us-east-2"]},
        "status": "in_progress",
    }


def chat_run() -> dict[str, Any]:
    """The chat run with an agent, a function and a class in every message."""
    run = clean.chat_run()
    for message in run["messages"]:
        message["agent"] = _OWNER
        message["callback"] = lambda value: value
        message["handler"] = ExecutionEngine
    return run


def one_leaf(rows: int = 16_000) -> dict[str, Any]:
    """About 130 000 values with one function among them."""
    found = clean.metric_rows(rows)
    found[rows // 2]["note"] = print
    return {"rows": found}
