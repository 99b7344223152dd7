"""What both shells do between the caller and the store: names, bytes out of values, values out of bytes, counting."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import siftpack.bridge  # noqa: F401 - not first in a thread: a child forked meanwhile would wait for its import for ever
from siftpack import wire
from siftpack._core import dumps_behind, packb, unpack_from
from siftpack.cache import legacy as old
from siftpack.cache.backends import ENDLESS
from siftpack.cache.decide import (
    OnLossy,
    Outcome,
    Verdict,
    described,
    flag,
    milliseconds,
    nothing_left,
    passes,
    verdict,
)
from siftpack.cache.entries import ALARMS, Degraded, Entry, Reason, Unreadable
from siftpack.cache.events import Observers
from siftpack.cache.flights import Flights
from siftpack.cache.frames import HEAD, Place, bind, bound_head, open_frame
from siftpack.cache.keys import Keys, checked, full_key
from siftpack.cache.seal import Seal
from siftpack.cache.seldom import Seldom
from siftpack.cache.stats import Stats
from siftpack.cache.text import render
from siftpack.errors import DecodeError, EncodeError, PolicyError
from siftpack.listed import types_of
from siftpack.policy import DEFAULT, Limits, Policy
from siftpack.serializer import Serializer

log: Final = logging.getLogger("siftpack.cache")
_LIMITS: Final = Limits()


class Owner(NamedTuple):
    """One face of the cache: whose entries, what their names begin with, and under what they are counted."""

    user: str
    prefix: str
    labels: tuple[str | None, str | None]


@dataclass(slots=True)
class Read:
    """A value that was read, and how.

    Made before its value: to make it afterwards could set the collector going over all the containers of that.
    """

    value: Any
    format: str
    lossy: bool
    written: int
    """Milliseconds since 1970; 0 if unknown."""
    rewrite: bool
    """True if it should be written back as ours."""
    size: int = 0
    """Bytes of the entry."""


class Batch(NamedTuple):
    """What writing many values comes to: the outcome for each key, the names to delete, and what to store."""

    outcomes: dict[str, Outcome]
    refused: list[str]
    items: list[tuple[str, bytes]]


class Engine:
    """Everything about a cache but its I/O. Immutable after it was made, and safe between threads."""

    def __init__(  # noqa: PLR0913 - one argument an option
        self,
        *,
        namespace: str = "siftpack",
        ttl: float | None = 3600,
        policy: Policy = DEFAULT,
        limits: Limits = _LIMITS,
        types: Any = (),
        compression: Any = None,
        on_lossy: str = "store",
        legacy: old.Legacy | None = None,
        seal: Seal | None = None,
        multi_user: bool = True,
        hash_tags: bool = False,
        on_event: Any = (),
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.keys = Keys(namespace, hash_tags=flag(hash_tags, "hash_tags"))
        self.namespace = checked(namespace, "namespace")
        self.default_ttl = milliseconds(ttl)
        self.multi_user = flag(multi_user, "multi_user")
        self.stats = Stats(self.namespace, Observers(on_event))
        self.flights = Flights()
        self._seal = _checked_seal(seal, legacy)
        self._legacy = old.NONE if legacy is None else legacy
        self.limits = limits
        self._types = types_of(types)
        self._policy = policy
        self._serializer = Serializer(policy=policy, types=self._types, limits=limits, compression=compression)
        self._at_once = compression is None and seal is None
        """Whether the walk writes entries as they are stored, behind their own heads."""
        if not callable(wall_clock):
            raise PolicyError("wall_clock is a function that gives seconds since 1970")
        self._wall_clock = wall_clock
        self._seldom = Seldom()
        try:
            self._on_lossy = OnLossy(on_lossy)
        except ValueError:
            raise PolicyError("on_lossy is 'store', 'skip' or 'raise'") from None

    def owner(self, user: str | None, agent: str | None) -> Owner:
        """The face of one user, or of nobody. Raises ``PolicyError`` for names that are none."""
        if agent is not None and type(agent) is not str:
            raise PolicyError("agent must be a str")
        prefix = self.keys.prefix(user)
        exact = "" if user is None else checked(user, "user")
        return Owner(exact, prefix, (exact or None, agent))

    def ttl(self, ttl: Any) -> int | None:
        """Milliseconds of a time to live; the cache's own for ``...``."""
        return self.default_ttl if ttl is ... else milliseconds(ttl)

    def encode(self, value: Any, name: str, owner: Owner, ttl: int | None) -> Outcome:
        """What writing a value comes to. Counts nothing yet: see ``wrote``."""
        try:
            if self._at_once:
                head = bound_head(name, *self._times(ttl))
                frame, report = dumps_behind(value, head, policy=self._policy, types=self._types, limits=self.limits)
            else:
                frame, report = self._serializer.dumps_with_report(value)
        except (EncodeError, MemoryError) as refused:
            if self._on_lossy is OnLossy.RAISE:
                return Outcome(None, "refused", {}, refused)
            return self._text(value, name, owner, ttl)
        if report is None or not frame[2] & wire.FLAG_LOSSY:
            return Outcome(frame if self._at_once else self._bind(frame, name, owner, ttl), "data", {}, None)
        found = {kind.value: count for kind, count in report.counts.items()}
        lost = report.findings
        error = _raised(report) if self._on_lossy is OnLossy.RAISE else None
        if nothing_left(report, nil=frame[HEAD.size if self._at_once else wire.FRAME_HEADER :] == b"\xc0"):
            return Outcome(None, "refused", found, error, lost)
        if self._on_lossy is not OnLossy.STORE:
            return Outcome(None, "skipped", found, error, lost)
        return Outcome(frame if self._at_once else self._bind(frame, name, owner, ttl), "lossy", found, None, lost)

    def wrote(self, owner: Owner, outcome: Outcome, seconds: float | None = None) -> bool:
        """Counts a write that the store took; True if it can be read back as data. Raises the outcome's error."""
        self.stats.wrote(owner.labels, outcome.word, len(outcome.data or b""), outcome.found, outcome.lost, seconds)
        if outcome.error is not None:
            raise outcome.error
        return outcome.data is not None and outcome.word != "text"

    def wrote_many(self, owner: Owner, outcomes: dict[str, Outcome], *, kept: bool) -> dict[str, bool]:
        """``wrote`` for each key, of those that were ``kept``. Raises the first error, after all were counted."""
        errors = [outcome.error for outcome in outcomes.values() if outcome.error is not None]
        stored = {
            key: self.wrote(owner, outcome._replace(error=None)) if kept or outcome.data is None else False
            for key, outcome in outcomes.items()
        }
        if errors:
            raise errors[0]
        return stored

    def decode(self, data: Any, name: str, owner: Owner, *, text: bool = False) -> Read:
        """The value of an entry. Raises ``Unreadable``; ``text`` lets renderings through."""
        if type(data) is not bytes:
            raise Unreadable(_no_bytes(data))
        if data[:1] != b"\xc1":
            if self._seal is not None:
                raise Unreadable(Reason.UNSEALED)
            value, form = old.read(data, name, self._legacy)
            return Read(value, form, False, 0, form == "pickle", len(data))
        place = Place(self.namespace, owner.user, name)
        now = round(self._wall_clock() * 1000) if self._seal is not None else 0
        payload, at, flags, written = open_frame(data, place, now, self._seal, self.limits.bytes)
        is_text = flags & wire.FLAG_TEXT
        if is_text and not text:
            raise Unreadable(Reason.TEXT)
        lossy = bool(flags & wire.FLAG_LOSSY)
        read = Read(None, "text" if is_text else "msgpack", lossy, written, False, len(data))
        try:
            read.value = unpack_from(payload, at, types=self._types, limits=self.limits)
        except (DecodeError, MemoryError):
            raise Unreadable(Reason.CORRUPT) from None
        return read

    def entry(self, read: Read, left: int) -> Entry:
        """What ``get_entry`` gives; ``left`` is what the store says of its time to live."""
        created = read.written / 1000 if read.written else None
        age = None if created is None else max(0.0, self._wall_clock() - created)
        return Entry(read.value, read.format, read.lossy, created, age, self.seconds(left))

    @staticmethod
    def seconds(left: int) -> float | None:
        """A store's milliseconds as seconds, None for no end."""
        return None if left == ENDLESS else max(0, left) / 1000

    def missed(self, owner: Owner, reason: Reason, seconds: float | None = None) -> bool:
        """Counts a miss; True if connections are to be dropped because of it."""
        self.stats.miss(owner.labels, reason, seconds)
        if reason in ALARMS:
            self.tell(f"an entry was refused: {reason.value}")
            return True
        return False

    def failed(self, owner: Owner, error: Exception, *, read: int = False) -> Verdict:
        """Counts an error of the store, and ``read`` misses; raises it again if the caller has to see it."""
        if type(error) is Degraded:  # counted where it was dealt with
            for _ in range(read):
                self.stats.miss(owner.labels, Reason.ERROR)
            return Verdict.UNREACHABLE
        found = verdict(error)
        if found is Verdict.NOT_OURS:
            raise error
        self.stats.error(owner.labels, found.value, alarm=found in (Verdict.AUTH, Verdict.GARBLED))
        for _ in range(read):
            self.stats.miss(owner.labels, Reason.ERROR)
        if passes(found):
            raise error
        self.tell(f"the store failed: {found.value} ({described(error)})")
        return found

    def dealt_with(self, word: str) -> None:
        """Counts an error that the tier answered for."""
        self.stats.error((None, None), word, alarm=word == Verdict.GARBLED)
        self.tell(f"the remote store failed: {word}")

    def rebound(self, data: Any, name: str, owner: Owner, ttl: int | None) -> bytes:
        """A sealed entry with another end. Raises ``Unreadable``."""
        if type(data) is not bytes or data[:1] != b"\xc1":
            raise Unreadable(Reason.UNSEALED)
        place = Place(self.namespace, owner.user, name)
        now = round(self._wall_clock() * 1000)
        payload, at, flags, written = open_frame(data, place, now, self._seal, self.limits.bytes)
        kept = flags & (wire.FLAG_TEXT | wire.FLAG_LOSSY)
        frame = bytes((wire.FRAME_MAGIC, wire.FRAME_VERSION, kept, 0)) + payload[at:]
        return bind(frame, place, written, 0 if ttl is None else now + ttl, self._seal)

    def tell(self, message: str) -> None:
        """Logs a message, once a minute each."""
        if self._seldom(message):
            log.warning("cache %s: %s", self.namespace, message)

    def now(self) -> int:
        """Milliseconds since 1970."""
        return round(self._wall_clock() * 1000)

    def seals(self) -> bool:
        """True if entries carry their end with them, so that a new one means a new frame."""
        return self._seal is not None

    def name(self, owner: Owner, key: Any) -> str:
        """The name of a key in the store. Raises ``PolicyError``."""
        return full_key(owner.prefix, key)

    def names(self, owner: Owner, keys: Any) -> dict[str, str]:
        """Keys, each as its own characters, and their names in the store. Raises ``PolicyError``."""
        if issubclass(type(keys), (str, bytes)):
            raise PolicyError("keys are a list of str, and not one")
        try:
            listed = iter(keys)
        except TypeError:
            raise PolicyError("keys are a list of str") from None
        exact = (checked(key, "key", empty=True) for key in listed)
        return {key: full_key(owner.prefix, key) for key in exact}

    def encode_many(self, owner: Owner, values: Any, ttl: int | None) -> Batch:
        """What writing some values comes to. Raises ``PolicyError`` for what is no mapping from keys to them."""
        try:
            items = list(values.items())
        except AttributeError:
            raise PolicyError("values are a mapping from keys") from None
        names = [self.name(owner, key) for key, _ in items]
        outcomes = [self.encode(value, name, owner, ttl) for name, (_, value) in zip(names, items, strict=True)]
        return Batch(
            {checked(key, "key", empty=True): outcome for (key, _), outcome in zip(items, outcomes, strict=True)},
            [name for name, outcome in zip(names, outcomes, strict=True) if outcome.data is None],
            [(name, outcome.data) for name, outcome in zip(names, outcomes, strict=True) if outcome.data is not None],
        )

    def _times(self, ttl: int | None) -> tuple[int, int]:
        """When an entry is written and when it expires, in milliseconds since 1970; 0 for never."""
        written = round(self._wall_clock() * 1000)
        return written, 0 if ttl is None else written + ttl

    def _bind(self, frame: bytes, name: str, owner: Owner, ttl: int | None) -> bytes:
        return bind(frame, Place(self.namespace, owner.user, name), *self._times(ttl), self._seal)

    def _text(self, value: Any, name: str, owner: Owner, ttl: int | None) -> Outcome:
        try:
            payload = packb(render(value))
        except Exception:  # noqa: BLE001 - the value is hostile or was changed meanwhile: then there is no rendering
            return Outcome(None, "refused", {}, None)
        start = bytes((wire.FRAME_MAGIC, wire.FRAME_VERSION, wire.FLAG_LOSSY | wire.FLAG_TEXT, 0))
        return Outcome(self._bind(start + payload, name, owner, ttl), "text", {}, None)


def _no_bytes(data: Any) -> Reason:
    if data is None:
        return Reason.ABSENT
    return Reason.DECODED if type(data) is str else Reason.GARBLED


def _raised(report: Any) -> Exception | None:
    try:
        report.raise_if_lossy()
    except EncodeError as error:
        return error
    return None


def _checked_seal(seal: Any, legacy: Any) -> Seal | None:
    if seal is not None and type(seal) is not Seal:
        raise PolicyError("seal is a Seal or None")
    if legacy is not None and type(legacy) is not old.Legacy:
        raise PolicyError("legacy is a Legacy or None")
    if seal is not None and legacy is not None:
        raise PolicyError("a sealed cache reads nothing that is not sealed, so it has no legacy")
    return seal
