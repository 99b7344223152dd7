"""The store behind a URL for the commands that look into one, and its errors in plain words.

Neither a password nor a value is in any of the words: of a URL its hosts are shown, of an error what it means.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from siftpack.cache.decide import Verdict, described, verdict
from siftpack.cache.presets import maker, scheme_of
from siftpack.errors import PolicyError

TIMEOUT: Final = 10.0
"""Seconds for one answer; a value of 64 MB takes a while."""
CONNECT: Final = 3.0
"""Seconds for connecting."""
_MEANINGS: Final = {
    Verdict.UNHEALTHY: "it is loading, or its cluster is down or without a master: try again later",
    Verdict.READONLY: "it is a replica, which takes no writes: name the master",
    Verdict.BUSY: "all its connections are in use",
    Verdict.FULL: "it is out of memory and takes no writes: give it more, or another maxmemory-policy",
    Verdict.AUTH: "it refuses the user name or password of the URL",
    Verdict.GARBLED: "its answer makes no sense: is it a Redis at all?",
}
_NAMED: Final = {
    "NoPermissionError": "the user of the URL may not run a command that is needed (ACL)",
    "MasterNotFoundError": "no sentinel answers, or none knows a master of this service",
    "SlaveNotFoundError": "no sentinel answers, or none knows a replica of this service",
}


class Trouble(Exception):  # noqa: N818 - never leaves the command line
    """Something that ends a command, in words for people. ``code`` is the exit code."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code


class Node(NamedTuple):
    """A server that holds keys of its own, and a client of it alone."""

    label: str
    client: Any


class Store:
    """What a URL leads to. ``client`` knows all of it, ``masters`` are its parts."""

    def __init__(self, url: str) -> None:
        """Raises ``Trouble`` for a URL that makes no sense and for what is no server."""
        self.shown = shown_url(url)
        try:
            if scheme_of(url) == "memory":
                raise Trouble("memory:// is a store of the process that made it: there is nothing to look at")
            self.cluster = "+cluster" in url.partition("://")[0].lower()
            make = maker(url, asynchronous=False, socket_timeout=TIMEOUT, socket_connect_timeout=CONNECT)
        except PolicyError as wrong:
            raise Trouble(str(wrong)) from None
        with told(self.shown):
            self.client = make()
            self.client.ping()
            if not self.cluster and self._is_node():
                raise Trouble(f"{self.shown}: it is one node of a cluster: use redis+cluster://")

    def masters(self) -> list[Node]:
        """Every server that holds keys. Raises the client's errors."""
        if not self.cluster:
            return [Node(self.shown.rpartition("://")[2], self.client)]
        nodes = sorted(self.client.get_primaries(), key=lambda node: (node.host, node.port))
        return [Node(f"{node.host}:{node.port}", self.client.get_redis_connection(node)) for node in nodes]

    def _is_node(self) -> bool:
        try:
            return str(self.client.info("server").get("redis_mode")) == "cluster"
        except Exception as error:
            if verdict(error) is not Verdict.BUG:
                raise
            return False  # it may not be asked; what else is forbidden will be seen

    def close(self) -> None:
        """Let go of connections."""
        self.client.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def shown_url(url: str) -> str:
    """A URL without user, password and options: never more than scheme, hosts and path."""
    scheme, mark, rest = url.partition("://")
    if not mark or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]{0,30}", scheme):
        return "..."
    before, at, behind = rest.rpartition("@")
    if at and re.search(r"[/?#]", before):  # where the password ends cannot be told
        return f"{scheme}://..."
    plain = re.split(r"[?#]", behind)[0]
    return f"{scheme}://{plain if plain.isprintable() else '...'}"


@contextlib.contextmanager
def told(shown: str) -> Iterator[None]:
    """Turns errors of the store inside into ``Trouble``."""
    try:
        yield
    except Trouble:
        raise
    except Exception as error:
        found = verdict(error)
        if found is Verdict.NOT_OURS or (found is Verdict.GARBLED and _is_ours(error)):
            raise
        raise Trouble(f"{shown}: {_meaning(error, found)}") from None


def _is_ours(error: Exception) -> bool:
    """True for an error that no client raised: a mistake of this program and not of a server."""
    at, name = error.__traceback__, ""
    while at is not None:
        name = str(at.tb_frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] in {"redis", "valkey"} or name.startswith("siftpack.cache.backends"):
            return False
        at = at.tb_next
    return True


def _meaning(error: Exception, found: Verdict) -> str:
    name = type(error).__name__
    if found is Verdict.AUTH:
        return _MEANINGS[found]
    if name in _NAMED:
        return _NAMED[name]
    if name.endswith("ClusterException"):
        return f"none of its nodes answers, or it is no cluster ({_reason(error)})"
    if found is Verdict.UNREACHABLE:
        return f"it cannot be reached ({_reason(error)})"
    if str(error).startswith("DB index"):
        return "it has no database of this number"
    return _MEANINGS.get(found, f"it refuses a command ({described(error)})")


def _reason(error: BaseException) -> str:
    """Why, in the system's words, if any of the errors that led here has some."""
    if type(error).__name__ == "TimeoutError":
        return "no answer in time"
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        if isinstance(each, OSError) and isinstance(each.strerror, str):
            return each.strerror.lower()
        each = each.__cause__ or each.__context__
    return described(error)
