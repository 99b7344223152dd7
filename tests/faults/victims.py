"""Both shells on every topology, which live through a fault at the same time and write down what they saw."""

import threading
from collections.abc import Callable
from typing import Any

from siftpack.cache import MISSING
from siftpack.testing.outages import Rig
from tests.faults.shells import SHELLS, Stalls, Took, back, shell, tier, timed

FIRST = 0.25
"""Seconds that a call may take while it is found out that the store is away."""
OPEN = 0.001
"""Seconds that a call may take once that is known."""
BACK = 1.0
"""Seconds after the end of a fault until the store is used again."""


class Victim(threading.Thread):
    """One shell on one topology that lives through a fault, and writes down what it saw."""

    def __init__(self, kind: str, where: Rig, gates: tuple[threading.Barrier, threading.Barrier]) -> None:
        super().__init__(name=f"{kind} on {where.topology}")
        self.kind = kind
        self.where = where
        self.gates = gates
        self.wrong: list[str] = []
        self.first: list[Took] = []
        self.later: list[Took] = []
        self.back: list[Took] = []
        self.raised: BaseException | None = None
        self.breaker: Any = None

    def run(self) -> None:
        try:
            with shell(self.kind, self.where.url, namespace=self.kind) as cache:
                self._live(cache, cache.for_user("u"))
        except threading.BrokenBarrierError:  # another one says why
            pass
        except BaseException as raised:
            self.raised = raised
            for gate in self.gates:
                gate.abort()

    def _live(self, cache: Any, user: Any) -> None:
        back(cache, user)
        for key in ("old", "gone", "other"):
            while not (user.set(key, "v1") and user.get(key) == "v1"):  # a busy machine makes a quick server slow
                back(cache, user)
        self.breaker = tier(cache).breaker
        for gate in self.gates[:1] * 2:  # once before the fault, once after
            gate.wait(30)
        self._say("old", self._timed(user.get, "old"), ("v1", MISSING))
        for number in range(30):
            self._timed(user.set, "old", "v2")
            self._say("old", self._timed(user.get, "old"), ("v2", MISSING))
            self._timed(user.set, "late", number)
            self._timed(user.delete, "late")
            self._timed(user.delete, "gone")
            self._say("late", self._timed(user.get, "late"), (MISSING,))
            many = self._timed(user.get_many, ["gone", "other", "old"])
            for key, right in (("gone", (MISSING,)), ("other", ("v1", MISSING)), ("old", ("v2", MISSING))):
                self._say(key, many.get(key, MISSING), right)
            entry = self._timed(user.get_entry, "old")
            self._say("old", entry and entry.value, ("v2", MISSING))
            if not self.breaker.closed and len(self.later) > 40:
                break
        for gate in self.gates[1:] * 2:
            gate.wait(30)
        self.back.append(back(cache, user))
        for key, right in (("old", ("v2", MISSING)), ("gone", (MISSING,)), ("late", (MISSING,))):
            self._say(f"{key} afterwards", user.get(key), right)
        self._say("new", user.set("new", "v3") and user.get("new"), ("v3",))
        name = f"{self.kind}:{{u}}:new" if self.where.topology == "cluster" else f"{self.kind}:u:new"
        if self.where.stored(name) is None:
            self.wrong.append("what was written afterwards is not in the store")

    def _timed(self, call: Any, *args: Any) -> Any:
        closed = self.breaker.closed
        seconds, answer = timed(lambda: call(*args))
        (self.first if closed else self.later).append(seconds)
        return answer

    def _say(self, what: str, found: Any, right: tuple[Any, ...]) -> None:
        if found not in right:
            self.wrong.append(f"{what}: {found!r}")


def suffer(rigs: list[Rig], begin: Callable[[Rig], None], end: Callable[[Rig], None]) -> list[Victim]:
    """The victims of a fault on all topologies, after what is true of every fault was found true of them."""
    count = len(rigs) * len(SHELLS)
    gates = (threading.Barrier(count + 1), threading.Barrier(count + 1))
    victims = [Victim(kind, where, gates) for where in rigs for kind in SHELLS]
    with Stalls() as stalls:
        for victim in victims:
            victim.start()
        try:
            for gate, change in zip(gates, (begin, end), strict=True):
                gate.wait(30)
                for where in rigs:
                    change(where)
                gate.wait(30)
        except threading.BrokenBarrierError:
            for where in rigs:
                end(where)
        for victim in victims:
            victim.join(30)
    for victim in victims:
        if victim.raised is not None:
            raise victim.raised
        assert victim.wrong == [], f"{victim.name}: {victim.wrong}"
        stalls.check(f"{victim.name}, first calls", victim.first, FIRST)
        stalls.check(f"{victim.name}, with an open breaker", victim.later, OPEN, some=0.2)
        stalls.check(f"{victim.name}, until it is back", victim.back, BACK)
    return victims
