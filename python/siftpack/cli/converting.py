"""An old value becomes an entry of the cache, or is refused for a reason. Nothing is lost on the way silently."""

import time
from typing import Any, Final, NamedTuple

from siftpack import wire
from siftpack.cache import legacy as old
from siftpack.cache.decide import nothing_left
from siftpack.cache.entries import Unreadable
from siftpack.cache.frames import HEAD, Place, bind, key_digest, open_frame
from siftpack.cache.seal import Seal
from siftpack.cli.sweeps import ENDLESS, Item
from siftpack.errors import DecodeError, EncodeError
from siftpack.policy import Limits
from siftpack.serializer import Serializer

READERS: Final = ("json", "text", "integer", "pickle", "frame")
WHY: Final = {
    "not_string": "no string: a cache reads and writes strings alone",
    "too_large": "larger than --max-bytes",
    "name": "its key is no name of this cache, or becomes none",
    "key_not_utf8": "its key is no UTF-8",
    "no_user": "--map finds no user in its key",
    "reader_off": "its format was not asked for: see --read",
    "foreign": "of another framework, or of nobody we know",
    "bad_json": "starts like JSON and is none that is safe to read",
    "bad_pickle": "not signed for this key, too large, or asks for more than it may",
    "lossy": "something in it is no data and would be left out: see --lossy",
    "no_data": "all of it is machinery",
    "limit": "larger or deeper than the cache would write",
    "moved": "an entry of a cache that was written for another key",
    "unreadable": "a frame that is damaged, of another version, or a mere rendering",
    "unsealed": "an entry without seal where --seal was given",
    "target_exists": "another entry has the name that it would get",
    "changed": "changed each time that it was looked at",
}
"""Why a key is refused, by reason."""
_LIMITS: Final = Limits()


class Refused(Exception):  # noqa: N818 - never leaves the command line
    """A value that is left as it is. ``reason`` is a word of ``WHY``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Reading(NamedTuple):
    """How values are read and written."""

    readers: frozenset[str]
    """Some of ``READERS``."""
    pickles: old.Pickles | None
    seal: Seal | None
    lossy: bool
    max_bytes: int
    serializer: Serializer

    def check(self, item: Item) -> bool:
        """True if the whole value is needed, False for an entry that is ours. Raises ``Refused``."""
        if item.type != "string":
            raise Refused("not_string")
        form = item.form
        if form.family == "siftpack":
            return self._foreign_frame(item)
        family = "text" if form.family == "empty" else form.family
        if form.wrapped or form.detail == "0" or family not in READERS:
            raise Refused("foreign")
        if family not in self.readers:
            raise Refused("reader_off")
        if item.size > self.max_bytes:
            raise Refused("too_large")
        return True

    def convert(self, data: bytes, item: Item, place: Place) -> bytes:
        """The entry for ``place`` of the whole value of an item. Raises ``Refused``."""
        now = round(time.time() * 1000)
        expires = 0 if item.ttl == ENDLESS else now + max(1, item.ttl)
        if data[:1] == bytes((wire.FRAME_MAGIC,)):
            self._readable(data)
            return bind(data, place, now, expires, self.seal)
        try:
            frame, report = self.serializer.dumps_with_report(self._value(data, item))
        except (EncodeError, MemoryError):
            raise Refused("limit") from None
        if frame[2] & wire.FLAG_LOSSY:
            if nothing_left(report, nil=frame[wire.FRAME_HEADER :] == b"\xc0"):
                raise Refused("no_data")
            if not self.lossy:
                raise Refused("lossy")
        return bind(frame, place, now, expires, self.seal)

    def same(self, there: Any, made: bytes, place: Place) -> bool:
        """True if an entry that is there says the same as the one that was made."""
        try:
            if type(there) is not bytes or there[:1] != made[:1]:
                return False
            one, other = (open_frame(frame, place, 0, self.seal, _LIMITS.bytes) for frame in (there, made))
        except Unreadable:
            return False
        kept = wire.FLAG_TEXT | wire.FLAG_LOSSY
        (payload, at, flags, _), (its_payload, its_at, its_flags, _) = one, other
        return payload[at:] == its_payload[its_at:] and flags & kept == its_flags & kept

    def _value(self, data: bytes, item: Item) -> Any:
        family = item.form.family
        readers = old.Legacy(
            json=family == "json",
            text=family in {"text", "empty"},
            integers=family == "integer",
            pickle=self.pickles if family == "pickle" else None,
        )
        try:
            value, _ = old.read(data, item.key.decode(), readers)
        except UnicodeDecodeError:
            raise Refused("key_not_utf8") from None
        except (Unreadable, MemoryError):
            raise Refused(f"bad_{family}" if family in {"json", "pickle"} else "foreign") from None
        return value

    def _foreign_frame(self, item: Item) -> bool:
        """False for an entry that is ours, True for a frame that is to be bound. Raises ``Refused``."""
        head = item.head
        if "unknown" in item.form.detail or "cut" in item.form.detail:
            raise Refused("unreadable")
        if head[2] & wire.FLAG_BOUND:
            if len(head) < HEAD.size:
                raise Refused("unreadable")
            try:
                ours = head[4:20] == key_digest(item.key.decode())
            except UnicodeDecodeError:
                ours = False
            if not ours:
                raise Refused("moved")
            if self.seal is not None and not head[2] & wire.FLAG_SEALED:
                raise Refused("unsealed")
            return False
        if "frame" not in self.readers:
            raise Refused("reader_off")
        if item.size > self.max_bytes:
            raise Refused("too_large")
        return True

    def _readable(self, frame: bytes) -> None:
        """Raises ``Refused`` for a frame that ``loads`` refuses."""
        try:
            Serializer().loads(frame)
        except (DecodeError, MemoryError):
            raise Refused("unreadable") from None
        if frame[2] & wire.FLAG_LOSSY and not self.lossy:
            raise Refused("lossy")
