"""What goes wrong is one clear line without secrets, in bounded time, and can be gone on with."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from redis import Redis

from siftpack.testing import servers
from tests.cli.conftest import Calls

SECRET = "hunter2secret"
COMMANDS = (
    ("scan",),
    ("doctor",),
    ("migrate", "--namespace", "app", "--apply"),
    ("inspect", "a:b:c"),
)
WRONG = {
    "nothing": "looks like redis://host",
    f"http://u:{SECRET}@h": "no store for 'http'",
    "memory://": "of the process that made it",
    f"redis://:{SECRET}@127.0.0.1:1/0": "connection refused",
    f"redis://u:{SECRET}/@127.0.0.1:x": "makes no sense",
    f"redis+cluster://:{SECRET}@127.0.0.1:1": "none of its nodes answers",
    f"redis+sentinel://:{SECRET}@127.0.0.1:1/main": "no sentinel answers",
    f"redis+sentinel://:{SECRET}@127.0.0.1:1": "the service is missing",
    f"redis://h?decode_responses=1&password={SECRET}": "decode_responses",
    f"unix://:{SECRET}@/nowhere.sock": "no such file",
}


@pytest.mark.parametrize("url", WRONG)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_a_url_that_leads_nowhere_is_one_line(calls: Calls, command: tuple[str, ...], url: str) -> None:
    """Every command ends with 2, says why, prints no password and makes no file."""
    began = time.monotonic()
    done = calls(*command, url=url)
    assert time.monotonic() - began < 5
    assert (done.exit_code, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert WRONG[url] in done.stderr
    assert SECRET not in done.output
    assert list(calls.folder.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_what_a_server_refuses_is_one_line(calls: Calls, client: Redis, command: tuple[str, ...]) -> None:
    """A wrong password, a forbidden command, a missing database: said so, without the password."""
    client.acl_setuser("little", enabled=True, passwords=[f"+{SECRET}"], keys=["*"], commands=["+ping", "+client"])
    address = calls.url.partition("://")[2]
    try:
        for url, words in {
            f"redis://little:{SECRET}x@{address}": "user name or password",
            f"redis://little:{SECRET}@{address}": "(ACL)",
            f"redis://{address}/99": "no database of this number",
        }.items():
            done = calls(*command, url=url)
            assert done.exit_code == 2
            assert words in done.stderr
            assert SECRET not in done.output
    finally:
        client.acl_deluser("little")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_a_server_that_hangs_ends_the_command(calls: Calls, client: Redis, command: tuple[str, ...]) -> None:
    """No answer in time is said so, for a paused server as for one that never speaks."""
    with servers.single() as hanging, socket.create_server(("127.0.0.1", 0)) as silent:
        hanging.pause()
        for url in (hanging.url, f"redis://127.0.0.1:{silent.getsockname()[1]}"):
            began = time.monotonic()
            done = calls(*command, url=f"{url}?socket_timeout=0.3")
            assert time.monotonic() - began < 5
            assert (done.exit_code, "no answer in time" in done.stderr) == (2, True)
        hanging.resume()


def test_what_is_no_redis_is_said_so(calls: Calls) -> None:
    """A server that speaks something else is garbled or gone, and not a traceback."""
    import threading

    with socket.create_server(("127.0.0.1", 0)) as other:

        def serve() -> None:
            for _ in range(4):
                connection, _ = other.accept()
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        for command in COMMANDS:
            done = calls(*command, url=f"redis://127.0.0.1:{other.getsockname()[1]}?socket_timeout=1")
            assert done.exit_code == 2
            assert len(done.stderr.splitlines()) == 1
        thread.join(5)


def test_a_mistake_of_the_program_is_no_answer_of_the_server(calls: Calls, client: Redis) -> None:
    """An error that no client raised passes as it is; one of a client that cannot make out an answer is told."""
    from siftpack.cli.stores import Trouble, told

    with pytest.raises(TypeError), told("redis://h"):
        len(client)  # type: ignore[arg-type]  # that is the mistake
    client.set_response_callback("PING", int)
    with pytest.raises(Trouble, match="makes no sense"), told("redis://h"):
        client.ping()


def test_scan_that_is_interrupted_shows_what_it_has(calls: Calls, client: Redis) -> None:
    """Ctrl-C ends a scan at once, with the counts so far and exit code 130."""
    client.eval("for i = 1, 80000 do redis.call('SET', 'key:' .. i, 'value') end", 0)
    command = [sys.executable, "-m", "siftpack", "scan", calls.url, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    began = client.info("commandstats").get("cmdstat_scan", {"calls": 0})["calls"]
    while client.info("commandstats").get("cmdstat_scan", {"calls": 0})["calls"] < began + 5:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (130, b"")
    page = json.loads(out)
    assert not page["finished"]
    assert 0 < page["keys"] < 80_000


def test_a_server_that_dies_or_is_full_leaves_a_migration_to_go_on_with(calls: Calls, tmp_path: Path) -> None:
    """Out of memory, or killed on the way, a migration says what it did; with the server back it goes on."""
    with servers.single("appendonly yes") as server, server.client() as client:
        client.mset({f"app:u:{number}": json.dumps([number] * 200) for number in range(2500)})
        client.set("app:u:first", "[1]")
        words = ("migrate", "--namespace", "app", "--apply")
        client.config_set("maxmemory", "1mb")
        full = calls(*words, url=server.url)
        assert full.exit_code == 2
        assert "out of memory" in full.stderr
        assert "goes on from here" in full.stdout
        client.config_set("maxmemory", "0")
        calls.found(*words, "--restart", url=server.url)
        assert client.get("app:u:first")[:1] == b"\xc1"
        client.mset({f"app:u:{number}": json.dumps([number] * 200) for number in range(2500)})
        command = [sys.executable, "-m", "siftpack", "migrate", server.url, *words[1:], "--restart", "--json"]
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        ledger = tmp_path / "siftpack-migrate.ledger.json"
        while not 0 < json.loads(ledger.read_bytes())["counts"]["rewritten"] < 2500:
            assert process.poll() is None
        server.kill()
        out, err = process.communicate(timeout=20)
        assert process.returncode == 2
        assert b"cannot be reached" in err
        assert not json.loads(out)["finished"]
        server.start()
        done = calls.found(*words, url=server.url)
        assert (done["scanned"], done["rewritten"] + done["already"]) == (2501, 2501)
