"""The agent frameworks that are known, one file each: how their results are read, and how their agents are called.

An adapter is loaded when the program has imported its framework, and recognises the framework's classes by identity.
Each has ``read(result)``, which gives a ``Found`` or None, and ``call(agent, context, input_data)``, which gives a
``Call`` or None.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from siftpack.agents.found import Found
from siftpack.agents.frameworks.call import Call

ROOTS: Final = {
    "langchain_core": "langchain",
    "agents.result": "openai_agents",
    "pydantic_ai": "pydantic_ai",
    "openai": "openai",
    "crewai": "crewai",
    "autogen_agentchat": "autogen",
    "llama_index.core": "llama_index",
    "google.adk": "google_adk",
    "smolagents": "smolagents",
}
"""A module that a framework's program has imported, and the adapter's file."""


def read(result: Any) -> Found | None:
    """What a known framework's result holds, None for a result of nobody known."""
    for adapter in _loaded():
        found: Found | None = adapter.read(result)
        if found is not None:
            return found
    return None


def call(agent: Any, context: Any, input_data: Any) -> Call | None:
    """What runs a known framework's agent as that framework does, None for an agent of nobody known."""
    for adapter in _loaded():
        run: Call | None = adapter.call(agent, context, input_data)
        if run is not None:
            return run
    return None


def _loaded() -> Iterator[ModuleType]:
    for root, name in ROOTS.items():
        if root in sys.modules:
            yield import_module(f"siftpack.agents.frameworks.{name}")
