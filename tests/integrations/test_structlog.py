"""The processor for structlog: event dicts that every renderer can write, whatever was put into them."""

import json
import subprocess
import sys
import threading
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from siftpack import Limits, Policy
from siftpack.integrations.structlog import Sift


class Session:
    """An object with a key in it."""

    def __init__(self) -> None:
        self.api_key = "hushhush"
        self.user = 5


def logged(*processors: Any, **values: Any) -> dict[str, Any]:
    """What a logger with these processors and JSON writes."""
    lines: list[str] = []

    class Lines:
        def info(self, line: str) -> None:
            lines.append(line)

    chain = [*processors, structlog.processors.JSONRenderer()]
    structlog.wrap_logger(Lines(), processors=chain, wrapper_class=structlog.BoundLogger).info("told", **values)
    found: dict[str, Any] = json.loads(lines[0])
    return found


def test_values_become_data() -> None:
    """Data stays, machinery becomes a name, secrets a mask; an error becomes its type and message."""
    found = logged(
        Sift(),
        n=1,
        rows=[(1, 2)],
        lock=threading.Lock(),
        session=Session(),
        token=SecretStr("hushhush"),
        password="hushhush",
        error=ValueError("wrong"),
    )
    assert found == {
        "event": "told",
        "n": 1,
        "rows": [[1, 2]],
        "lock": "<sync _thread.lock>",
        "session": {"api_key": "<secret str>", "user": 5},
        "password": "<secret str>",
        "token": "<secret pydantic.types.SecretStr>",
        "error": {"type": "ValueError", "message": "wrong", "args": ["wrong"]},
    }


def test_what_later_processors_need_stays() -> None:
    """The error that ``format_exc_info`` renders is still there when its turn comes."""
    try:
        int("wrong")
    except ValueError:
        found = logged(Sift(), structlog.processors.format_exc_info, exc_info=True)
    assert found["exception"].endswith("literal for int() with base 10: 'wrong'")
    kept = Sift(kept=("raw",))(None, "info", {"event": "told", "raw": print, "other": print})
    assert kept["raw"] is print
    assert kept["other"] == "<function print>"


def test_nothing_of_the_values_runs() -> None:
    """No ``repr``, property or iterator of a value is called, and a generator is not consumed."""

    class Loud:
        def __repr__(self) -> str:
            raise AssertionError

        @property
        def broken(self) -> int:
            raise AssertionError

    numbers = (each for each in range(2))
    found = logged(Sift(), loud=Loud(), numbers=numbers)
    assert found["loud"] == "<opaque tests.integrations.test_structlog.test_nothing_of_the_values_runs.<locals>.Loud>"
    assert list(numbers) == [0, 1]


def test_the_order_of_an_event_stays() -> None:
    """Names come in the order they were put in."""
    given = {"z": [1], "a": 1, "m": (2,), "event": "told"}
    assert list(Sift()(None, "info", given)) == ["z", "a", "m", "event"]


def test_an_event_has_an_end() -> None:
    """Large, deep and shared values are cut: a line stays a line."""
    shared: Any = ["x" * 100]
    for _ in range(64):
        shared = [shared, shared]
    deep: Any = []
    for _ in range(5000):
        deep = [deep]
    for value in (shared, deep, "y" * 10**7, list(range(10**6))):
        found = logged(Sift(), value=value)
        assert found["event"] == "told"
        assert len(json.dumps(found)) < 1_000_000


def test_an_event_that_cannot_be_sifted_is_still_logged() -> None:
    """A policy or limits that raise cost the values and not the line."""
    for processor in (Sift(policy=Policy(strict=True)), Sift(limits=Limits(nodes=1))):
        found = logged(processor, rows=[[print]])
        assert found["event"] == "told"
        assert found["unsifted"].startswith("siftpack.errors.")


def test_the_dict_that_was_given_is_not_changed() -> None:
    """A processor gives a new dict: what is bound to a logger stays what it is."""
    given = {"event": "told", "rows": [print]}
    assert Sift()(None, "info", given) == {"event": "told", "rows": ["<function print>"]}
    assert given == {"event": "told", "rows": [print]}


@pytest.mark.parametrize("library", ["structlog"])
def test_the_processor_needs_no_import(library: str) -> None:
    """The module is used by structlog and imports nothing of it."""
    program = f"import sys; import siftpack.integrations.structlog; print({library!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
