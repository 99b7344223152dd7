"""Walking through all keys of a server by SCAN, and looking at many in one go. Never KEYS, and never a whole value."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from siftpack.cli.forms import HEAD, Form, recognise

BATCH: Final = 1000
"""Keys that one step of SCAN is asked for."""
GONE: Final = -2
ENDLESS: Final = -1
_UNASKED: Final = Form("")


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
    answers = ask(client, [command for key in keys for command in _questions(key)])
    found = [_item(key, *answers[at : at + 3]) for key, at in zip(keys, range(0, 3 * len(keys), 3), strict=True)]
    others = [item.key for item in found if item.type == ""]
    types = dict(zip(others, ask(client, [("TYPE", key) for key in others]), strict=True)) if others else {}
    named = (item if item.type else _named(item, _word(types[item.key])) for item in found)
    return [item for item in named if item.ttl != GONE and item.type != "none"]


def ask(client: Any, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
    """The answers to many commands sent in one go; errors of single commands are among them."""
    if not commands:
        return []
    with client.pipeline(transaction=False) as pipe:
        for command in commands:
            pipe.execute_command(*command)
        return list(pipe.execute(raise_on_error=False))


def _questions(key: bytes) -> tuple[tuple[Any, ...], ...]:
    return ("STRLEN", key), ("GETRANGE", key, 0, HEAD - 1), ("PTTL", key)


def _item(key: bytes, size: Any, head: Any, ttl: Any) -> Item:
    for answer in (size, head, ttl):
        if is_away(answer):
            return Item(key, "moving", 0, b"", ENDLESS, Form("moving"))
    if isinstance(ttl, Exception):
        raise ttl
    if isinstance(size, Exception) or isinstance(head, Exception):
        wrong = size if isinstance(size, Exception) else head
        if not str(wrong).startswith("WRONGTYPE"):
            raise wrong
        return Item(key, "", 0, b"", int(ttl), _UNASKED)
    length = max(int(size), len(head))
    return Item(key, "string", length, bytes(head), int(ttl), recognise(head, length))


def _named(item: Item, word: str) -> Item:
    return item._replace(type=word, form=Form(word))


def is_away(answer: Any) -> bool:
    """True for the answers of a cluster's server about keys that another one has, or gets just now."""
    return type(answer).__name__ in {"MovedError", "AskError", "TryAgainError"}


def _word(answer: Any) -> str:
    if is_away(answer):
        return "moving"
    if isinstance(answer, Exception):
        raise answer
    return answer.decode("ascii", "replace") if isinstance(answer, bytes) else str(answer)
