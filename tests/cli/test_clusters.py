"""Every master of a cluster is looked at, and entries move between its servers without loss."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.cluster import RedisCluster

from siftpack.cache import Cache
from siftpack.cache.frames import Place, bind
from siftpack.cli.forms import Form
from siftpack.cli.movers import CHANGED, DONE, GONE, TAKEN, Change, Mover
from siftpack.cli.stores import Store
from siftpack.testing import servers
from tests.cli.conftest import Calls
from tests.faults.busy import patient

COUNT = 400


@pytest.fixture(scope="module")
def six() -> Iterator[servers.Cluster]:
    """A cluster of six nodes."""
    with servers.cluster() as running:
        yield running


@pytest.fixture
def cluster(six: servers.Cluster) -> Iterator[RedisCluster]:
    """A client of the cluster, which is empty."""
    with RedisCluster(host="127.0.0.1", port=six.nodes[0].port) as plain:
        plain.flushall(target_nodes=RedisCluster.PRIMARIES)
        yield plain


@pytest.fixture
def calls(six: servers.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The command line on the cluster."""
    monkeypatch.chdir(tmp_path)
    return Calls(six.url, tmp_path)


def test_entries_move_between_the_servers_of_a_cluster(calls: Calls, cluster: RedisCluster) -> None:
    """Entries of all masters get names in other slots, with their time to live; the old ones are gone."""
    for number in range(COUNT):
        cluster.set(f"old:u{number % 7}:{number}", json.dumps([number]), px=10**7 + number)
    cluster.rpush("old:u:list", "1")
    assert calls.found("scan", "--match", "old:*")["keys"] == COUNT + 1
    words = ("--namespace", "app", "--map", "old:(?P<user>[^:]+):(?P<key>.*)", "--apply")
    kept = calls.found("migrate", *words, "--keep")
    assert (kept["rewritten"], kept["refused_by_reason"]) == (COUNT, {"not_string": 1})
    done = calls.found("migrate", *words, "--restart")  # as after an end between writing and deleting
    assert (done["rewritten"], done["refused_by_reason"]) == (COUNT, {"not_string": 1})
    assert sum(1 for _ in cluster.scan_iter("old:*")) == 1
    with Cache.from_url(calls.url, namespace="app", client=patient(calls.url)) as cache:
        for number in range(COUNT):
            user = cache.for_user(f"u{number % 7}")
            assert user.get(str(number)) == [number]
            assert abs((user.ttl(str(number)) or 0) - 10_000) < 10


def test_entries_of_a_cluster_stay_in_place(calls: Calls, cluster: RedisCluster) -> None:
    """Names that a cache makes in a cluster, with hash tags, are kept; others are refused."""
    for number in range(COUNT):
        cluster.set(f"app:{{u{number % 7}}}:{number}", json.dumps([number]))
    cluster.set("app:u:k", "[1]")
    done = calls.found("migrate", "--namespace", "app", "--apply")
    assert (done["rewritten"], done["refused_by_reason"]) == (COUNT, {"name": 1})
    with Cache.from_url(calls.url, namespace="app", client=patient(calls.url)) as cache:
        assert all(cache.for_user(f"u{number % 7}").get(str(number)) == [number] for number in range(COUNT))
    assert calls.found("doctor")["namespaces"]["app"]["users"] == 8
    assert calls.found("inspect", "app:{u1}:1")["cache"] == "read"
    assert calls("inspect", "app:{u1}:none").exit_code == 1


def test_a_slot_on_the_move_is_waited_for(calls: Calls, six: servers.Cluster, cluster: RedisCluster) -> None:
    """Keys on their way between servers are not passed over: it ends unfinished, and goes on once they arrived."""
    keys = [f"app:{{mover}}:{number}" for number in range(20)]
    for key in keys:
        cluster.set(key, json.dumps([key]), px=10**7)
    slot = cluster.keyslot(keys[0])
    source = cluster.get_node_from_key(keys[0])
    target = next(node for node in cluster.get_primaries() if node.name != source.name)
    here, there = cluster.get_redis_connection(source), cluster.get_redis_connection(target)
    ids = {node: node.execute_command("CLUSTER", "MYID").decode() for node in (here, there)}
    there.execute_command("CLUSTER", "SETSLOT", slot, "IMPORTING", ids[here])
    here.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", ids[there])
    here.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys[:10])
    moving = calls("migrate", "--namespace", "app", "--apply")
    assert (moving.exit_code, "keep changing" in moving.stderr) == (1, True)
    here.execute_command("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys[10:])
    for node in (there, here):
        node.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[there])
    done = calls.found("migrate", "--namespace", "app", "--apply")
    assert (done["scanned"], done["rewritten"], done["already"], done["refused"]) == (20, 10, 10, 0)
    with Cache.from_url(calls.url, namespace="app", client=patient(calls.url)) as cache:
        assert all(cache.for_user("mover").get(str(number)) == [key] for number, key in enumerate(keys))


class Meddling:
    """A client under which ``act`` runs right after something was written."""

    def __init__(self, client: Any, act: Any) -> None:
        self._client = client
        self._act = act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def set(self, *words: Any, **options: Any) -> Any:
        written = self._client.set(*words, **options)
        self._act()
        return written


def change(source: bytes, key: str) -> Change:
    place = Place("app", "u", f"app:{{u}}:{key}")
    return Change(source, place, b"[1]", bind(b"\xc1\x01\x00\x00\x91\x01", place, 1, 0, None), Form("json"))


def mover(client: Any, *, keep: bool = False) -> Mover:
    return Mover(client, cluster=True, keep=keep, same=lambda there, made, _: there == made, dry=False)


def test_between_servers_a_change_takes_the_new_entry_back(six: servers.Cluster, cluster: RedisCluster) -> None:
    """An old value that is changed or deleted right after its new entry was written leaves no stale entry behind."""
    for act, outcome, left in (
        (lambda: cluster.set("old1", "[2]"), CHANGED, b"[2]"),
        (lambda: cluster.delete("old1"), GONE, None),
        (lambda: None, DONE, None),
    ):
        cluster.set("old1", "[1]")
        made = change(b"old1", "k")
        assert mover(Meddling(cluster, act)).write(None, [made]) == [outcome]
        assert cluster.get("old1") == left
        assert cluster.get(made.target) == (made.new if outcome == DONE else None)
        cluster.delete(made.target)


def test_a_value_is_compared_in_the_step_that_writes(six: servers.Cluster, cluster: RedisCluster) -> None:
    """In place and within a slot another value, another type, a missing key and a taken name are left alone."""
    with Store(six.url) as store:
        client = store.client
        node = client.get_redis_connection(client.get_node_from_key("app:{u}:a"))
        for source, target in ((b"app:{u}:a", "a"), (b"old{u}", "a")):
            made = change(source, target)
            cluster.delete(source, made.target)
            assert mover(client).write(node, [made]) == [GONE]
            cluster.set(source, "[2]")
            assert mover(client).write(node, [made]) == [CHANGED]
            assert cluster.get(source) == b"[2]"
            cluster.delete(source)
            cluster.rpush(source, "[1]")
            assert mover(client).write(node, [made]) == [CHANGED]
            cluster.delete(source)
            cluster.set(source, "[1]", px=10**6)
            assert mover(client).write(node, [made]) == [DONE]
            assert cluster.get(made.target) == made.new
            assert 990_000 < cluster.pttl(made.target) <= 10**6
        cluster.set("old{u}", "[1]")
        for there in (b"another", None):
            cluster.delete("app:{u}:a")
            cluster.set("app:{u}:a", there) if there else cluster.rpush("app:{u}:a", "1")
            assert mover(client).write(node, [change(b"old{u}", "a")]) == [TAKEN]
            assert cluster.get("old{u}") == b"[1]"
