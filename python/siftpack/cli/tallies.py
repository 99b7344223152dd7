"""Counts of what a scan finds, in memory that does not grow with the number of keys."""

import heapq
from bisect import bisect
from collections import Counter
from typing import Any, Final

from siftpack.cli.sweeps import ENDLESS, Item
from siftpack.cli.written import written

FORMS: Final = 200
"""Forms that are told apart; what comes beyond is counted under ``(others)``."""
_OTHERS: Final = "(others)"
ENDS: Final = (60, 600, 3600, 86_400, 604_800, 2_592_000)
"""Seconds that tell times to live apart."""


class Row:
    """The counts of one form: keys, bytes of values, the largest of them, keys without an end."""

    __slots__ = ("bytes", "endless", "keys", "largest")

    def __init__(self) -> None:
        self.keys = self.bytes = self.largest = self.endless = 0

    def add(self, item: Item) -> None:
        """Count one key."""
        self.keys += 1
        self.bytes += item.size
        self.largest = max(self.largest, item.size)
        self.endless += item.ttl == ENDLESS


class Tally:
    """What was found: rows by form, sizes of strings in powers of four, times to live, the largest."""

    def __init__(self, top: int) -> None:
        self.rows: dict[str, Row] = {}
        self.sizes: Counter[int] = Counter()
        self.ends: Counter[int] = Counter()
        self.total = Row()
        self.finished = False
        self._top = top
        self._largest: list[tuple[int, bytes, str]] = []

    def add(self, item: Item) -> None:
        """Count one key."""
        label = item.form.label
        if label not in self.rows and len(self.rows) >= FORMS:
            label = _OTHERS
        self.rows.setdefault(label, Row()).add(item)
        self.total.add(item)
        if item.ttl >= 0:
            self.ends[bisect(ENDS, item.ttl / 1000)] += 1
        if item.type != "string":
            return
        self.sizes[(item.size.bit_length() + 1) // 2] += 1
        entry = (item.size, item.key, label)
        if len(self._largest) < self._top:
            heapq.heappush(self._largest, entry)
        elif self._top and entry > self._largest[0]:
            heapq.heapreplace(self._largest, entry)

    def forms(self) -> list[tuple[str, Row]]:
        """The rows, most keys first."""
        return sorted(self.rows.items(), key=lambda each: (-each[1].keys, each[0]))

    def largest(self) -> list[tuple[int, bytes, str]]:
        """Size, key and form of the largest strings, each key once, largest first."""
        return sorted(dict.fromkeys(self._largest), reverse=True)

    def plain(self) -> dict[str, Any]:
        """All of it for JSON; keys as ``written`` writes them."""
        return {
            "finished": self.finished,
            "keys": self.total.keys,
            "bytes": self.total.bytes,
            "without_end": self.total.endless,
            "forms": [
                {"form": name, "keys": row.keys, "bytes": row.bytes, "largest": row.largest, "without_end": row.endless}
                for name, row in self.forms()
            ],
            "sizes": [
                {"from": 4**power // 4, "below": 4**power, "keys": self.sizes[power]} for power in _between(self.sizes)
            ],
            "seconds_left": [
                {"from": (0, *ENDS)[at], "below": (*ENDS, None)[at], "keys": self.ends[at]}
                for at in _between(self.ends)
            ],
            "largest": [{"key": written(key), "bytes": size, "form": form} for size, key, form in self.largest()],
        }


def _between(counts: "Counter[int]") -> range:
    """From the first bucket that is used to the last."""
    return range(min(counts), max(counts) + 1) if counts else range(0)
