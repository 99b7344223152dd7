"""Writing an entry in the place of an old value: only if that is still there, with its time to live, in one step.

In place and between names of one server a script does it. Between two servers of a cluster nothing can be atomic: the
new entry is written if there is none, and then the old value is deleted if it did not change; if it did, the new entry
is taken back.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from siftpack.cache.frames import Place
from siftpack.cli.forms import Form
from siftpack.cli.sweeps import ask, is_away, is_other_type

DONE: Final = 1
CHANGED: Final = 0
GONE: Final = -1
TAKEN: Final = -2
AWAY: Final = -3
ALREADY: Final = 2
"""Outcomes: written; another value now; no value now; the new name has another entry; on its way to another server; the
new name has this very entry."""

_IN_PLACE: Final = """
local now = redis.pcall('GET', KEYS[1])
if not now then return -1 end
if now ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1
"""
_MOVE: Final = """
local now = redis.pcall('GET', KEYS[1])
if not now then return -1 end
if now ~= ARGV[1] then return 0 end
if redis.call('EXISTS', KEYS[2]) == 1 then return -2 end
if ARGV[3] == 'move' then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
  redis.call('RENAME', KEYS[1], KEYS[2])
  return 1
end
local left = redis.call('PTTL', KEYS[1])
if left >= 0 then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', math.max(left, 1))
else
  redis.call('SET', KEYS[2], ARGV[2])
end
return 1
"""
_DROP: Final = """
local now = redis.pcall('GET', KEYS[1])
if not now then return -1 end
if now ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1
"""


class Change(NamedTuple):
    """One value to be rewritten."""

    source: bytes
    place: Place
    old: bytes
    new: bytes
    form: Form

    @property
    def target(self) -> bytes:
        """The new name as it is sent."""
        return self.place.full_key.encode()


class Mover:
    """Writes changes. ``same`` says whether an entry that is there already is the one that would be written."""

    def __init__(
        self, client: Any, *, cluster: bool, keep: bool, same: Callable[[Any, bytes, Place], bool], dry: bool
    ) -> None:
        self._client = client
        self._cluster = cluster
        self._keep = keep
        self._same = same
        self._dry = dry

    def write(self, node: Any, changes: Sequence[Change]) -> list[int]:
        """The outcome of each change; ``node`` is the client of the server that has the old values.

        Raises the client's errors; some of the changes may have been made then, each of them as a whole.
        """
        near = [change for change in changes if not self._apart(change)]
        outcomes = dict(zip((change.source for change in near), self._near(node, near), strict=True))
        return [outcomes[each.source] if each.source in outcomes else self._far(each) for each in changes]

    def _apart(self, change: Change) -> bool:
        if not self._cluster or change.source == change.target:
            return False
        from redis.crc import key_slot

        return bool(key_slot(change.source) != key_slot(change.target))

    def _near(self, node: Any, changes: list[Change]) -> list[int]:
        if self._dry:
            return self._would(node, changes)
        scripts = [("SCRIPT", "LOAD", text) for text in (_IN_PLACE, _MOVE)] if changes else []
        answers = ask(node, [*scripts, *map(self._call, changes)])[len(scripts) :]
        return [self._settled(node, change, answer) for change, answer in zip(changes, answers, strict=True)]

    def _would(self, node: Any, changes: list[Change]) -> list[int]:
        moved = [change for change in changes if change.source != change.target]
        there = dict(zip((c.source for c in moved), ask(node, [("EXISTS", c.target) for c in moved]), strict=True))
        return [self._settled(node, change, TAKEN if there.get(change.source, 0) == 1 else DONE) for change in changes]

    def _call(self, change: Change) -> tuple[Any, ...]:
        if change.source == change.target:
            return "EVALSHA", _sha(_IN_PLACE), 1, change.source, change.old, change.new
        word = "keep" if self._keep else "move"
        return "EVALSHA", _sha(_MOVE), 2, change.source, change.target, change.old, change.new, word

    def _settled(self, node: Any, change: Change, answer: Any) -> int:
        if is_away(answer):
            return AWAY
        if isinstance(answer, Exception):
            raise answer
        return self._taken(node, change) if answer == TAKEN else int(answer)

    def _taken(self, client: Any, change: Change) -> int:
        """An earlier run may have been ended between writing the new entry and deleting the old value."""
        try:
            there = client.get(change.target)
        except Exception as error:
            if not is_other_type(error):
                raise
            return TAKEN
        if not self._same(there, change.new, change.place):
            return TAKEN
        if self._keep:
            return ALREADY
        return DONE if self._dry else self._drop(client, change.source, change.old)

    def _far(self, change: Change) -> int:
        if self._dry:
            return self._taken(self._client, change) if self._client.exists(change.target) else DONE
        left = int(self._client.pttl(change.source))
        if left == -2:
            return GONE
        options: dict[str, Any] = {} if left < 0 else {"px": max(1, left)}
        if not self._client.set(change.target, change.new, nx=True, **options):
            return self._taken(self._client, change)
        if self._keep:
            return DONE
        dropped = self._drop(self._client, change.source, change.old)
        if dropped != DONE:
            self._drop(self._client, change.target, change.new)
        return dropped

    @staticmethod
    def _drop(client: Any, key: bytes, value: bytes) -> int:
        return int(client.eval(_DROP, 1, key, value))


def _sha(script: str) -> str:
    return hashlib.sha1(script.encode()).hexdigest()  # noqa: S324 - how the server names scripts
