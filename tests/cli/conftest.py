"""A real server for the commands that look into one, and a way to call them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from typer.testing import CliRunner, Result

from siftpack.testing import servers
from tests.cache.conftest import sentinel_url

__all__ = ["Calls", "calls", "client", "sentinel_url", "single"]


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


class Calls:
    """Calls of commands on one store, in a folder of their own."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder

    def __call__(self, command: str, *words: object, url: str | None = None) -> Result:
        """The command with the URL behind it, and then ``words``."""
        from siftpack.cli.app import app

        return CliRunner().invoke(app, [command, self.url if url is None else url, *map(str, words)])

    def found(self, command: str, *words: object, code: int = 0, url: str | None = None) -> Any:
        """What a command prints as JSON; it must end with ``code``."""
        done = self(command, *words, "--json", url=url)
        assert done.exit_code == code, done.output
        return json.loads(done.stdout)

    def refused(self) -> dict[str, str]:
        """The keys in the report of a migration and why; none may be in it twice."""
        lines = (self.folder / "siftpack-migrate.refused.jsonl").read_text().splitlines()[1:]
        reasons = {(line := json.loads(each))["key"]: line["reason"] for each in lines}
        assert len(reasons) == len(lines)
        return reasons


@pytest.fixture
def calls(single: servers.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The command line on the server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REDIS_URL", raising=False)
    return Calls(single.url, tmp_path)
