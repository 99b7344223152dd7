"""A real server for the commands that look into one, and a way to call them."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from typer.testing import CliRunner, Result

from siftpack.testing import servers


@pytest.fixture(scope="session")
def single() -> Iterator[servers.Server]:
    """A Valkey of our own."""
    with servers.single() as running:
        yield running


@pytest.fixture
def client(single: servers.Server) -> Iterator[Redis]:
    """A plain client of the server, which is empty."""
    with single.client() as plain:
        plain.flushall()
        yield plain


@pytest.fixture
def siftpack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line, called in a folder of its own."""
    from siftpack.cli.app import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REDIS_URL", raising=False)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def found(siftpack: Callable[..., Result]) -> Callable[..., Any]:
    """What a command that must end well prints as JSON."""

    def call(*words: object, code: int = 0) -> Any:
        done = siftpack(*words, "--json")
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    return call


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[], dict[str, str]]:
    """The keys in the report of a migration and why; none may be in it twice."""

    def read() -> dict[str, str]:
        lines = (tmp_path / "siftpack-migrate.refused.jsonl").read_text().splitlines()[1:]
        reasons = {(line := json.loads(each))["key"]: line["reason"] for each in lines}
        assert len(reasons) == len(lines)
        return reasons

    return read
