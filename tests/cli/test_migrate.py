"""``siftpack migrate`` loses nothing, whatever ends it, and says what it left alone and why."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from siftpack.cache import Cache, Legacy, RedisBackend, Seal
from siftpack.testing import servers
from tests.cli.conftest import Calls
from tests.cli.mixed import PICKLES, SECRET, check, fill, whole
from tests.cli.soak import resident
from tests.conftest import FULL

COUNT = 100_000 if FULL else 10_000
LEDGER = "siftpack-migrate.ledger.json"


@pytest.fixture
def options(tmp_path: Path) -> tuple[str, ...]:
    """The options of a whole migration of ``mixed``."""
    return whole(tmp_path)


def started(calls: Calls, *words: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "siftpack", "migrate", calls.url, *words]
    return subprocess.Popen(command, cwd=calls.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def reached(folder: Path, process: "subprocess.Popen[bytes]", count: int) -> dict[str, Any]:
    """The ledger, as soon as that many keys are in it."""
    while process.poll() is None:
        with contextlib.suppress(FileNotFoundError):
            state: dict[str, Any] = json.loads((folder / LEDGER).read_bytes())
            if state["counts"]["scanned"] >= count:
                return state
        time.sleep(0.002)
    raise AssertionError("it ended before that")


@pytest.mark.sized
def test_a_migration_that_is_killed_goes_on(
    calls: Calls, tmp_path: Path, client: Redis, options: tuple[str, ...]
) -> None:
    """Very many mixed entries: killed on the way and run again, all are right, in time, and in bounded memory."""
    wanted = fill(client, COUNT)
    first = started(calls, *options, "--apply")
    reached(tmp_path, first, COUNT // 3)
    first.kill()
    first.communicate()
    before = json.loads((tmp_path / LEDGER).read_bytes())
    assert not before["finished"]
    assert 0 < before["counts"]["scanned"] < COUNT
    second = started(calls, *options, "--apply", "--json")
    peak = 0
    while second.poll() is None:
        peak = max(peak, resident(second.pid))
        time.sleep(0.02)
    done = json.loads(second.communicate()[0])
    assert second.returncode == 0
    assert (done["finished"], done["resumed"]) == (True, True)
    assert done["scanned"] == COUNT
    assert done["rewritten"] + done["already"] + done["refused"] == COUNT
    assert before["counts"]["rewritten"] < done["rewritten"]
    assert 0 < peak < 150_000 or sys.platform != "linux"
    check(client, wanted, calls.refused())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_what_can_go_on(
    calls: Calls, tmp_path: Path, client: Redis, options: tuple[str, ...], number: signal.Signals
) -> None:
    """Ctrl-C ends it at once with 128 + number and without a traceback; the same command goes on."""
    wanted = fill(client, 4000)
    process = started(calls, *options, "--apply")
    reached(tmp_path, process, 1000)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert b"the same command goes on from here" in out
    assert err == b""
    done = calls.found("migrate", *options, "--apply")
    assert done["resumed"]
    check(client, wanted, calls.refused())
    again = calls.found("migrate", *options, "--apply")
    assert (again["resumed"], again["rewritten"], again["refused"]) == (False, 0, done["refused"])
    check(client, wanted, calls.refused())


def test_a_dry_run_writes_nothing(calls: Calls, client: Redis, options: tuple[str, ...], tmp_path: Path) -> None:
    """Without ``--apply`` everything is read, counted and reported, and the store stays as it is."""
    fill(client, 500)
    before = {key: client.dump(key) for key in client.scan_iter()}
    dry = calls.found("migrate", *options)
    assert {key: client.dump(key) for key in client.scan_iter()} == before
    assert not (tmp_path / LEDGER).exists()
    wet = calls.found("migrate", *options, "--apply")
    same = ("scanned", "rewritten", "already", "refused", "rewritten_by_form", "refused_by_reason")
    assert {word: dry[word] for word in same} == {word: wet[word] for word in same}


def test_what_changes_meanwhile_is_not_overwritten(calls: Calls, client: Redis) -> None:
    """A writer that never rests finds its last values each time, in the old form or the new."""
    keys = [f"app:u:{number}" for number in range(300)]
    client.mset({key: json.dumps([key, 0]) for key in keys})
    stop = threading.Event()
    lost: list[Any] = []

    def write() -> None:
        with Redis.from_url(calls.url) as own:
            user = Cache(RedisBackend(own), namespace="app", legacy=Legacy()).for_user("u")
            turn = 0
            while not stop.is_set():
                turn += 1
                for key in keys[::2]:
                    own.set(key, json.dumps([key, turn]))
                time.sleep(0.002)
                found = user.get_many([key[6:] for key in keys[::2]])
                lost.extend(key for key in keys[::2] if found.get(key[6:]) != [key, turn])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        runs = [calls.found("migrate", "--namespace", "app", "--apply") for _ in range(12)]
    finally:
        stop.set()
        writer.join()
    assert lost == []
    assert sum(run["rewritten"] for run in runs) > 300
    user = Cache(RedisBackend(client), namespace="app").for_user("u")
    assert all(user.get(key[6:]) == [key, 0] for key in keys[1::2])


def test_another_run_of_the_server_begins_anew(
    calls: Calls, client: Redis, options: tuple[str, ...], tmp_path: Path
) -> None:
    """A cursor of another run of the server is not believed: everything is looked at again."""
    fill(client, 3000)
    process = started(calls, *options, "--apply")
    reached(tmp_path, process, 1000)
    process.kill()
    process.communicate()
    state = json.loads((tmp_path / LEDGER).read_bytes())
    state["shape"][0][1] = "another run"
    (tmp_path / LEDGER).write_text(json.dumps(state))
    done = calls.found("migrate", *options, "--apply")
    assert not done["resumed"]
    assert done["scanned"] == 3000


def test_entries_move_to_the_names_of_a_mapping(calls: Calls, client: Redis) -> None:
    """A mapping gives entries a user and a key; a name that is taken is left alone; others are not touched."""
    for number in range(50):
        client.set(f"old/{number % 5}/k {number}", json.dumps(number), px=10**7 + number)
    client.set("old/0/taken", "1.5")
    client.set("other", "[1]")
    cache = Cache(RedisBackend(client), namespace="new")
    cache.for_user("0").set("taken", "newer")
    words = ("--namespace", "new", "--map", "old/(?P<user>[0-9]+)/(?P<key>.*)", "--apply")
    done = calls.found("migrate", *words, "--read", "json", "--read", "integer", "--keep")
    assert (done["rewritten"], done["unselected"], done["already"]) == (50, 2, 0)
    assert calls.refused() == {"old/0/taken": "target_exists"}
    assert client.exists("old/1/k 1")
    again = calls.found("migrate", *words, "--read", "json", "--read", "integer", "--keep", "--restart")
    assert (again["rewritten"], again["already"]) == (0, 50)
    moved = calls.found("migrate", *words, "--read", "json", "--read", "integer", "--restart")
    assert moved["rewritten"] == 50
    for number in range(50):
        assert cache.for_user(str(number % 5)).get(f"k {number}") == number
        assert 9990 < (cache.for_user(str(number % 5)).ttl(f"k {number}") or 0) <= 10001
    assert sorted(client.scan_iter("o*")) == [b"old/0/taken", b"other"]


def test_a_sealed_cache_gets_sealed_entries(calls: Calls, client: Redis, tmp_path: Path) -> None:
    """With the keys of a seal, entries are written sealed; entries that are not are refused."""
    key = bytes(range(32))
    (tmp_path / "keys").write_text(f"3 {key.hex()}\n")
    client.set("app:u:k", "[1]", px=10**7)
    Cache(RedisBackend(client), namespace="app").for_user("u").set("open", 1)
    done = calls.found("migrate", "--namespace", "app", "--seal", tmp_path / "keys", "--compress", "--apply")
    assert (done["rewritten"], done["refused_by_reason"]) == (1, {"unsealed": 1})
    assert Cache(RedisBackend(client), namespace="app", seal=Seal({3: key})).for_user("u").get("k") == [1]


def test_machinery_in_a_pickle_is_not_lost_silently(calls: Calls, client: Redis, tmp_path: Path) -> None:
    """A value of which something would be left out stays as it is, unless that is wanted."""
    import pickle

    (tmp_path / "secret").write_bytes(SECRET)
    data = pickle.dumps({"kept": 1, "lost": len})
    client.set("app:u:k", PICKLES.sign("app:u:k", data))
    words = ["--namespace", "app", "--read", "pickle", "--pickle-secret", tmp_path / "secret", "--apply"]
    assert calls.found("migrate", *words)["refused_by_reason"] == {"bad_pickle": 1}
    words += ["--allow", "builtins:len", "--restart"]
    assert calls.found("migrate", *words)["refused_by_reason"] == {"lossy": 1}
    assert calls.found("migrate", *words, "--lossy")["rewritten"] == 1
    assert Cache(RedisBackend(client), namespace="app").for_user("u").get("k") == {"kept": 1}


def test_large_values_and_odd_keys_are_told(calls: Calls, client: Redis) -> None:
    """64 MB, control characters and broken UTF-8 are in the report, in writing that leads back to the key."""
    client.set("app:u:huge", b'"' + b"x" * 64_000_000 + b'"')
    client.set(b"app:u:\xff\x00\n", "[1]")
    client.set("app:u:deep", b"[" * 100_000)
    client.set("app:u:fine", "[1]")
    done = calls.found("migrate", "--namespace", "app", "--apply")
    assert done["rewritten"] == 1
    assert calls.refused() == {"app:u:huge": "too_large", r"app:u:\xff\x00\x0a": "name", "app:u:deep": "bad_json"}
    done = calls.found("migrate", "--namespace", "app", "--apply", "--max-bytes", 10**8)
    assert done["rewritten"] == 1
    assert len(Cache(RedisBackend(client), namespace="app").for_user("u").get("huge")) == 64_000_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--read", "yaml"), "--read knows json"),
        (("--read", "pickle"), "--pickle-secret"),
        (("--allow", "a:b"), "--read pickle"),
        (("--keep",), "--keep is for"),
        (("--user", "u"), "--match"),
        (("--seal", "none"), "no such file"),
        (("--report", "."), "cannot be written"),
        (("--report", "mine.txt"), "left as it is"),
        (("--ledger", "mine.txt", "--apply"), "no ledger"),
        (("--ledger", "none/x", "--apply"), "cannot be written"),
    ],
)
def test_options_that_make_no_sense_are_said_so(
    calls: Calls, client: Redis, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """One line says what is wrong; nothing is written, and no file of another kind is touched."""
    (tmp_path / "mine.txt").write_text("mine")
    client.set("app:u:k", "[1]")
    done = calls("migrate", "--namespace", "app", *words)
    assert done.exit_code in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.output
    assert client.get("app:u:k") == b"[1]"
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_ledger_is_of_one_migration(calls: Calls, client: Redis, tmp_path: Path) -> None:
    """An unfinished migration is not gone on with under other options, and two do not write one report."""
    client.set("app:u:k", "[1]")
    assert calls("migrate", "--namespace", "app", "--apply").exit_code == 0
    state = json.loads((tmp_path / LEDGER).read_bytes())
    (tmp_path / LEDGER).write_text(json.dumps({**state, "finished": False}))
    other = calls("migrate", "--namespace", "other", "--apply")
    assert "other options" in other.stderr
    from siftpack.cli.ledger import Report

    with contextlib.closing(Report(tmp_path / "siftpack-migrate.refused.jsonl")):
        busy = calls("migrate", "--namespace", "app", "--apply")
    assert "another migration" in busy.stderr


def test_the_report_may_go_nowhere(calls: Calls, client: Redis) -> None:
    """What is no regular file takes the report too."""
    client.mset({"app:u:k": "[1]", "app:u:n": "1"})
    done = calls.found("migrate", "--namespace", "app", "--apply", "--report", "/dev/null")
    assert (done["rewritten"], done["refused"]) == (1, 1)


def test_a_report_that_cannot_be_written_ends_it(calls: Calls, client: Redis) -> None:
    """A full disk is said so, with what was done before."""
    client.set("app:u:n", "1")
    done = calls("migrate", "--namespace", "app", "--apply", "--report", "/dev/full")
    assert (done.exit_code, "no space left" in done.stderr.lower()) == (2, True)


def test_redis_does_the_same_as_valkey(calls: Calls, options: tuple[str, ...]) -> None:
    """The system's Redis runs the same scripts."""
    binary = servers.redis_binary()
    assert binary is not None, "there is no redis-server here: apt-get install redis-server"
    with servers.single(binary=binary) as redis, redis.client() as client:
        wanted = fill(client, 1000)
        calls.found("migrate", *options, "--apply", url=redis.url)
        check(client, wanted, calls.refused())
