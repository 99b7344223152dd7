"""Walking through all keys of a server by SCAN, and looking at many in one go. Never KEYS, and never a whole value."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from siftpack.cli.forms import HEAD, Form, recognise

BATCH: Final = 1000
"""Keys that one step of SCAN is asked for."""
GONE: Final = -2
ENDLESS: Final = -1


class Item(NamedTuple):
    """A key that was looked at."""

    key: bytes
    type: str
    """``string``, or the server's word for what else it is."""
    size: int
    """Bytes of a string, 0 for others."""
    head: bytes
    ttl: int
    """Milliseconds left, ``ENDLESS`` or ``GONE``."""
    form: Form
    """What it looks like."""


def step(client: Any, cursor: int, match: bytes | None) -> tuple[int, list[bytes]]:
    """One step of SCAN: the next cursor, 0 at the end, and keys, each once."""
    after, keys = client.scan(cursor=cursor, match=match, count=BATCH)
    return int(after), list(dict.fromkeys(map(bytes, keys)))


def sweep(client: Any, match: bytes | None) -> Iterator[list[bytes]]:
    """All keys of one server in batches; one may come twice if the server's table is resized meanwhile."""
    cursor = 0
    while True:
        cursor, keys = step(client, cursor, match)
        yield keys
        if not cursor:
            return


def look(client: Any, keys: Sequence[bytes]) -> list[Item]:
    """What the keys hold, in two exchanges at most; those that went meanwhile are left out.

    Raises the client's errors, but for those that mean that a key is no string, or is on its way to another server.
    """
    answers = iter(
        ask(client, [command for key in keys for command in (("GETRANGE", key, 0, HEAD - 1), ("PTTL", key))])
    )
    found = [(key, head, ttl) for key, head, ttl in zip(keys, answers, answers, strict=True) if ttl != GONE]
    more = [(question, key) for key, head, _ in found if (question := _question(head)) is not None]
    told = dict(zip((key for _, key in more), ask(client, more), strict=True))
    items = (_item(key, head, ttl, told.get(key)) for key, head, ttl in found)
    return [item for item in items if item.type != "none"]


def ask(client: Any, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
    """The answers to many commands sent in one go; errors of single commands are among them."""
    if not commands:
        return []
    with client.pipeline(transaction=False) as pipe:
        for command in commands:
            pipe.execute_command(*command)
        return list(pipe.execute(raise_on_error=False))


def _question(head: Any) -> str | None:
    """What is still to be asked about a key: how long it is if there is more, or what it is if it is no string."""
    if isinstance(head, Exception):
        return "TYPE" if is_other_type(head) else None
    return "STRLEN" if len(head) == HEAD else None


def _item(key: bytes, head: Any, ttl: Any, told: Any) -> Item:
    for answer in (ttl, told, head):
        if is_away(answer):
            return Item(key, "moving", 0, b"", ENDLESS, Form("moving"))
    if isinstance(ttl, Exception):
        raise ttl
    if isinstance(told, Exception):
        if not is_other_type(told):
            raise told
        told = "another type by now"
    if isinstance(told, bytes | str):
        word = told.decode("ascii", "replace") if isinstance(told, bytes) else told
        return Item(key, word, 0, b"", int(ttl), Form(word))
    if isinstance(head, Exception):
        raise head
    size = max(len(head), int(told or 0))
    return Item(key, "string", size, bytes(head), int(ttl), recognise(head, size))


def is_other_type(answer: Exception) -> bool:
    """True for the answer to a question about a string if the key is no string."""
    return str(answer).startswith("WRONGTYPE")


def is_away(answer: Any) -> bool:
    """True for the answers of a cluster's server about keys that another one has, or gets just now."""
    return type(answer).__name__ in {"MovedError", "AskError", "TryAgainError"}
