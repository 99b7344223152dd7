"""``siftpack inspect URL KEY``: one entry explained. No class is imported, no pickle loaded, no value shown."""

import datetime as dt
from typing import Any, Final

from rich.console import Console
from rich.table import Table

import siftpack
from siftpack import wire
from siftpack.bridge import inflate
from siftpack.cache.entries import Unreadable
from siftpack.cache.frames import HEAD, key_digest, open_frame
from siftpack.cli.forms import pickle_names, recognise
from siftpack.cli.inspect import FLAGS, type_counts
from siftpack.cli.naming import Name, name_of
from siftpack.cli.stores import Store, Trouble
from siftpack.cli.sweeps import ENDLESS, Item, look
from siftpack.cli.written import written
from siftpack.values.names import text_bytes

LARGEST: Final = 2**26
"""Bytes of a value that is looked at as a whole."""
_LEGACY: Final = {
    "json": "with Legacy(json=True)",
    "integer": "with Legacy(integers=True)",
    "text": "with Legacy(text=True)",
    "pickle": "only if it is signed: Legacy(pickle=Pickles(...))",
}


def explain(store: Store, key: bytes) -> dict[str, Any]:
    """What is known of an entry, for JSON. Raises ``Trouble`` if there is none, and the client's errors."""
    found = ((look_at(node.client, key), node.client) for node in store.masters())
    item, client = next((each for each in found if each[0] is not None), (None, store.client))
    if item is None:
        raise Trouble(f"{store.shown}: there is no key {written(key)}", 1)
    name = name_of(key)
    facts: dict[str, Any] = {
        "key": written(key),
        "name": None if name is None else name._asdict(),
        "type": item.type,
        "seconds_left": None if item.ttl == ENDLESS else item.ttl / 1000,
        "bytes": item.size,
        "form": item.form.label,
        "problem": None,
    }
    if item.type != "string":
        return {**facts, "problem": f"a {item.type}: a cache reads and writes strings alone"}
    if item.size > LARGEST:
        return {**facts, "problem": f"larger than {LARGEST >> 20} MiB: its head alone was looked at"}
    data = item.head if len(item.head) == item.size else client.get(key)
    if type(data) is not bytes:
        raise Trouble(f"{store.shown}: the key went while it was looked at", 1)
    return facts | {"bytes": len(data), "form": recognise(data, len(data)).label} | contents(data, name)


def look_at(client: Any, key: bytes) -> Item | None:
    """The item of one key; None if it is not there, or on another server of a cluster."""
    found = look(client, [key])
    return found[0] if found and found[0].type != "moving" else None


def contents(data: bytes, name: Name | None) -> dict[str, Any]:
    """What is inside, and what a cache makes of it."""
    if data[:1] == bytes((wire.FRAME_MAGIC,)):
        return _frame(data, name)
    form = recognise(data, len(data))
    facts: dict[str, Any] = {}
    if form.family == "pickle" and not form.wrapped:
        facts["asks_for"] = sorted({f"{module}.{word}" for module, word in pickle_names(data)})
    elif form.family == "json" and not form.wrapped:
        facts["types"] = _json_types(data)
    elif form.family == "msgpack" and not form.wrapped:
        facts |= _types(data)
    if name is None:
        return facts | {"cache": "none: no cache makes this key"}
    legacy = "" if form.wrapped or form.detail == "0" else _LEGACY.get(form.family, "")
    facts["cache"] = f"a miss; read {legacy}" if legacy else "a miss: bytes that no reader takes"
    return facts


def _frame(data: bytes, name: Name | None) -> dict[str, Any]:
    if len(data) < wire.FRAME_HEADER:
        return {"problem": "the frame is cut short"}
    flags, payload = data[2], data[wire.FRAME_HEADER :]
    frame: dict[str, Any] = {"version": data[1], "flags": [word for bit, word in FLAGS if flags & bit]}
    facts: dict[str, Any] = {"frame": frame}
    if data[1] != wire.FRAME_VERSION:
        return facts | {"problem": "another version of the format", "cache": "a miss: version"}
    if flags & wire.FLAG_BOUND:
        if len(data) < HEAD.size:
            return facts | {"problem": "the frame is cut short", "cache": "a miss: truncated"}
        _, digest, made, ends = HEAD.unpack_from(data)
        ours = name is not None and digest == key_digest(name.place.full_key)
        frame |= {"key_id": data[3], "written": _moment(made), "expires": _moment(ends), "bound_to_this_key": ours}
        payload = data[HEAD.size :]
    facts["cache"], facts["problem"] = _verdict(data, name)
    if flags & wire.FLAG_SEALED:
        return facts
    try:
        return facts | _types(inflate(payload, LARGEST) if flags & wire.FLAG_ZLIB else payload)
    except siftpack.DecodeError as refused:
        return facts | {"problem": f"cannot be read: {refused}"}


def _verdict(data: bytes, name: Name | None) -> tuple[str, str | None]:
    """What a cache without a seal makes of a frame, and whether something is wrong."""
    if name is None:
        return "none: no cache makes this key", None
    try:
        _, _, flags, _ = open_frame(data, name.place, 0, None, LARGEST)
    except Unreadable as refused:
        reason = refused.reason.value
        if reason == "sealed":
            return "read with the seal's keys alone", None
        return f"a miss: {reason}", "the frame was written for another key" if reason == "moved" else None
    return ("a miss: text, the rendering of what could not be stored" if flags & wire.FLAG_TEXT else "read"), None


def _moment(milliseconds: int) -> str | None:
    if not 0 < milliseconds < 253_402_300_800_000:
        return None
    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC).isoformat(timespec="milliseconds")


def _types(payload: bytes) -> dict[str, Any]:
    try:
        return {"types": dict(type_counts(siftpack.unpackb(payload)).most_common())}
    except siftpack.DecodeError as refused:
        return {"problem": f"cannot be read: {refused}"}


def _json_types(data: bytes) -> dict[str, int]:
    import json

    try:
        return dict(type_counts(json.loads(data)).most_common())
    except (ValueError, RecursionError):
        return {}


def show(console: Console, facts: dict[str, Any]) -> None:
    """Print what ``explain`` found."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    name, left, frame = facts["name"], facts["seconds_left"], facts.get("frame")
    table.add_row("key", facts["key"])
    if name is not None:
        whose = "nobody" if name["user"] is None else _shown(name["user"])
        parts = f"namespace {_shown(name['namespace'])}, user {whose}, key {_shown(name['key'])}"
        table.add_row("a name of", parts + (", hash tags" if name["hash_tags"] else ""))
    table.add_row("type", f"{facts['type']}, {facts['bytes']:,} bytes" if facts["type"] == "string" else facts["type"])
    table.add_row("time left", "no end" if left is None else f"{left:,.3f} s")
    table.add_row("form", facts["form"])
    if frame is not None:
        for word in ("flags", "key_id", "written", "expires", "bound_to_this_key"):
            if word in frame:
                table.add_row(word.replace("_", " "), _cell(frame[word]))
    if "asks_for" in facts:
        table.add_row("asks for", "\n".join(map(_printable, facts["asks_for"])) or "nothing but builtin data")
    if "cache" in facts:
        table.add_row("a cache", facts["cache"])
    if facts.get("types"):
        table.add_row("types", ", ".join(f"{word} {count:,}" for word, count in facts["types"].items()))
    console.print(table)
    if facts["problem"]:
        console.print(facts["problem"], style="bold red")


def _cell(value: Any) -> str:
    if value is None:
        return "never"
    if isinstance(value, bool):
        return "yes" if value else "NO"
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)


def _shown(text: str) -> str:
    return written(text_bytes(text))


def _printable(text: str) -> str:
    return _shown(text[:200])
