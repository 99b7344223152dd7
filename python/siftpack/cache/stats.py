"""Counters: one tally for the namespace, and one for each of the users and agents last seen, up to a bound."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

from siftpack.cache import forks
from siftpack.cache.entries import ALARMS, Reason
from siftpack.cache.events import DISTINCT, OTHERS, CacheEvent, Observers
from siftpack.report import Finding

TALLIES_KEPT: Final = 1000
"""Users, and agents, that have a tally of their own; of more, the longest unused are added up under ``OTHERS``."""
_NOBODY: Final = Observers()


class Tally:
    """What was counted under one label. Changed under the lock of ``Stats`` alone."""

    __slots__ = (
        *("alarms", "bytes_in", "bytes_out", "computing", "deletes", "errors", "findings", "formats", "hits", "lossy"),
        *("misses", "reasons", "refused", "sets", "skipped", "texts", "types"),
    )

    def __init__(self) -> None:
        self.hits = self.misses = self.sets = self.deletes = self.alarms = 0
        self.bytes_in = self.bytes_out = self.lossy = self.texts = self.skipped = self.refused = 0
        self.reasons: dict[str, int] = {}
        self.formats: dict[str, int] = {}
        self.errors: dict[str, int] = {}
        self.findings: dict[str, int] = {}
        self.types: dict[str, int] = {}
        self.computing: dict[str, int] = {}

    def add(self, other: "Tally") -> None:
        """Takes over another's counts."""
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, dict):
                for word, count in theirs.items():
                    _count(mine, word, count)
            else:
                setattr(self, name, mine + theirs)

    def shown(self) -> dict[str, Any]:
        """Plain data. ``hit_rate`` is hits of all reads, errors counted as misses, from 0 to 1."""
        reads = self.hits + self.misses
        return {
            "hits": self.hits,
            "misses": self.misses,
            "hit_rate": self.hits / reads if reads else 0.0,
            "hit_percent": round(100 * self.hits / reads, 2) if reads else 0.0,
            "misses_by_reason": dict(self.reasons),
            "sets": self.sets,
            "deletes": self.deletes,
            "formats": dict(self.formats),
            "lossy_writes": self.lossy,
            "text_writes": self.texts,
            "skipped_writes": self.skipped,
            "refused_writes": self.refused,
            "findings": dict(self.findings),
            "findings_by_type": dict(self.types),
            "computing": dict(self.computing),
            "errors": sum(self.errors.values()),
            "errors_by_kind": dict(self.errors),
            "alarms": self.alarms,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
        }


class Stats:
    """Thread-safe counters of one namespace. What is counted, observers are told of afterwards, without the lock."""

    __slots__ = ("__weakref__", "_agents", "_lock", "_namespace", "_observers", "_times", "_total", "_users")

    def __init__(self, namespace: str = "", observers: Observers = _NOBODY) -> None:
        self._namespace = namespace
        self._observers = observers
        self._lock = threading.RLock()
        self._times: dict[str, list[float]] = {}
        self._total = Tally()
        self._users: OrderedDict[str, Tally] = OrderedDict()
        self._agents: OrderedDict[str, Tally] = OrderedDict()
        forks.register(self)

    def hit(self, labels: tuple[str | None, str | None], form: str, size: int, seconds: float | None = None) -> None:
        """A read that gave a value of ``size`` bytes, for which the store took ``seconds``."""
        with self._lock:
            self._took("reads", seconds)
            for tally in self._tallies(labels):
                tally.hits += 1
                tally.bytes_out += size
                tally.formats[form] = tally.formats.get(form, 0) + 1
        if self._observers:
            self._tell(labels, "hit", form, size=size, seconds=seconds)

    def miss(self, labels: tuple[str | None, str | None], reason: Reason, seconds: float | None = None) -> None:
        """A read that gave none."""
        with self._lock:
            self._took("reads", seconds)
            for tally in self._tallies(labels):
                tally.misses += 1
                tally.reasons[reason.value] = tally.reasons.get(reason.value, 0) + 1
                if reason in ALARMS:
                    tally.alarms += 1
        if self._observers:
            self._tell(labels, "miss", reason.value, alarm=reason in ALARMS, seconds=seconds)

    def wrote(  # noqa: PLR0913, PLR0917 - all that is known of a write
        self,
        labels: tuple[str | None, str | None],
        outcome: str,
        size: int,
        found: dict[str, int],
        lost: Sequence[Finding] = (),
        seconds: float | None = None,
    ) -> None:
        """A write: ``outcome`` is ``data``, ``lossy``, ``text``, ``skipped`` or ``refused``; ``lost`` are findings."""
        with self._lock:
            self._took("writes", seconds)
            for tally in self._tallies(labels):
                tally.bytes_in += size
                if outcome == "data":  # nearly always
                    tally.sets += 1
                else:
                    _count_lossy(tally, outcome, found, lost)
        if self._observers:
            self._tell(labels, "write", outcome, size=size, findings=tuple(lost), seconds=seconds)

    def deleted(self, labels: tuple[str | None, str | None], count: int) -> None:
        """Entries deleted because the caller asked."""
        with self._lock:
            for tally in self._tallies(labels):
                tally.deletes += count
        if self._observers:
            self._tell(labels, "delete", entries=count)

    def error(self, labels: tuple[str | None, str | None], kind: str, *, alarm: bool = False) -> None:
        """The store could not be asked; of a read, ``miss`` is counted too."""
        with self._lock:
            for tally in self._tallies(labels):
                tally.errors[kind] = tally.errors.get(kind, 0) + 1
                tally.alarms += alarm
        if self._observers:
            self._tell(labels, "error", kind, alarm=alarm)

    def computing(self, labels: tuple[str | None, str | None], name: str, detail: str = "", **more: Any) -> None:
        """What ``get_or_compute`` and ``cached`` do: ``name`` and ``more`` as in ``CacheEvent``."""
        word = f"{name}_{detail}" if name == "compute" else name
        with self._lock:
            for tally in self._tallies(labels):
                tally.computing[word] = tally.computing.get(word, 0) + 1
        if self._observers:
            self._tell(labels, name, detail, **more)

    def snapshot(self) -> dict[str, Any]:
        """All counts: those of ``Tally.shown``, and the same under ``users`` and ``agents`` by name."""
        with self._lock:
            shown = self._total.shown()
            shown["latency"] = {word: _latency(*times) for word, times in list(self._times.items())}
            shown["observer_failures"] = self._observers.failures
            shown["users"] = _shown(self._users)
            shown["agents"] = _shown(self._agents)
        return shown

    def hit_rate(self) -> float:
        """Hits of all reads, from 0 to 1; a read that failed is a miss."""
        with self._lock:
            reads = self._total.hits + self._total.misses
            return self._total.hits / reads if reads else 0.0

    def reset(self) -> None:
        """Start again from nothing."""
        with self._lock:
            self._times.clear()
            self._total = Tally()
            self._users.clear()
            self._agents.clear()

    def after_fork(self) -> None:
        """The child counts for itself."""
        self._lock = threading.RLock()
        self.reset()

    def _took(self, word: str, seconds: float | None) -> None:
        """Adds a time to those of reads or writes, if it was taken. Called under the lock."""
        if seconds is not None:
            times = self._times.get(word)
            if times is None:
                times = self._times[word] = [0, 0.0, 0.0]
            times[0] += 1
            times[1] += seconds
            times[2] = max(times[2], seconds)

    def _tell(self, labels: tuple[str | None, str | None], name: str, detail: str = "", **more: Any) -> None:
        self._observers.tell(CacheEvent(name, self._namespace, *labels, detail, **more))

    def _tallies(self, labels: tuple[str | None, str | None]) -> list[Tally]:
        user, agent = labels
        tallies = [self._total]
        if user is not None:
            tallies.append(_tally_of(self._users, user))
        if agent is not None:
            tallies.append(_tally_of(self._agents, agent))
        return tallies


def _shown(kept: OrderedDict[str, Tally]) -> dict[str, dict[str, Any]]:
    return {name: tally.shown() for name in list(kept) if (tally := kept.get(name)) is not None}


def _latency(count: float, total: float, most: float) -> dict[str, float]:
    return {"count": int(count), "mean_ms": round(1000 * total / count, 3), "max_ms": round(1000 * most, 3)}


def _count(counts: dict[str, int], word: str, more: int = 1) -> None:
    """Counts a word; those beyond the first ``DISTINCT`` are counted as ``OTHERS``."""
    if word not in counts and len(counts) >= DISTINCT:
        word = OTHERS
    counts[word] = counts.get(word, 0) + more


def _count_lossy(tally: Tally, outcome: str, found: dict[str, int], lost: Sequence[Finding]) -> None:
    tally.sets += outcome == "lossy"
    tally.lossy += outcome == "lossy"
    tally.texts += outcome == "text"
    tally.skipped += outcome == "skipped"
    tally.refused += outcome == "refused"
    for kind, count in found.items():
        tally.findings[kind] = tally.findings.get(kind, 0) + count
    for finding in lost:
        _count(tally.types, f"{finding.kind.value} {finding.type_name}")


def _tally_of(kept: OrderedDict[str, Tally], name: str) -> Tally:
    tally = kept.get(name)
    if tally is not None:
        if name in kept:  # a finalizer that counts may have run in between
            kept.move_to_end(name)
        return tally
    tally = kept[name] = Tally()
    while len(kept) > TALLIES_KEPT:
        oldest = next(each for each in kept if each != OTHERS)
        others = kept.get(OTHERS)
        if others is None:
            others = kept[OTHERS] = Tally()
        others.add(kept.pop(oldest, Tally()))
    return tally
