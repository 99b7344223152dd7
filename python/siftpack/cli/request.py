"""The options of ``siftpack migrate`` as what they mean."""

from pathlib import Path
from typing import Any, NamedTuple

from siftpack.cache.legacy import Pickles
from siftpack.cache.seal import Seal
from siftpack.cli.converting import READERS, Reading
from siftpack.cli.migrate import Plan
from siftpack.cli.naming import Naming
from siftpack.cli.stores import Trouble
from siftpack.errors import PolicyError
from siftpack.serializer import Serializer


class Request(NamedTuple):
    """The options as they were given."""

    namespace: str
    readers: tuple[str, ...]
    match: str | None
    user: str | None
    shared: bool
    pattern: str | None
    keep: bool
    hash_tags: bool
    lossy: bool
    compress: bool
    max_bytes: int
    pickle_secret: Path | None
    allow: tuple[str, ...]
    seal: Path | None

    def plan(self, *, dry: bool) -> Plan:
        """What is to be done. Raises ``Trouble`` for options that make no sense together."""
        unknown = set(self.readers) - set(READERS)
        if unknown:
            raise Trouble(f"--read knows {', '.join(READERS)}, and not {', '.join(sorted(unknown))}")
        naming = Naming(self.namespace, user=self.user, shared=self.shared, pattern=self.pattern, tags=self.hash_tags)
        if self.keep and naming.in_place:
            raise Trouble("--keep is for entries that get another name: with --map, --user or --shared")
        if not naming.in_place and self.pattern is None and self.match is None:
            raise Trouble("--user and --shared take every key that --match matches: say which, '*' for all")
        match = naming.glob() if self.match is None else self.match
        reading = Reading(
            frozenset(self.readers),
            self._pickles(),
            self._seal(),
            self.lossy,
            self.max_bytes,
            Serializer(compression="zlib" if self.compress else None),
        )
        return Plan(naming, reading, match.encode("utf-8", "surrogateescape"), self.keep, dry)

    def identity(self, shown: str) -> dict[str, Any]:
        """What makes this migration another one than others; no secrets."""
        fields = {name: str(value) for name, value in self._asdict().items()}
        return {**fields, "readers": sorted(self.readers), "allow": sorted(self.allow), "url": shown}

    def _pickles(self) -> Pickles | None:
        if "pickle" not in self.readers:
            if self.pickle_secret is not None or self.allow:
                raise Trouble("--pickle-secret and --allow are for --read pickle")
            return None
        if self.pickle_secret is None:
            raise Trouble("--read pickle needs --pickle-secret FILE: only signed pickles are read")
        pairs = [tuple(each.split(":")) for each in self.allow]
        if not all(len(pair) == 2 and all(pair) for pair in pairs):
            raise Trouble("--allow takes MODULE:NAME, such as collections:OrderedDict")
        content = _content(self.pickle_secret)
        secret = content[:-2] if content.endswith(b"\r\n") else content.removesuffix(b"\n")
        try:
            return Pickles(secret, allow=[(pair[0], pair[1]) for pair in pairs], max_bytes=min(self.max_bytes, 2**30))
        except PolicyError as wrong:
            raise Trouble(f"--pickle-secret: {wrong}") from None

    def _seal(self) -> Seal | None:
        if self.seal is None:
            return None
        try:
            lines = [line.split() for line in _content(self.seal).decode("ascii").splitlines() if line.strip()]
            keys = {int(number): bytes.fromhex(key) for number, key in lines}
        except ValueError:
            raise Trouble("--seal: each line is the id of a key and its 32 bytes in hexadecimal") from None
        try:
            return Seal(keys)
        except PolicyError as wrong:
            raise Trouble(f"--seal: {wrong}") from None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise Trouble(f"{path}: {(wrong.strerror or 'cannot be read').lower()}") from None
