"""Values without ext: what stands for each where only text, numbers, lists and maps may be written."""

import base64
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from siftpack.report import Tombstone
from siftpack.values.names import bytes_text, text_bytes

WIDE_BITS = 2048
"""Bits of an int beyond which its decimal digits would take too long: it is written in hexadecimal."""


def number(value: int, mode: str) -> int | str:
    """The int itself where the mode can hold it, else its digits: JSON any of ``WIDE_BITS``, MessagePack 64 bits."""
    if mode == "json" and value.bit_length() <= WIDE_BITS:
        return value
    if -(2**63) <= value < 2**64:
        return value
    return str(value) if value.bit_length() <= WIDE_BITS else hex(value)


def replaced(text: str) -> str:
    """The text with U+FFFD for each lone surrogate."""
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


def cut_text(text: str, longest: int) -> str:
    """The text in that many characters, the last of which says that it was longer."""
    return text[: longest - 1] + "…"


def shortened(data: Any, size: int) -> Any:
    """As many whole characters of a str, or bytes, as fit into ``size`` bytes."""
    if type(data) is bytes:
        return data[:size]
    raw = text_bytes(data)
    while raw[size] & 0xC0 == 0x80:
        size -= 1
    return bytes_text(raw[:size])


def base64_text(data: bytes) -> str:
    """RFC 4648 base64, with padding."""
    return base64.b64encode(data).decode("ascii")


def tombstone(stone: Tombstone) -> str:
    """The text ``<kind type>``."""
    return f"<{stone.kind} {replaced(stone.type_name)}>"


def ext_size(size: int) -> int:
    """Bytes of an ext value of that payload size, its header included."""
    return size + (2 if size in (1, 2, 4, 8, 16) else 3 if size < 2**8 else 4 if size < 2**16 else 6)


def of_payload(code: int, payload: bytes) -> Any:
    """What stands for the value of an ext code and payload: text, a list of numbers, or base64 of bytes."""
    from siftpack.values import build

    return plain(build(code, payload))


def plain(value: Any) -> Any:
    """What stands for a clean value."""
    cls = type(value)
    library = cls.__module__.partition(".")[0]
    if library in _LIBRARIES:
        return _of_library(value, library)
    make = _TEXTS.get(cls.__name__)
    return str(value) if make is None else make(value)


_TEXTS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("datetime", "date", "time"), lambda value: value.isoformat()),
    "timedelta": lambda value: duration(value),  # noqa: PLW0108 - defined below
    **dict.fromkeys(("bytearray", "memoryview"), bytes),
    "range": lambda value: {"start": value.start, "stop": value.stop, "step": value.step},
    "array": lambda value: value.tolist(),
    "NDArray": lambda value: {"kind": value.kind, "dtype": value.dtype, "shape": [*value.shape], "data": value.data},
    "Fraction": lambda value: f"{number(value.numerator, 'portable')}/{number(value.denominator, 'portable')}",
    "Decimal": lambda value: str(value).replace("e", "E"),
    "Tombstone": tombstone,
    "Ext": lambda value: value.data,
    "Pattern": lambda value: value.pattern if type(value.pattern) is str else value.pattern.decode("latin-1"),
    "ellipsis": lambda _: "...",
}
"""By the name of a type of the standard library or of ours; any other is its ``str``."""
_LIBRARIES = ("numpy", "pandas", "torch")


def _of_library(value: Any, library: str) -> Any:
    """Arrays as nested lists, scalars as the Python values nearest to them, moments as ISO text."""
    name = type(value).__name__
    if library == "pandas":
        return None if name in ("NaTType", "NAType") else value.isoformat()
    if library == "torch":
        return value.tolist()
    if value.dtype.kind in "mM" or name in ("longdouble", "clongdouble"):
        return value.astype(str).tolist()
    return value.tolist()


def duration(value: dt.timedelta) -> str:
    """ISO 8601: ``P1DT2H3.5S``; days, hours, minutes, seconds. A minus before all of it for a negative one."""
    sign, span = ("-", -value) if value < dt.timedelta(0) else ("", value)
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{span.microseconds:06}".rstrip("0").rstrip(".") if span.microseconds else ""
    clock = [(hours, "H"), (minutes, "M")]
    time = "".join(f"{count}{unit}" for count, unit in clock if count)
    time += f"{seconds}{fraction}S" if seconds or fraction else ""
    day = f"{span.days}D" if span.days else ""
    return f"{sign}P{day}T{time}" if time else f"{sign}P{day or 'T0S'}"


def key_text(key: Any, mode: str) -> str:
    """What stands for a dict key that is no str: as ``json.dumps`` would write it, containers as JSON text."""
    if key is None or type(key) is bool:
        return json.dumps(key)
    if type(key) is int:
        return str(number(key, "portable") if mode == "portable" else number(key, mode))
    if type(key) is float:
        return json.dumps(key)
    if type(key) is bytes:
        return base64_text(key)
    if type(key) in (tuple, frozenset):
        return json.dumps(_text_tree(key, mode), separators=(",", ":"), ensure_ascii=False)
    found = plain(key)
    if type(found) is str:
        return replaced(found)
    if type(found) in (dict, list):
        return json.dumps(found, separators=(",", ":"))
    return key_text(found, mode)


def _text_tree(key: Any, mode: str) -> Any:
    if type(key) is tuple:
        return [_text_tree(item, mode) for item in key]
    if type(key) is frozenset:
        return sorted((_text_tree(item, mode) for item in key), key=lambda item: json.dumps(item, ensure_ascii=False))
    if type(key) is str:
        return replaced(key)
    if key is None or type(key) is bool or (type(key) is int and number(key, mode) is key):
        return key
    return key_text(key, mode)
