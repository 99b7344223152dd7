"""Things that are named by text: paths, IP addresses, patterns, surrogate strings, tombstones, foreign ext values."""

import re
import struct
import sys
from typing import Any

from siftpack import wire
from siftpack.policy import Kind
from siftpack.report import Ext, Tombstone
from siftpack.values import Lowered

PATTERN_FLAGS = re.I | re.L | re.M | re.S | re.U | re.X | re.A
"""All flags but DEBUG, which would print, and TEMPLATE, which is gone."""
_KINDS = {kind.value.encode(): kind for kind in Kind}
PATHS = ("PurePosixPath", "PureWindowsPath", "PosixPath", "WindowsPath")
IPS = {
    0x04: ("IPv4Address", 4),
    0x06: ("IPv6Address", 16),
    0x14: ("IPv4Network", 4),
    0x16: ("IPv6Network", 16),
    0x24: ("IPv4Interface", 4),
    0x26: ("IPv6Interface", 16),
}


def text_bytes(text: str) -> bytes:
    """UTF-8 in which a lone surrogate keeps its three bytes."""
    return text.encode("utf-8", "surrogatepass")


def bytes_text(payload: bytes) -> str:
    """The inverse of ``text_bytes``."""
    return payload.decode("utf-8", "surrogatepass")


def build_str(payload: bytes) -> str:
    """A string with lone surrogates; any other has MessagePack's own form."""
    text = bytes_text(payload)
    if not any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("string without a surrogate in the surrogate form")
    return text


def lower_ellipsis(_: Any) -> Lowered:
    """One byte that says nothing."""
    return wire.ELLIPSIS, b"\x00", None


def build_ellipsis(payload: bytes) -> Any:
    """The inverse of ``lower_ellipsis``."""
    if payload != b"\x00":
        raise ValueError("bad ellipsis")
    return ...


def lower_path(value: Any) -> Lowered | None:
    """Flavour and text, from the parsed parts."""
    pathlib = sys.modules["pathlib"]
    flavours = [getattr(pathlib, name) for name in PATHS]
    mro = type.__dict__["__mro__"].__get__(type(value))
    number = next(i for i in (2, 3, 0, 1) if any(base is flavours[i] for base in mro))
    text = _path_text(pathlib, flavours[number % 2], value)
    return None if text is None else (wire.PATH, bytes([number]) + text_bytes(text), None)


def _path_text(pathlib: Any, pure: Any, value: Any) -> str | None:
    own = pathlib.PurePath.__dict__
    try:
        if "_parts" not in own:  # 3.12 and later keep the arguments and parse when asked
            raw = own["_raw_paths"].__get__(value)
            return str(pure(*raw)) if all(type(part) is str for part in raw) else None
        drive, root, parts = (own[name].__get__(value) for name in ("_drv", "_root", "_parts"))
    except AttributeError:
        return None
    if not all(type(part) is str for part in (drive, root, *parts)):
        return None
    sep = "\\" if pure is pathlib.PureWindowsPath else "/"
    return (drive + root + sep.join(parts[1:]) if drive or root else sep.join(parts)) or "."


def build_path(payload: bytes) -> Any:
    """The inverse of ``lower_path``; a concrete path of another system comes back as its pure form."""
    import pathlib

    if not payload or payload[0] >= len(PATHS):
        raise ValueError("bad path")
    flavour = PATHS[payload[0]]
    if flavour in ("PosixPath", "WindowsPath") and flavour != type(pathlib.Path()).__name__:
        flavour = f"Pure{flavour}"
    return getattr(pathlib, flavour)(bytes_text(payload[1:]))


def lower_ip(value: Any) -> Lowered | None:
    """Family and form, address bytes, prefix length, scope."""
    ipaddress = sys.modules["ipaddress"]
    mro = type.__dict__["__mro__"].__get__(type(value))
    form = next(
        form for form in (0x24, 0x26, 0x14, 0x16, 0x04, 0x06) if any(b is getattr(ipaddress, IPS[form][0]) for b in mro)
    )
    storage = object.__getattribute__(value, "__dict__") if form > 0x06 else {}
    address = storage.get("network_address") if form in (0x14, 0x16) else value
    version = IPS[form & 0x0F][0]
    own = getattr(ipaddress, version).__dict__
    try:
        number = own["_ip"].__get__(address)
        scope = own["_scope_id"].__get__(address) if form & 0x0F == 6 else None
    except (AttributeError, TypeError):
        return None
    size = IPS[form][1]
    prefix = storage.get("_prefixlen") if form > 0x06 else 0
    if type(number) is not int or type(prefix) is not int or type(scope) not in (str, type(None)):
        return None
    if not 0 <= number < 256**size or not 0 <= prefix <= 8 * size:
        return None
    tail = bytes([prefix]) if form > 0x06 else b""
    return wire.IP, bytes([form]) + number.to_bytes(size, "big") + tail + text_bytes(scope or ""), None


def build_ip(payload: bytes) -> Any:
    """The inverse of ``lower_ip``."""
    import ipaddress

    form = payload[0] if payload else 0
    if form not in IPS:
        raise ValueError("bad IP form")
    name, size = IPS[form]
    end = 1 + size + (form > 0x06)
    if len(payload) < end or (form & 0x0F == 4 and len(payload) != end):
        raise ValueError("bad IP length")
    scope = bytes_text(payload[end:])
    address = getattr(ipaddress, IPS[form & 0x0F][0])(payload[1 : 1 + size])
    text = f"{address}%{scope}" if scope else str(address)
    try:
        value = getattr(ipaddress, name)(f"{text}/{payload[1 + size]}" if form > 0x06 else text)
    except ValueError:
        raise ValueError("bad IP value") from None
    if lower_ip(value) != (wire.IP, payload, None):
        raise ValueError("IP value not in its canonical form")
    return value


def lower_pattern(value: re.Pattern[Any]) -> Lowered | None:
    """Flags, whether it is of str or bytes, and the source."""
    source: Any = value.pattern
    flags = value.flags & PATTERN_FLAGS
    if type(source) is bytes:
        return wire.PATTERN, struct.pack(">IB", flags, 1) + source, None
    if type(source) is not str:
        return None
    return wire.PATTERN, struct.pack(">IB", flags, 0) + text_bytes(source), None


def build_pattern(payload: bytes) -> re.Pattern[Any]:
    """The inverse of ``lower_pattern``."""
    if len(payload) < 5:
        raise ValueError("pattern too short")
    flags, binary = struct.unpack(">IB", payload[:5])
    if flags & ~int(PATTERN_FLAGS) or binary > 1:
        raise ValueError("bad pattern header")
    source: Any = payload[5:] if binary else bytes_text(payload[5:])
    try:
        return re.compile(source, flags)
    except (re.error, OverflowError, Warning) as refused:
        raise ValueError(f"bad pattern: {type(refused).__name__}") from None


def lower_tombstone(value: Any) -> Lowered | None:
    """Kind and type name, a NUL between them."""
    own = Tombstone.__dict__
    try:
        kind, type_name = own["kind"].__get__(value), own["type_name"].__get__(value)
    except AttributeError:
        return None
    if type(kind) is not Kind or type(type_name) is not str:
        return None
    return wire.TOMBSTONE, f"{kind.value}\0".encode() + text_bytes(type_name), None


def build_tombstone(payload: bytes) -> Tombstone:
    """The inverse of ``lower_tombstone``."""
    kind, _, type_name = payload.partition(b"\0")
    known = _KINDS.get(kind)
    if known is None:
        raise ValueError("tombstone of an unknown kind")
    return Tombstone(known, bytes_text(type_name))


def lower_ext(value: Any) -> Lowered | None:
    """As it is, or wrapped where its code is one of ours or MessagePack's own."""
    own = Ext.__dict__
    try:
        code, data = own["code"].__get__(value), own["data"].__get__(value)
    except AttributeError:
        return None
    if type(code) is not int or type(data) is not bytes or not -128 <= code < 128:
        return None
    if code >= wire.FIRST_OWN or code == wire.TIMESTAMP:
        return wire.EXT, struct.pack(">b", code) + data, None
    return code, data, None


def build_escaped(payload: bytes) -> Ext:
    """An ext value whose code would otherwise be taken for one of ours."""
    code = struct.unpack(">b", payload[:1])[0] if payload else 0
    if code < wire.FIRST_OWN and code != wire.TIMESTAMP:
        raise ValueError("escaped ext that needs no escape")
    return Ext(code, payload[1:])
