"""``siftpack doctor URL``: one page on a server as the home of a cache. Writes nothing."""

import re
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.table import Table

from siftpack import wire
from siftpack.cache.frames import HEAD, key_digest
from siftpack.cli.naming import name_of
from siftpack.cli.scan import size
from siftpack.cli.stores import Node, Store
from siftpack.cli.sweeps import ENDLESS, Item, look, sweep
from siftpack.cli.tallies import Tally
from siftpack.cli.written import shortened
from siftpack.values.names import text_bytes

PINGS: Final = 200
SAMPLE: Final = 1000
"""Keys that are looked at on each server."""
SLOW_PING: Final = 5.0
"""Milliseconds; the cache's own time limit is 250."""
SLOW_SOCKET: Final = 1.0
"""Seconds of waiting that are too many for a cache."""
OLDEST: Final = (6, 0)
"""Version of the server that the commands need."""
_NAMESPACES: Final = 20


class Advice(NamedTuple):
    """Something to be done. ``level`` is ``bad`` for what breaks a cache, ``note`` for what makes it worse."""

    level: str
    text: str


class Space:
    """What the sample holds under one namespace."""

    __slots__ = ("endless", "keys", "legacy", "lossy", "moved", "ours", "text", "unbound", "users")

    def __init__(self) -> None:
        self.keys = self.ours = self.legacy = self.lossy = self.moved = self.text = self.unbound = self.endless = 0
        self.users: set[str | None] = set()

    def add(self, item: Item, user: str | None) -> None:
        """Count one key of the namespace."""
        self.keys += 1
        self.users.add(user)
        self.endless += item.ttl == ENDLESS
        head = item.head
        if head[:1] != bytes((wire.FRAME_MAGIC,)) or len(head) < wire.FRAME_HEADER:
            self.legacy += 1
            return
        if not head[2] & wire.FLAG_BOUND:
            self.unbound += 1
            return
        self.ours += 1
        self.lossy += bool(head[2] & wire.FLAG_LOSSY)
        self.text += bool(head[2] & wire.FLAG_TEXT)
        self.moved += len(head) < HEAD.size or head[4:20] != key_digest(item.key.decode())

    def plain(self) -> dict[str, int]:
        """The counts, for JSON."""
        return {
            name: len(self.users) if name == "users" else getattr(self, name)
            for name in ("keys", "users", "ours", "legacy", "unbound", "lossy", "text", "moved", "endless")
        }


def examine(store: Store, url: str) -> dict[str, Any]:
    """Everything, for JSON. Raises the client's errors."""
    masters = store.masters()
    tally, spaces = Tally(0), dict[str, Space]()
    for node in masters:
        _sample(node, tally, spaces)
    spaces = dict(sorted(spaces.items(), key=lambda each: -each[1].ours - each[1].unbound)[:_NAMESPACES])
    spaces = {name: space for name, space in sorted(spaces.items()) if space.ours + space.unbound}
    servers = [_server(node) for node in masters]
    advice = [*_about_servers(servers), *_about_url(store, url), *_about_client(), *_about_entries(spaces)]
    return {
        "url": store.shown,
        "client": f"redis-py {_client_version()}",
        "servers": servers,
        "sample": tally.plain(),
        "namespaces": {name: space.plain() for name, space in spaces.items()},
        "advice": [each._asdict() for each in sorted(dict.fromkeys(advice))],
        "healthy": not any(each.level == "bad" for each in advice),
    }


def _sample(node: Node, tally: Tally, spaces: dict[str, Space]) -> None:
    seen = 0
    for keys in sweep(node.client, None):
        for item in look(node.client, keys[: SAMPLE - seen]):
            tally.add(item)
            name = name_of(item.key)
            if name is not None and item.type == "string":
                spaces.setdefault(name.namespace, Space()).add(item, name.user)
        seen += len(keys)
        if seen >= SAMPLE:
            return
    tally.finished = True


def _server(node: Node) -> dict[str, Any]:
    info: dict[str, Any] = node.client.info()
    kind = "Valkey" if "valkey_version" in info else "Redis"
    took = sorted(_ping(node.client) for _ in range(PINGS))
    return {
        "server": node.label,
        "kind": kind,
        "version": str(info.get("valkey_version") or info.get("redis_version", "?")),
        "speaks": str(info.get("redis_version", "0")),
        "mode": str(info.get("redis_mode") or info.get("server_mode") or "?"),
        "role": str(info.get("role", "?")),
        "replicas": int(info.get("connected_slaves", 0)),
        "up_seconds": int(info.get("uptime_in_seconds", 0)),
        "keys": int(node.client.dbsize()),
        "latency_ms": {f"p{part}": round(took[min(PINGS - 1, PINGS * part // 100)], 3) for part in (50, 95, 99)}
        | {"max": round(took[-1], 3)},
        "memory": {
            "used": int(info.get("used_memory", 0)),
            "max": int(info.get("maxmemory", 0)),
            "policy": str(info.get("maxmemory_policy", "?")),
            "fragmentation": float(info.get("mem_fragmentation_ratio", 0) or 0),
        },
        "clients": {"connected": int(info.get("connected_clients", 0)), "max": int(info.get("maxclients", 0) or 0)},
        "evicted": int(info.get("evicted_keys", 0)),
        "rejected": int(info.get("rejected_connections", 0)),
        "loading": bool(int(info.get("loading", 0))),
    }


def _ping(client: Any) -> float:
    began = time.perf_counter()
    client.ping()
    return (time.perf_counter() - began) * 1000


def _about_servers(servers: list[dict[str, Any]]) -> list[Advice]:
    """The advice for each server, told once for all that it concerns."""
    where: dict[Advice, list[str]] = {}
    for server in servers:
        for advice in _about_server(server):
            where.setdefault(advice, []).append(server["server"])
    if len(servers) == 1:
        return list(where)
    return [
        advice._replace(text=f"{'all servers' if len(found) == len(servers) else ', '.join(found)}: {advice.text}")
        for advice, found in where.items()
    ]


def _about_server(server: dict[str, Any]) -> list[Advice]:
    memory, clients, slow = server["memory"], server["clients"], server["latency_ms"]["p99"]
    taken = f"{clients['connected']:,} of {clients['max']:,}"
    limited = memory["max"] > 0
    full = limited and memory["used"] > 0.9 * memory["max"] and memory["policy"] == "noeviction"
    told = (
        ("bad", _numbers(server["speaks"]) < OLDEST, f"version {server['version']} is older than 6.0: upgrade it"),
        ("bad", server["role"] not in {"master", "?"}, f"a {server['role']} takes no writes: name the master"),
        ("bad", server["loading"], "it is loading its data"),
        ("bad", clients["max"] and clients["connected"] > 0.8 * clients["max"], f"{taken} connections are taken"),
        (
            "bad",
            full,
            "memory is nearly full, and with noeviction writes are refused: set maxmemory-policy allkeys-lfu",
        ),
        ("note", not limited, "no maxmemory: it grows until the machine has no more; set one"),
        (
            "note",
            memory["policy"] == "noeviction" and not full,
            "maxmemory-policy noeviction: when memory is full, writes are refused; allkeys-lfu makes room",
        ),
        (
            "note",
            memory["policy"].startswith("volatile"),
            f"maxmemory-policy {memory['policy']} never makes room by entries without an end; allkeys-lfu does",
        ),
        ("note", memory["fragmentation"] > 1.8 and memory["used"] > 2**28, "memory is fragmented: activedefrag yes"),
        ("note", server["rejected"], f"{server['rejected']:,} connections were refused: raise maxclients"),
        ("note", slow > SLOW_PING, f"one answer in a hundred takes {slow} ms; the cache waits for 250 ms at most"),
    )
    return [Advice(level, text) for level, applies, text in told if applies]


def _about_url(store: Store, url: str) -> list[Advice]:
    scheme, _, rest = url.partition("://")
    tls = scheme.lower().startswith(("rediss", "valkeys"))
    hosts = store.shown.partition("://")[2].partition("/")[0]
    here = all(host.startswith(("127.", "localhost", "[::1]")) for host in hosts.split(","))
    slow = _seconds(url)
    found = [Advice("note", f"socket_timeout={slow:g} in the URL: while the server hangs a call waits so long")]
    found = found if slow > SLOW_SOCKET else []
    if scheme.lower() == "unix" or tls or here:
        return found
    word = "password and entries cross" if "@" in rest or "password=" in rest else "entries cross"
    return [*found, Advice("note", f"{word} the network in clear: use rediss://")]


def _seconds(url: str) -> float:
    """The time limit that a URL sets, 0 if it sets none."""
    found = re.search(r"[?&]socket_timeout=([0-9.]{1,9})(?:&|$)", url)
    try:
        return float(found[1]) if found else 0.0
    except ValueError:
        return 0.0


def _client_version() -> str:
    import redis

    return str(redis.__version__)


def _about_client() -> list[Advice]:
    version = _client_version()
    if _numbers(version) < (8, 1):
        return [Advice("bad", f"redis-py {version} is older than 8.1: pip install 'siftpack[redis]'")]
    return []


def _about_entries(spaces: dict[str, Space]) -> list[Advice]:
    found = []
    for name, space in spaces.items():
        lossy = space.lossy - space.text
        told = (
            ("bad", space.moved, "written for another key, so misses: copied, renamed or crossed"),
            ("note", space.unbound, "frames bound to no key, so misses: siftpack migrate --read frame"),
            ("note", space.legacy, "not ours: siftpack migrate, or the legacy readers"),
            ("note", space.text, "mere renderings of values that the policy or a limit refused"),
            (
                "note",
                lossy if lossy > space.ours // 10 else 0,
                "lost machinery when written: siftpack.inspect says what",
            ),
            ("note", space.endless if space.endless > space.keys // 2 else 0, "without an end: give them a ttl"),
        )
        where = f"namespace {shortened(name.encode('utf-8', 'surrogatepass'), 40)}"
        found += [
            Advice(level, f"{where}, {count:,} of {space.keys:,} keys: {words}")
            for level, count, words in told
            if count
        ]
    return found


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def show(console: Console, page: dict[str, Any]) -> None:
    """Print what ``examine`` found."""
    for server in page["servers"]:
        _show_server(console, server)
    sample = page["sample"]
    what = "All" if sample["finished"] else "A sample of"
    console.print(f"\n{what} {sample['keys']:,} keys" if sample["keys"] else "\nNo keys")
    for row in sample["forms"]:
        console.print(f"  {row['keys']:>7,}  {row['form']}  {size(row['bytes'])}", soft_wrap=True)
    _show_spaces(console, page["namespaces"])
    console.print(f"\nClient: {page['client']}")
    for advice in page["advice"]:
        style = "bold red" if advice["level"] == "bad" else "yellow"
        console.print(f"{advice['level']:>4}  {advice['text']}", style=style, soft_wrap=True)
    if not page["advice"]:
        console.print("Nothing to be said against it.", style="green")


def _show_server(console: Console, server: dict[str, Any]) -> None:
    memory, latency = server["memory"], server["latency_ms"]
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    replicas = f", {server['replicas']} replicas" if server["replicas"] else ""
    table.add_row(
        "server",
        f"{server['server']}  {server['kind']} {server['version']}, {server['mode']}, {server['role']}{replicas}",
    )
    table.add_row("latency", ", ".join(f"{name} {value} ms" for name, value in latency.items()))
    limit = f"of {size(memory['max'])}" if memory["max"] else "without limit"
    table.add_row("memory", f"{size(memory['used'])} {limit}, {memory['policy']}, {server['evicted']:,} evicted")
    clients = server["clients"]
    table.add_row(
        "clients", f"{clients['connected']:,} of {clients['max']:,}" if clients["max"] else f"{clients['connected']:,}"
    )
    table.add_row("keys", f"{server['keys']:,}")
    console.print(table)


def _show_spaces(console: Console, spaces: dict[str, dict[str, int]]) -> None:
    if not spaces:
        return
    words: Sequence[str] = ("keys", "users", "ours", "lossy", "text", "unbound", "legacy", "moved", "endless")
    table = Table("namespace", *words)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, counts in spaces.items():
        shown = shortened(text_bytes(name), 40)
        table.add_row(shown, *(f"{counts[word]:,}" for word in words))
    console.print()
    console.print(table)
