"""Which name of the cache a key is, and which one an old key becomes."""

import re
from typing import Final, NamedTuple

from siftpack.cache.backends.redis import glob
from siftpack.cache.frames import Place
from siftpack.cache.keys import Keys, full_key
from siftpack.cli.stores import Trouble
from siftpack.errors import PolicyError

_ESCAPES: Final = re.compile(rb"%([0-9A-F]{2})")


class Name(NamedTuple):
    """A name that a cache makes, taken apart; ``user`` is None for what belongs to nobody."""

    namespace: str
    user: str | None
    key: str
    hash_tags: bool

    @property
    def place(self) -> Place:
        """Where the entry lies, as frames are bound to it."""
        prefix = Keys(self.namespace, hash_tags=self.hash_tags).prefix(self.user)
        return Place(self.namespace, self.user or "", full_key(prefix, self.key))


def name_of(key: bytes) -> Name | None:
    """The parts of a key that a cache could have made, None for any other: made again from them it is the same."""
    try:
        parts = key.decode().split(":")
        if len(parts) != 3:
            return None
        namespace, user, rest = parts
        tagged = user.startswith("{") and user.endswith("}") and len(user) > 1
        inner = user[1:-1] if tagged else user
        name = Name(_plain(namespace), _plain(inner) if inner else None, _plain(rest), tagged)
        return name if name.place.full_key.encode() == key else None
    except (UnicodeError, PolicyError):
        return None


def _plain(part: str) -> str:
    return _ESCAPES.sub(lambda found: bytes((int(found[1], 16),)), part.encode()).decode("utf-8", "surrogatepass")


class Unnamed(Exception):  # noqa: N818 - never leaves the command line
    """A key that has no name in the cache: refused for ``reason``, or not asked for if that is empty."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


class Naming:
    """How keys become names in ``namespace``.

    Without more, a key is its own name, and others than names of the cache are refused. With ``user`` or ``shared`` a
    whole key is the key of that user, or of nobody. With ``pattern`` the groups ``key`` and ``user`` of a match of the
    whole key say so, and other keys were not asked for. Raises ``Trouble`` for what makes no sense together.
    """

    def __init__(
        self, namespace: str, *, user: str | None = None, shared: bool = False, pattern: str | None = None, tags: bool
    ) -> None:
        if user is not None and shared:
            raise Trouble("entries belong to a user or are shared: --user or --shared")
        try:
            self._keys = Keys(namespace, hash_tags=tags)
            self._keys.prefix(user)
            self._pattern = None if pattern is None else re.compile(pattern)
        except PolicyError as wrong:
            raise Trouble(str(wrong)) from None
        except re.error as wrong:
            raise Trouble(f"--map is no regular expression: {wrong.msg}") from None
        groups: set[str] = set() if self._pattern is None else set(self._pattern.groupindex)
        if self._pattern is not None and "key" not in groups:
            raise Trouble("--map needs a group (?P<key>...) for the key, and may have one (?P<user>...)")
        if self._pattern is not None and ("user" in groups) is (user is not None or shared):
            raise Trouble("--map needs to know whose the entries are: a group (?P<user>...), or --user, or --shared")
        self.in_place = pattern is None and user is None and not shared
        """True if keys stay what they are."""
        self._namespace, self._user, self._tags = namespace, user, tags

    def glob(self) -> str:
        """The pattern of all keys that may be meant, as far as that is known."""
        return glob(self._keys.namespace_prefix) if self.in_place else "*"

    def place(self, key: bytes) -> Place:
        """Where the entry under an old key belongs. Raises ``Unnamed``."""
        if self.in_place:
            name = name_of(key)
            if name is None or name.namespace != self._namespace or name.hash_tags is not self._tags:
                raise Unnamed("name")
            return name.place
        try:
            text = key.decode()
        except UnicodeDecodeError:
            raise Unnamed("key_not_utf8") from None
        user = self._user
        if self._pattern is not None:
            found = self._pattern.fullmatch(text)
            if found is None:
                raise Unnamed
            if found["key"] is None:
                raise Unnamed("name")
            text = found["key"]
            if "user" in self._pattern.groupindex:
                user = found["user"]
                if not user:
                    raise Unnamed("no_user")
        try:
            prefix = self._keys.prefix(user)
            return Place(self._namespace, user or "", full_key(prefix, text))
        except PolicyError:
            raise Unnamed("name") from None
