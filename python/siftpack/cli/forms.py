"""What some bytes are, by looking at them alone: nothing is loaded, imported or trusted.

Enough of a value is its head; the table of ``recognise`` goes from what is certain to what is likely. A guess that
needs the whole value (JSON numbers, text that only starts like JSON) is made only when the whole value is there.
"""

import json
import pickletools
import re
import zlib
from typing import Final, NamedTuple, NoReturn

from siftpack import wire
from siftpack.cache.legacy import INTEGER
from siftpack.cli.structure import is_messagepack

HEAD: Final = 512
"""Bytes of a value that are looked at."""
_CASHEWS: Final = re.compile(
    rb"(?:md5:[0-9a-f]{32}|sha1:[0-9a-f]{40}|sha256:[0-9a-f]{64})_|(?:sum|xxh[0-9_]+):[0-9a-f]+_(?=\x80)"
)
_DOGPILE: Final = re.compile(rb'\{"ct": [0-9.e+]+, "v": [0-9]+\}\|')
_LANGGRAPH: Final = re.compile(rb"(msgpack(?=:[\x80-\xdf])|json(?=:[{\[\"])|pickle(?=:\x80)|null(?=:\Z)):")
_DJANGO_SIGNED: Final = re.compile(rb"\.?[\w-]+(?::[A-Za-z0-9]{6})?:[\w-]{43}")
_OLD_PICKLE: Final = re.compile(rb"\([dl]p[0-9]+\n|\(?c[A-Za-z_][\w.]*\n[A-Za-z_]\w*\n(?:p[0-9]+\n|q[\x00-\x1f]|[()])")
_JSON_OWNERS: Final = (
    ("celery", re.compile(rb'\{(?=.*"status": ?")(?=.*"(?:traceback|task_id)":)', re.DOTALL)),
    ("langchain", re.compile(rb'\\?"lc\\?": ?1\b')),
    ("litellm", re.compile(rb'\{"timestamp": ?[0-9.]+, ?"response":')),
    ("jsonpickle", re.compile(rb'"py/(?:object|reduce|type)":')),
)
_PICKLE_OWNERS: Final = frozenset(
    "aiocache cachetools celery django dogpile flask flask_caching kombu langchain langchain_core langgraph litellm"
    " requests_cache requests rq werkzeug pydantic numpy pandas sqlalchemy".split()
)
_MAGIC: Final = (
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"BZh91AY&SY", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\xff\x06\x00\x00sNaPpY", "snappy"),
    (b"HYLL\x00", "hyperloglog"),
    (b"HYLL\x01", "hyperloglog"),
    (b"\xac\xed\x00\x05", "java serialization"),
    (b"\x04\x08", "ruby marshal"),
    (b"\x93NUMPY", "npy"),
    (b"PAR1\x15", "parquet"),
    (b"ARROW1\x00", "arrow"),
    (b"\x89PNG\r\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
)
_FLAGS: Final = (
    (wire.FLAG_LOSSY, "lossy"),
    (wire.FLAG_BOUND, "bound"),
    (wire.FLAG_ZLIB, "zlib"),
    (wire.FLAG_SEALED, "sealed"),
)
_KNOWN_FLAGS: Final = wire.FLAG_TEXT | sum(bit for bit, _ in _FLAGS)


class Form(NamedTuple):
    """What bytes look like."""

    family: str
    """``siftpack``, ``json``, ``integer``, ``text``, ``pickle``, ``msgpack``, ``gzip``, ``empty``, ``binary`` ..."""
    owner: str = ""
    """The framework that writes such bytes, where they say so."""
    detail: str = ""
    wrapped: bool = False
    """True if the framework put something of its own around what ``family`` names."""

    @property
    def label(self) -> str:
        """One line, such as ``siftpack v1 data bound``, ``celery: json`` or ``zlib of pickle``."""
        start = f"{self.owner}: " if self.owner else ""
        return f"{start}{self.family}{' ' if self.detail else ''}{self.detail}"


def recognise(head: bytes, size: int) -> Form:
    """The form of a value of ``size`` bytes that begins with ``head``; never raises."""
    whole = len(head) >= size
    head = head if whole else head[:HEAD]
    if not head:
        return Form("empty")
    if head[0] == wire.FRAME_MAGIC:
        return _ours(head)
    if whole and INTEGER.fullmatch(head):
        return Form("integer")
    return _wrapped(head) or _pickle(head) or _packed(head, 0) or _textual(head, whole) or _rest(head, whole)


def _ours(head: bytes) -> Form:
    if len(head) < wire.FRAME_HEADER:
        return Form("siftpack", detail="cut short")
    if head[1] != wire.FRAME_VERSION or head[2] & ~_KNOWN_FLAGS:
        return Form("siftpack", detail=f"v{head[1]} unknown")
    words = [f"v{head[1]}", "text" if head[2] & wire.FLAG_TEXT else "data"]
    words += [word for bit, word in _FLAGS if head[2] & bit]
    if not head[2] & wire.FLAG_BOUND:
        words.append("unbound")
    return Form("siftpack", detail=" ".join(words))


def _wrapped(head: bytes) -> Form | None:
    """Values with a framework's own mark in front."""
    if head[:2] == b"!\x80":
        return Form("pickle", "werkzeug", wrapped=True)
    if _DOGPILE.match(head):
        return Form("pickle" if b"|\x80" in head else "value", "dogpile", wrapped=True)
    if _CASHEWS.match(head):
        return Form("pickle" if b"_\x80" in head else "value", "cashews", wrapped=True)
    found = _LANGGRAPH.match(head)
    return Form(found[1].decode(), "langgraph", wrapped=True) if found else None


def _pickle(head: bytes) -> Form | None:
    if head[0] == 0x80 and len(head) > 2 and 2 <= head[1] <= 5:
        roots = (module.partition(".")[0] for module, _ in pickle_names(head))
        return Form("pickle", next((root for root in roots if root in _PICKLE_OWNERS), ""))
    return Form("pickle", detail="0") if _OLD_PICKLE.match(head) else None


def pickle_names(data: bytes) -> list[tuple[str, str]]:
    """The modules and names that a pickle, or its head, asks for, in order. Loads nothing and never raises."""
    names: list[tuple[str, str]] = []
    words, memo, top = ["", ""], dict[int, str](), ""
    try:
        for opcode, arg, _ in pickletools.genops(data):
            word = opcode.name
            if word == "STACK_GLOBAL":
                names.append((words[0], words[1]))
            elif word in {"GLOBAL", "INST"} and isinstance(arg, str):
                module, _, name = arg.partition(" ")
                names.append((module, name))
            elif word == "MEMOIZE":
                memo[len(memo)] = top
                continue
            elif word.endswith("PUT") and isinstance(arg, int):
                memo[arg] = top
                continue
            pushed = memo.get(arg, "") if word.endswith("BINGET") and isinstance(arg, int) else arg
            top = pushed if isinstance(pushed, str) else ""
            words = [words[1], top] if top else words
    except Exception:  # noqa: BLE001, S110 - the head of a pickle ends somewhere, and a forged one anywhere
        pass
    return names


def _packed(head: bytes, depth: int) -> Form | None:
    """Compressed data, and what is in it where that can be seen."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return Form(name)
    if head[:3] == b"\x1f\x8b\x08":
        return Form("gzip", detail=_inside(head, 31, depth) or "")
    if head[0] & 0x8F == 0x08 and len(head) > 2 and int.from_bytes(head[:2], "big") % 31 == 0:
        inside = _inside(head, 15, depth)
        return None if inside is None else Form("zlib", detail=inside)
    return None


def _inside(head: bytes, wbits: int, depth: int) -> str | None:
    """``of json`` and the like; None if it does not decompress."""
    try:
        content = zlib.decompressobj(wbits).decompress(head, HEAD)
    except zlib.error:
        return None
    if not content or depth:
        return ""
    form = _wrapped(content) or _pickle(content) or _packed(content, depth + 1) or _textual(content, whole=False)
    return f"of {(form or _rest(content, whole=False)).label}"


def _textual(head: bytes, whole: bool) -> Form | None:
    try:
        text = head.decode()
    except UnicodeDecodeError as wrong:
        if whole or wrong.start < len(head) - 3:
            return None
        text = head[: wrong.start].decode()
    start = text.lstrip(" \t\r\n")[:1]
    if (whole and _parses(text)) or (not whole and start and start in '{["'):
        return Form("json", next((owner for owner, mark in _JSON_OWNERS if mark.search(head)), ""))
    if whole and _DJANGO_SIGNED.fullmatch(head):
        return Form("text", "django", "signed", wrapped=True)
    return Form("text") if "\x00" not in text else None


def _parses(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return False
    return True


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


def _rest(head: bytes, whole: bool) -> Form:
    return Form("msgpack" if is_messagepack(head, whole=whole) else "binary")
