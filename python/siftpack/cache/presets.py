"""Clients made from a URL: redis-py's own, with timeouts and retries for a cache and connections that stay in step.

A cache is worth waiting for less than a quarter of a second in all, see ``siftpack.cache.backends.pace``. Maintenance
notifications are off, because they make redis-py accept connections with unread data; retries are the backend's, who
knows which commands may be repeated.
"""

import inspect
import random
import weakref
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from siftpack.cache.backends.aiocluster import prepared, resolver
from siftpack.cache.backends.guard import guarded
from siftpack.cache.backends.masters import as_master, as_master_async
from siftpack.cache.decide import refuse
from siftpack.errors import PolicyError

TIMEOUT: Final = 0.225
"""Seconds for one operation: for connecting and for an answer, together."""
CONNECTIONS: Final = 50
"""Connections of one client."""
CONNECTIONS_OF_A_LOOP: Final = 16
"""Connections of one asyncio client: more do not make one thread faster, and each waits for all the others."""
SCHEMES: Final = {
    "redis": "redis",
    "rediss": "rediss",
    "unix": "unix",
    "valkey": "redis",
    "valkeys": "rediss",
    "redis+sentinel": "redis",
    "rediss+sentinel": "rediss",
    "redis+cluster": "redis",
    "rediss+cluster": "rediss",
}
_REFUSED: Final = frozenset(
    (
        *("decode_responses", "single_connection_client", "cache", "cache_config"),
        *("read_from_replicas", "load_balancing_strategy"),
    )
)
_OBJECTS: Final = frozenset(
    (
        *("address_remap", "command_packer", "credential_provider", "encoder_class", "event_dispatcher", "queue_class"),
        *("maint_notifications_config", "policy_resolver", "redis_connect_func", "retry"),
        *("himport_registry", "parser_class", "socket_keepalive_options"),
    )
)
"""Options that redis-py takes from a URL as they stand, and no text makes sense for."""


def scheme_of(url: object) -> str:
    """The scheme of a URL. Raises ``PolicyError`` for another; the message shows no more than it."""
    if type(url) is not str or "://" not in url:
        raise PolicyError("a cache URL looks like redis://host, or memory://")
    scheme = url.partition("://")[0].lower()
    if scheme != "memory" and scheme not in SCHEMES:
        raise PolicyError(f"no store for {scheme[:20]!r}: known are memory, {', '.join(SCHEMES)}")
    return scheme


def in_memory(url: object, client: object) -> bool:
    """True if a URL, or None, names the store in this process. Raises ``PolicyError`` for what would be ignored."""
    if url is not None and scheme_of(url) != "memory":
        return False
    if type(url) is str and url.partition("://")[2]:
        raise PolicyError("memory:// is a URL by itself; for bounds there is MemoryBackend(max_bytes=...)")
    if client:
        raise PolicyError("client holds options of redis-py, and memory:// has no client")
    return True


def options_of(client: Any) -> dict[str, Any]:
    """Further options for redis-py. Raises ``PolicyError`` for what is no mapping from names."""
    try:
        options = dict({} if client is None else client)
    except (TypeError, ValueError):
        options = {None: None}
    if not all(type(name) is str for name in options):
        raise PolicyError("client is a mapping from names of options of redis-py")
    return options


def maker(url: str, *, asynchronous: bool, **options: Any) -> Callable[[], Any]:
    """What makes the client of a URL, checked as far as that goes without a server.

    ``options`` go to redis-py, those in the URL win. Raises ``PolicyError`` for a URL or option that makes no sense.
    """
    scheme = scheme_of(url)
    refused = _REFUSED & options.keys()
    if refused:
        raise PolicyError(f"a cache cannot use a client with {', '.join(sorted(refused))}")
    try:
        import redis
    except ImportError:
        raise PolicyError("this URL needs the package redis: pip install 'siftpack[redis]'") from None
    rest = SCHEMES[scheme] + url[len(scheme) :]
    try:
        if scheme.endswith("+sentinel"):
            return _sentinel(rest, asynchronous, options)
        if scheme.endswith("+cluster"):
            return _cluster(rest, asynchronous, options)
        return _single(rest, asynchronous, options)
    except PolicyError:
        raise
    except (ValueError, TypeError, AttributeError, redis.RedisError) as wrong:
        raise PolicyError(f"the cache URL or an option makes no sense ({type(wrong).__name__})") from None


def _defaults(options: dict[str, Any], asynchronous: bool) -> dict[str, Any]:
    from redis.backoff import NoBackoff
    from redis.maint_notifications import MaintNotificationsConfig

    if asynchronous:
        from redis.asyncio.retry import Retry
    else:
        from redis.retry import Retry  # type: ignore[assignment]  # the twin of the other
    return {
        "socket_timeout": TIMEOUT,
        "socket_connect_timeout": TIMEOUT,
        "retry": Retry(NoBackoff(), 0),
        "max_connections": CONNECTIONS_OF_A_LOOP if asynchronous else CONNECTIONS,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        **options,
    }


def _modules(asynchronous: bool) -> tuple[Any, Any, Any]:
    """Client, connection module and sentinel module of redis-py."""
    if asynchronous:
        import redis.asyncio as client
        from redis.asyncio import connection, sentinel

        return client, connection, sentinel
    import redis as sync_client
    from redis import connection as sync_connection
    from redis import sentinel as sync_sentinel

    return sync_client, sync_connection, sync_sentinel


def _parsed(url: str, asynchronous: bool, options: dict[str, Any]) -> tuple[dict[str, Any], type]:
    _, connection, _ = _modules(asynchronous)
    merged = {**_defaults(options, asynchronous), **connection.parse_url(url)}
    if _REFUSED & merged.keys():
        raise PolicyError(f"a cache cannot use a client with {', '.join(sorted(_REFUSED & merged.keys()))}")
    texts = [name for name, value in merged.items() if name in _OBJECTS and type(value) is str]
    if texts:
        raise PolicyError(f"no text makes sense for {', '.join(sorted(texts))}; client= takes objects")
    if str(merged.get("protocol", 3)) not in ("2", "3"):
        raise PolicyError("protocol is 2 or 3")
    cls: type = merged.pop("connection_class", connection.Connection)
    if issubclass(cls, connection.UnixDomainSocketConnection) and not merged.get("path"):
        raise PolicyError("unix:// is followed by the path of a socket")
    return merged, cls


def _single(url: str, asynchronous: bool, options: dict[str, Any]) -> Callable[[], Any]:
    client, connection, _ = _modules(asynchronous)
    merged, cls = _parsed(url, asynchronous, options)
    pool = guarded(connection.ConnectionPool)(connection_class=guarded(cls), **merged)
    pool.connection_class(**pool.connection_kwargs)  # says now what is wrong with the options
    made = client.Redis(connection_pool=pool)
    refuse(made)
    return lambda: made


def _hosts(netloc: str, port: int) -> list[tuple[str, int]]:
    pairs = []
    for host in netloc.rpartition("@")[2].split(","):
        one = urlsplit(f"//{host}")
        if not one.hostname:
            raise PolicyError("the cache URL names no host")
        pairs.append((one.hostname, one.port or port))
    return pairs


def _first_alone(url: str, path: str) -> str:
    """The URL with its first host alone and another path, for a parser that knows one host."""
    split = urlsplit(url)
    login, at, hosts = split.netloc.rpartition("@")
    return split._replace(netloc=f"{login}{at}{hosts.partition(',')[0]}", path=path).geturl()


def _sentinel(url: str, asynchronous: bool, options: dict[str, Any]) -> Callable[[], Any]:
    """Of ``redis+sentinel://[user:password@]host[:26379],host.../service[/db][?sentinel_password=...]``."""
    client, connection, sentinel = _modules(asynchronous)
    split = urlsplit(url)
    service, _, db = unquote(split.path).strip("/").partition("/")
    if not service:
        raise PolicyError("redis+sentinel://hosts/service: the service is missing")
    merged, cls = _parsed(_first_alone(url, f"/{db}" if db else ""), asynchronous, options)
    tls = issubclass(cls, connection.SSLConnection)
    for name in ("host", "port"):
        merged.pop(name, None)
    login = {name: merged.pop(f"sentinel_{name}") for name in ("username", "password") if f"sentinel_{name}" in merged}
    shared = {name: value for name, value in merged.items() if name.startswith("ssl_")} if tls else {}
    hosts = _hosts(split.netloc, 26379)
    asked = {**_defaults({}, asynchronous), **_shares(merged, len(hosts)), **login, **shared}
    guard = guarded(connection.ConnectionPool)
    found = sentinel.Sentinel([], sentinel_kwargs={})
    found.sentinels = [
        client.Redis(connection_pool=guard(connection_class=guarded(cls), host=host, port=port, **asked))
        for host, port in hosts
    ]
    managed = sentinel.SentinelManagedSSLConnection if tls else sentinel.SentinelManagedConnection
    made = found.master_for(
        service,
        connection_pool_class=guarded(sentinel.SentinelConnectionPool),
        connection_class=guarded(managed),
        **{"redis_connect_func": as_master_async if asynchronous else as_master, **merged},
    )
    made.connection_pool.connection_class(**made.connection_pool.connection_kwargs)
    refuse(made)
    return lambda: made


def _shares(options: dict[str, Any], sentinels: int) -> dict[str, Any]:
    """Time limits of each sentinel: one that hangs leaves time for the others, and all of them some for the master."""
    whole = options["socket_timeout"]
    share = None if whole is None else whole / (sentinels + 1)
    return {"socket_timeout": share, "socket_connect_timeout": share, "patience": whole}


def _cluster(url: str, asynchronous: bool, options: dict[str, Any]) -> Callable[[], Any]:
    """Of ``redis+cluster://[user:password@]host[:6379],host...``; the client asks the nodes when it is made."""
    client, connection, _ = _modules(asynchronous)
    merged, cls = _parsed(_first_alone(url, ""), asynchronous, options)
    merged.pop("host", None)
    merged.pop("port", None)
    if "wait" in merged:
        raise PolicyError("wait is no option for a cluster")
    if merged.pop("db", 0):
        raise PolicyError("a cluster has no database but 0")
    split = urlsplit(url)
    if split.path.strip("/") not in ("", "0"):
        raise PolicyError("a cluster has no database but 0")
    hosts = _hosts(split.netloc, 6379)
    merged["retry"] = _defaults({}, asynchronous)["retry"]
    if not asynchronous:  # the other one sleeps before it tries a pipeline again; the backend does not
        merged["retry"].update_retries(1)
    if asynchronous:
        tls = {"ssl": True} if issubclass(cls, connection.SSLConnection) else {}

        def make_async() -> Any:
            nodes = [client.cluster.ClusterNode(host, port) for host, port in _shuffled(hosts)]
            made = client.RedisCluster(startup_nodes=nodes, **tls, **{"policy_resolver": resolver(), **merged})
            return prepared(made, guarded(cls))

        make_async()  # asks nobody yet, and says now what is wrong with the options
        return make_async
    import redis.cluster

    pool = guarded(connection.ConnectionPool)
    own = inspect.signature(redis.cluster.RedisCluster.__init__).parameters.keys()
    tried = pool(connection_class=guarded(cls), **{name: value for name, value in merged.items() if name not in own})
    tried.connection_class(**tried.connection_kwargs)  # says now what is wrong with the options
    host, port = hosts[0]
    entry = f"redis://[{host}]:{port}" if ":" in host else f"redis://{host}:{port}"

    def make() -> Any:
        node: Any = redis.cluster.ClusterNode
        nodes = [node(host, port) for host, port in _shuffled(hosts)]
        every: weakref.WeakSet[Any] = weakref.WeakSet()

        def of_node(**options: Any) -> Any:
            made = pool(**options)
            every.add(made)
            return made

        made: Any = redis.cluster.RedisCluster(
            url=entry, startup_nodes=nodes, connection_class=guarded(cls), connection_pool_class=of_node, **merged
        )
        made.every_pool = every  # it forgets those of nodes that left the cluster, and closes none
        return made

    return make


def _shuffled(hosts: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Each time another one is asked first: one that hangs is not in the way of the others for ever."""
    return random.sample(hosts, len(hosts))
