"""What an event adds to which series: decided once, for every kind of metrics."""

from collections import Counter
from typing import Final, NamedTuple

from siftpack.cache.events import Bounded, CacheEvent


class Series(NamedTuple):
    """A counter: its name, what it counts, and the names of its labels beside ``namespace``."""

    name: str
    text: str
    labels: tuple[str, ...]


class Step(NamedTuple):
    """So much more in one series, under these words; the first is the namespace."""

    series: Series
    words: tuple[str, ...]
    amount: int = 1


READS: Final = Series("reads", "Reads by result and format, or the reason of a miss.", ("result", "detail"))
WRITES: Final = Series("writes", "Writes by what they came to: data, lossy, text, skipped, refused.", ("outcome",))
DELETES: Final = Series("deletes", "Entries deleted because the caller asked.", ())
ERRORS: Final = Series("errors", "Errors of the store by kind.", ("kind",))
ALARMS: Final = Series("alarms", "What should never occur: moved entries, broken seals, refused logins.", ())
BYTES: Final = Series("bytes", "Bytes of entries read (out) and written (in).", ("direction",))
FINDINGS: Final = Series("findings", "What writes left out, by kind and type.", ("kind", "type"))
COMPUTING: Final = Series("computing", "Loaders run, answers shared, given stale, renewed, gone past.", ("what",))
ALL: Final = (READS, WRITES, DELETES, ERRORS, ALARMS, BYTES, FINDINGS, COMPUTING)


class Times(NamedTuple):
    """A histogram: its name, what is timed, the label beside ``namespace``, and the seconds that part it."""

    name: str
    text: str
    label: str
    bounds: tuple[float, ...]


LOADERS: Final = Times(
    *("compute_seconds", "How long loaders took.", "result"),
    (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0),
)
STORE: Final = Times(
    *("store_seconds", "How long the store took for one entry.", "operation"),
    (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
)
TIMES: Final = (LOADERS, STORE)


class Measures:
    """The steps of events. Namespaces and types beyond the first ``DISTINCT`` are counted as ``OTHERS``."""

    __slots__ = ("_namespaces", "_types")

    def __init__(self) -> None:
        self._namespaces = Bounded()
        self._types = Bounded()

    def namespace(self, event: CacheEvent) -> str:
        """The event's namespace as a label."""
        return self._namespaces(event.namespace)

    def timed(self, event: CacheEvent) -> tuple[Times, tuple[str, str]] | None:
        """The histogram that the seconds of an event belong to, and its words; None for one that has none."""
        if event.seconds is None:
            return None
        if event.name == "compute":
            return LOADERS, (self.namespace(event), event.detail)
        return STORE, (self.namespace(event), "write" if event.name == "write" else "read")

    def steps(self, event: CacheEvent) -> list[Step]:
        """What an event adds."""
        space = self.namespace(event)
        found = [Step(ALARMS, (space,))] if event.alarm else []
        if event.name in ("hit", "miss"):
            found.append(Step(READS, (space, event.name, event.detail)))
        elif event.name == "write":
            found.append(Step(WRITES, (space, event.detail)))
            kinds = Counter((finding.kind.value, self._types(finding.type_name)) for finding in event.findings)
            found += [Step(FINDINGS, (space, *words), count) for words, count in kinds.items()]
        elif event.name == "delete":
            found.append(Step(DELETES, (space,), event.entries))
        elif event.name == "error":
            found.append(Step(ERRORS, (space, event.detail)))
        elif event.name == "compute":
            found.append(Step(COMPUTING, (space, f"compute_{event.detail}")))
        else:
            found.append(Step(COMPUTING, (space, event.name)))
        if event.size:
            found.append(Step(BYTES, (space, "in" if event.name == "write" else "out"), event.size))
        return found
