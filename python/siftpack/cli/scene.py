"""An agent context as pipelines really hold them: data, and live objects beside it."""

import datetime as dt
import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from unittest.mock import MagicMock
from zoneinfo import ZoneInfo

from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from langsmith import tracing_context

API_KEY = "demo-key-5f1c9a2e7b40"
"""What must not be in any output."""


class Session:
    """Something a context points at without owning it."""


class ReportEngine:
    """Passed around as a class."""


class ReportAgent:
    """Known as an agent by its ``run``."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def run(self, question: str) -> str:
        """Never called here."""
        return question


class OrdersClient:
    """A client object that carries its key."""

    def __init__(self) -> None:
        self.base_url = "https://orders.example.com"
        self.api_key = API_KEY
        self.retries = 3
        self._cache: dict[str, bytes] = {}


@dataclass
class UserContext:
    """A record: its fields are data, but for the weak reference in one of them."""

    user_id: int
    name: str
    balance: Decimal
    scopes: set[str]
    joined: dt.datetime
    session: "weakref.ref[Session]"
    tags: tuple[str, ...] = ()
    on_change: Callable[..., Any] = field(default=print)


def conversation() -> dict[str, Any]:
    """A LangGraph run with a fake chat model: the compiled graph, the model, and the messages it made."""
    model = FakeListChatModel(responses=["Order A-17 ships tomorrow."])

    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [model.invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    compiled = graph.compile()
    with tracing_context(enabled=False):
        state = compiled.invoke({"messages": [HumanMessage("Where is my order?")]})
    return {"graph": compiled, "model": model, "messages": state["messages"]}


def context() -> dict[str, Any]:
    """The whole scene, made anew."""
    session = Session()
    return {
        "user": UserContext(
            user_id=7,
            name="Ada",
            balance=Decimal("12.50"),
            scopes={"orders:read", "reports:read"},
            joined=dt.datetime(2024, 5, 1, 9, 30, tzinfo=dt.UTC),
            session=weakref.ref(session),
            tags=("beta", "eu"),
        ),
        "question": "Where is my order?",
        "metrics": {"latency_ms": [12.5, 9.75], "calls": {("orders", "GET"): 3, ("orders", "POST"): 1}},
        "due": dt.datetime(2024, 5, 2, 18, 0, tzinfo=ZoneInfo("Europe/Paris")),
        "window": dt.timedelta(minutes=5),
        "session": session,
        "engine_class": ReportEngine,
        "agent": ReportAgent(),
        "on_done": lambda result: result,
        "show": print,
        "runtime": sys,
        "mock": MagicMock(name="tool"),
        "client": OrdersClient(),
        **conversation(),
    }
