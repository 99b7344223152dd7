"""Everything that networks and servers do at once, for both shells, on one server, behind a sentinel, in a cluster."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from siftpack.cache import MISSING
from siftpack.testing.faults import Fault, deaf
from siftpack.testing.outages import TOPOLOGIES, Rig, rig
from tests.faults.shells import SHELLS, Stalls, back, measured, shell, tier, timed
from tests.faults.victims import BACK, FIRST, OPEN, suffer

SILENT = (Fault.BLACK_HOLE, Fault.STALLED, Fault.SLOW, Fault.TRUNCATED)
FAULTS = [fault for fault in Fault if fault is not Fault.NONE]


@pytest.fixture(scope="module")
def rigs() -> Iterator[list[Rig]]:
    """All topologies, each behind proxies."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(rig(topology)) for topology in TOPOLOGIES]


@pytest.mark.parametrize("fault", FAULTS)
@measured
def test_a_fault_of_the_network(fault: Fault, rigs: list[Rig]) -> None:
    """No wrong answer, no exception, quick calls, nothing that was deleted or written over, and back in a second."""
    victims = suffer(rigs, lambda where: where.inject(fault), Rig.heal)
    if fault in SILENT:
        assert all(len(victim.later) > 40 for victim in victims)


@pytest.mark.parametrize(("begin", "end"), [(Rig.pause, Rig.resume), (Rig.kill, Rig.start)], ids=["hung", "killed"])
@measured
def test_a_fault_of_the_servers(begin: Callable[[Rig], None], end: Callable[[Rig], None], rigs: list[Rig]) -> None:
    """The same if the servers hang, or die with all that they held and are started again."""
    victims = suffer(rigs, begin, end)
    assert all(len(victim.later) > 40 for victim in victims)


@pytest.mark.parametrize("kind", SHELLS)
@measured
def test_flapping(kind: str, rigs: list[Rig]) -> None:
    """A server that comes and goes every 200 ms gives no wrong answer, no exception, and no slow call."""
    where = rigs[0]
    with Stalls() as stalls, shell(kind, where.url, namespace="flapping") as cache:
        user = cache.for_user("u")
        taken, number = [], 0
        for turn in range(8):
            where.inject(Fault.REFUSED if turn % 2 else Fault.NONE)
            until = timed(lambda: None)[0] + 0.2
            while until > 0:
                number += 1
                seconds, _ = timed(lambda number=number: user.set("k", number))
                more, found = timed(lambda: user.get("k"))
                until -= seconds + more
                taken += [seconds, more]
                assert found in (number, MISSING)
        where.heal()
        again = back(cache, user)
        assert user.set("k", "new")
        assert user.get("k") == "new"
    stalls.check("calls", taken, FIRST)
    stalls.check("until it is back", [again], BACK)


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("kind", SHELLS)
@measured
def test_connections_that_do_not_come_about(kind: str, topology: str) -> None:
    """Behind a firewall that drops packets the first calls are bounded, of three servers in all, and others quick."""
    with Stalls() as stalls, contextlib.ExitStack() as stack:
        count = 1 if topology == "single" else 3
        hosts = ",".join(f"127.0.0.1:{stack.enter_context(deaf())}" for _ in range(count))
        url = {"single": "redis://{}", "sentinel": "redis+sentinel://{}/main", "cluster": "redis+cluster://{}"}[
            topology
        ]
        cache = stack.enter_context(shell(kind, url.format(hosts)))
        user = cache.for_user("u")
        taken = [timed(lambda: user.set("k", 1))[0] for _ in range(30)]
        assert user.get("k") == 1
        assert not tier(cache).breaker.closed
    stalls.check("first calls", taken, FIRST)
    stalls.check("with an open breaker", taken, OPEN, some=0.3)
