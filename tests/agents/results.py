"""Results as agents return them, clean and with everything that stands in the way."""

import dataclasses
import sys
import threading
import weakref
from typing import Any
from unittest.mock import MagicMock

KEY = "sk-proj-4f9a8b7c6d5e4f3a2b1c0d9e8f7a6b5c"
"""What must be in no output."""

REPORTING: dict[str, Any] = {
    "report": "Utilisation is high.",
    "report_data": {"cpu_usage": [71.5, 88.0], "memory_usage": [0.5], "by_host": {("eu", 1): 3}},
    "sections": [{"title": "Summary", "body": "…"}],
    "next_steps": ["scale"],
    "recommendations": ["add a node", "cache more"],
    "metrics": {"tokens": 12, "latency_ms": 9.75},
}
OPTIMIZATION: dict[str, Any] = {
    "optimizations": [{"target": "db", "gain": 0.25}],
    "estimated_savings": 1250.5,
    "cost_savings": {"monthly": 100},
    "cost_analysis": {"before": 10, "after": 7},
    "performance_gain": "25%",
    "performance_improvement": 0.25,
    "confidence_score": 0.93,
}


class Client:
    """A client with a key."""

    def __init__(self) -> None:
        self.base_url = "https://example.com"
        self.api_key = KEY
        self._secret_key = KEY


class Agent:
    """An agent with its client."""

    def __init__(self) -> None:
        self.client = Client()
        self.lock = threading.Lock()

    def run(self) -> None: ...


OWNER = Agent()


def machinery() -> dict[str, Any]:
    """What results hold beside their data."""
    return {
        "agent": OWNER,
        "weak": weakref.ref(OWNER),
        "module": sys,
        "cls": Agent,
        "callback": lambda: None,
        "tool": MagicMock(name="tool"),
        "lock": threading.RLock(),
    }


@dataclasses.dataclass
class Usage:
    """Usage as frameworks count it."""

    prompt_tokens: int = 11
    completion_tokens: int = 7
    total_tokens: int = 18


class Message:
    """A message of a framework nobody wrote an adapter for: its text is in underscore fields of a plain class."""

    def __init__(self, words: str) -> None:
        self._role = "assistant"
        self._content = [{"text": words}]
        self._meta = {"finish": "stop"}


class Answer:
    """Its result: nothing public but a client."""

    def __init__(self, words: str) -> None:
        self._messages = [Message(words)]
        self._answer = words
        self._usage = Usage()
        self._agent = OWNER
        self._api_key = KEY
        self.client = Client()
        self._back = weakref.ref(self)
        self._itself = self
