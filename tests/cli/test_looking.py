"""``scan``, ``inspect URL KEY`` and ``doctor`` tell what is there and show no values."""

import os
import pickle
import subprocess
import sys
import zlib

from redis import Redis
from typer.testing import CliRunner

import siftpack
from siftpack.cache import Cache, RedisBackend, Seal
from siftpack.cli.app import app
from tests.cli.conftest import Calls


def some(client: Redis) -> None:
    """A few entries of each kind, with one secret word in all of them."""
    cache = Cache(RedisBackend(client), namespace="app")
    cache.for_user("a b").set("report", {"rows": ["hidden"], "f": print})
    cache.shared().set("all", "hidden", ttl=None)
    client.set("app:u:json", b'{"a": "hidden"}', px=30_000)
    client.set("pickled", pickle.dumps({"a": "hidden", "b": siftpack.Limits}))
    client.set("packed", zlib.compress(b'{"a": "hidden"}'))
    client.set(b"odd\xff\n\\", b"12")
    client.rpush("list", "hidden")
    client.copy("app::all", "app:u:copy")


def test_scan_counts_formats(calls: Calls, client: Redis) -> None:
    """Forms, sizes, times to live and the largest keys are counted, by SCAN and never KEYS."""
    some(client)
    client.set("large", "x" * 5_000_000)
    client.config_resetstat()
    page = calls.found("scan", "--top", 2)
    commands = set(client.info("commandstats"))
    assert "cmdstat_scan" in commands
    assert not {"cmdstat_keys", "cmdstat_get"} & commands
    forms = {row["form"]: row for row in page["forms"]}
    assert {name: row["keys"] for name, row in forms.items()} == {
        "siftpack v1 data lossy bound": 1,
        "siftpack v1 data bound": 2,
        "json": 1,
        "pickle": 1,
        "zlib of json": 1,
        "integer": 1,
        "list": 1,
        "text": 1,
    }
    assert (page["keys"], page["finished"], page["without_end"]) == (9, True, 7)
    assert forms["text"]["bytes"] == forms["text"]["largest"] == 5_000_000
    assert sum(bucket["keys"] for bucket in page["sizes"]) == 8
    assert page["sizes"][-1]["from"] <= 5_000_000 < page["sizes"][-1]["below"]
    assert sum(bucket["keys"] for bucket in page["seconds_left"]) == 2
    assert page["largest"][0]["key"] == "large"


def test_scan_is_read_by_people(calls: Calls, client: Redis) -> None:
    """The page has a table, a histogram and keys on one line each, and no values."""
    some(client)
    done = calls("scan")
    assert done.exit_code == 0
    assert "hidden" not in done.output
    assert r"odd\xff\x0a\\" in done.output
    assert "█" in done.output
    assert calls("scan", "--match", "nothing*").output == "No keys found.\n"
    part = calls.found("scan", "--limit", 3)
    assert (part["keys"], part["finished"]) == (3, False)


def test_one_entry_is_explained(calls: Calls, client: Redis) -> None:
    """The parts of its name, its flags and times, the types inside, and what a cache makes of it; no value."""
    some(client)
    facts = calls.found("inspect", "app:a%20b:report")
    assert facts["name"] == {"namespace": "app", "user": "a b", "key": "report", "hash_tags": False}
    assert facts["frame"]["flags"] == ["lossy", "bound"]
    assert facts["frame"]["bound_to_this_key"] is True
    assert facts["types"] == {"str": 2, "dict": 1, "list": 1}
    assert facts["cache"] == "read"
    assert 3590 < facts["seconds_left"] <= 3600
    assert "hidden" not in calls("inspect", "app:a%20b:report").output
    assert calls.found("inspect", r"odd\xff\x0a\\", "--escaped")["form"] == "integer"
    assert "Legacy(json=True)" in calls("inspect", "app:u:json").output


def test_a_pickle_is_explained_and_not_loaded(calls: Calls, client: Redis) -> None:
    """The classes that a pickle asks for are named; none is imported."""
    client.set("app:u:p", b"\x80\x04\x8c\x0cthis_is_none\x94\x8c\x04Some\x94\x93\x94.")
    client.set("app:u:q", b"\x80\x04\x8c\x04turt\x94\x8c\x04x\x1b[31m\x94\x93\x94.")
    assert calls.found("inspect", "app:u:p")["asks_for"] == ["this_is_none.Some"]
    assert "this_is_none" not in sys.modules
    assert "\x1b" not in calls("inspect", "app:u:q").output


def test_what_is_wrong_with_an_entry_is_said(calls: Calls, client: Redis) -> None:
    """Entries of other keys, damaged ones, lists, giants and missing ones end with 1."""
    some(client)
    seal = Seal({1: bytes(range(32))})
    Cache(RedisBackend(client), namespace="app", seal=seal).for_user("u").set("sealed", "hidden")
    client.set("app:u:cut", b"\xc1\x01\x20\x00abc")
    client.set("app:u:bad", siftpack.dumps([1])[:-1])
    client.set("app:u:v9", b"\xc1\x09\x00\x00\xc0")
    client.setrange("app:u:huge", 2**26 + 10, "x")
    wrong = {
        "app:u:copy": "another key",
        "app:u:cut": "cut short",
        "app:u:bad": "cannot be read",
        "app:u:v9": "another version",
        "app:u:huge": "larger than",
        "list": "a list",
    }
    for key, words in wrong.items():
        assert words in calls.found("inspect", key, code=1)["problem"]
        assert words in calls("inspect", key).output
    assert "no key" in calls("inspect", "missing").stderr
    sealed = calls.found("inspect", "app:u:sealed")
    assert (sealed["cache"], sealed["frame"]["key_id"], "types" in sealed) == (
        "read with the seal's keys alone",
        1,
        False,
    )


def test_doctor_finds_what_is_bad(calls: Calls, client: Redis) -> None:
    """Server, latency, memory, the namespaces of a sample, and advice; an entry of another key is bad: exit code 1."""
    some(client)
    page = calls.found("doctor", code=1)
    server = page["servers"][0]
    assert (server["kind"], server["role"], server["mode"]) == ("Valkey", "master", "standalone")
    assert 0 < server["latency_ms"]["p50"] <= server["latency_ms"]["p99"] <= server["latency_ms"]["max"]
    assert page["namespaces"]["app"] == {
        **dict.fromkeys(("unbound", "text"), 0),
        "keys": 4,
        "users": 3,
        "ours": 3,
        "legacy": 1,
        "lossy": 1,
        "moved": 1,
        "endless": 2,
    }
    said = "\n".join(each["text"] for each in page["advice"])
    for words in ("noeviction", "no maxmemory", "written for another key", "not ours"):
        assert words in said
    client.delete("app:u:copy")
    client.config_set("maxmemory", "100mb")
    client.config_set("maxmemory-policy", "allkeys-lfu")
    try:
        healthy = calls("doctor")
    finally:
        client.config_set("maxmemory", "0")
        client.config_set("maxmemory-policy", "noeviction")
    assert healthy.exit_code == 0
    assert "maxmemory" not in healthy.output
    assert "hidden" not in healthy.output


def test_doctor_knows_a_replica_and_a_slow_option(calls: Calls, client: Redis) -> None:
    """A replica takes no writes, which is bad for a cache; waiting long for a hanging server is worth a note."""
    client.replicaof("127.0.0.1", "1")
    try:
        page = calls.found("doctor", url=f"{calls.url}?socket_timeout=30", code=1)
    finally:
        client.replicaof("NO", "ONE")
    said = "\n".join(each["text"] for each in page["advice"])
    assert "takes no writes" in said
    assert "socket_timeout=30" in said


def test_the_url_may_come_from_the_environment(calls: Calls, client: Redis) -> None:
    """``REDIS_URL`` names the store, so that a password is not in the list of processes."""
    some(client)
    for words in (["scan"], ["doctor"], ["migrate", "--namespace", "app"]):
        done = CliRunner().invoke(app, words, env={"REDIS_URL": calls.url})
        assert done.exit_code == (1 if words == ["doctor"] else 0)
        assert "siftpack v1 data bound" in done.stdout or "already ours" in done.stdout


def test_an_output_without_unicode_gets_escapes(calls: Calls, client: Redis) -> None:
    """Where the terminal has ASCII alone nothing is lost and nothing raises."""
    client.set("schlüssel", "x")
    command = [sys.executable, "-m", "siftpack", "scan", calls.url]
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    done = subprocess.run(command, env=env, capture_output=True, check=True)
    assert rb"schl\xfcssel" in done.stdout
    assert b"##" in done.stdout
