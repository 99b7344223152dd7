"""The reader: MessagePack to plain Python values. Strict, bounded, and nothing but data is ever built."""

import struct
from collections.abc import Callable, Collection
from typing import Any, NoReturn

from siftpack import values, wire
from siftpack.errors import DecodeError
from siftpack.listed import Types
from siftpack.policy import Limits
from siftpack.reference.encode import plain
from siftpack.values.containers import assemble
from siftpack.values.records import rebuild

_NUMBERS = {
    0xCA: ">f",
    0xCB: ">d",
    0xCC: ">B",
    0xCD: ">H",
    0xCE: ">I",
    0xCF: ">Q",
    0xD0: ">b",
    0xD1: ">h",
    0xD2: ">i",
    0xD3: ">q",
}
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


def decode(data: bytes, limits: Limits, types: Types) -> Any:
    """The one value in ``data``. Raises ``DecodeError`` with an offset for anything else."""
    reader = _Reader(data, limits, types)
    if len(data) > limits.bytes:
        reader.fail(f"input larger than {limits.bytes} bytes (Limits.bytes)")
    value = reader.value(0, None)
    if reader.at != len(data):
        reader.fail("trailing bytes")
    return value


class _Reader:
    """A cursor. ``kdepth`` is None outside keys and set elements, else how many containers are open inside one."""

    def __init__(self, data: bytes, limits: Limits, types: Types) -> None:
        self.data, self.limits, self.types = data, limits, types
        self.at = self.nodes = self.container_keys = 0

    def fail(self, why: str) -> NoReturn:
        raise DecodeError(f"{why} at offset {self.at}")

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            self.fail("truncated input")
        self.at += size
        return self.data[self.at - size : self.at]

    def size(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def charge(self, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > self.limits.nodes:
            self.fail(f"more than {self.limits.nodes} nodes (Limits.nodes)")

    def value(self, depth: int, kdepth: int | None) -> Any:
        marker = self.take(1)[0]
        if marker < 0x80 or marker >= 0xE0:
            return marker if marker < 0x80 else marker - 256
        if marker < 0x90:
            return self.map(marker & 15, depth, kdepth)
        if marker < 0xA0:
            return self.array(marker & 15, depth, kdepth)
        if marker < 0xC0:
            return self.str(marker & 31)
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        if marker in _NUMBERS:
            return struct.unpack(_NUMBERS[marker], self.take(struct.calcsize(_NUMBERS[marker])))[0]
        if 0xD4 <= marker <= 0xD8:
            return self.ext(1 << (marker - 0xD4), depth, kdepth)
        if marker not in _SIZED:
            return self.fail("byte 0xc1, which MessagePack never uses")
        width, read = _SIZED[marker]
        return read(self, self.size(width), depth, kdepth)

    def sized(self, size: int) -> bytes:
        if size > self.limits.str_bytes:
            self.fail(f"value of more than {self.limits.str_bytes} bytes (Limits.str_bytes)")
        return self.take(size)

    def str(self, size: int) -> str:
        try:
            return self.sized(size).decode("utf-8")
        except UnicodeDecodeError:
            return self.fail("string is not UTF-8")

    def open(self, items: int, depth: int) -> int:
        """The depth inside a container of that many items, each of one byte at least."""
        if items > len(self.data) - self.at:
            self.fail("header announces more than the input holds")
        if depth + 1 > self.limits.depth:
            self.fail(f"deeper than {self.limits.depth} (Limits.depth)")
        self.charge(1)
        return depth + 1

    def map(self, count: int, depth: int, kdepth: int | None, *, record: bool = False) -> dict[Any, Any]:
        if kdepth is not None and not record:
            self.fail("map in a key or set element")
        inside = self.open(2 * count, depth)
        found: dict[Any, Any] = {}
        hashes: dict[int, int] = {}
        for _ in range(count):
            key = self.hashed(inside, 0, hashes)
            if self.holds(found, key):
                self.fail("duplicate key")
            found[key] = self.value(inside, kdepth)
        return found

    def holds(self, found: Collection[Any], key: Any) -> bool:
        """Whether an equal key is there already."""
        try:
            return key in found
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - a listed class has an equality of its own
            return self.unhashed()

    def unhashed(self) -> NoReturn:
        self.fail("key or set element that cannot be hashed")

    def hashed(self, depth: int, kdepth: int, hashes: dict[int, int]) -> Any:
        """A key or set element; in that position a plain array is a tuple."""
        key = self.value(depth, kdepth)
        if plain(key):
            return key
        self.container_keys += 1
        try:
            code = hash(key)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - a listed class has a hash of its own
            self.unhashed()
        hashes[code] = hashes.get(code, 0) + 1
        if self.container_keys > self.limits.container_keys:
            self.fail(f"more than {self.limits.container_keys} keys (Limits.container_keys)")
        if hashes[code] > wire.SAME_HASH:
            self.fail(f"more than {wire.SAME_HASH} keys of one hash")
        return key

    def array(self, count: int, depth: int, kdepth: int | None) -> Any:
        inside = self.open(count, depth)
        if kdepth is not None:
            kdepth += 1
            if kdepth > self.limits.key_depth:
                self.fail(f"key nested deeper than {self.limits.key_depth} (Limits.key_depth)")
        tag = self.mark() if count else None
        if tag is not None:
            return self.tagged(tag, count - 1, inside, kdepth)
        items = [self.value(inside, kdepth) for _ in range(count)]
        return items if kdepth is None else tuple(items)

    def mark(self) -> bytes | None:
        """The data of a mark, if the next element is one."""
        head = self.data[self.at : self.at + 10]
        for marker, size in ((0xD4, 1), (0xD7, 8)):
            if head[:2] == bytes([marker, wire.MARK]) and len(head) >= 2 + size:
                self.at += 2 + size
                return head[2 : 2 + size]
        return None

    def tagged(self, tag: bytes, count: int, depth: int, kdepth: int | None) -> Any:
        number = tag[0]
        if (len(tag) == 8) is not (number == wire.DEQUE):
            self.fail("unknown mark")
        if number == wire.RECORD and count == 2:
            return self.record(depth, kdepth)
        if number == wire.TUPLE:
            return tuple(self.value(depth, kdepth) for _ in range(count))
        if number in (wire.SET, wire.FROZENSET):
            return self.set(number, count, depth, kdepth)
        if kdepth is not None:
            self.fail("mutable container in a key or set element")
        if number == wire.DEQUE and count > int.from_bytes(tag[1:], "big"):
            self.fail("deque longer than its bound")
        wrong = (number == wire.SLICE and count != 3) or (number in _MAPS and count != 1)
        if wrong or not (wire.DEQUE <= number <= wire.SLICE or number in (wire.PARTS, wire.SIFTED)):
            self.fail("unknown mark")
        items = [self.value(depth, None) for _ in range(count)]
        if number in _MAPS and type(items[0]) is not dict:
            self.fail("unknown mark")
        bound = int.from_bytes(tag[1:], "big")
        try:
            return assemble(number, items, None if bound == wire.DEQUE_UNBOUNDED else bound)
        except ValueError as bad:
            return self.fail(str(bad))

    def record(self, depth: int, kdepth: int | None) -> Any:
        """A listed class by its name, or what stands for it where the name is not listed."""
        name = self.value(depth, kdepth)
        marker = self.data[self.at : self.at + 1] or b"\0"
        if type(name) is not str or not (0x80 <= marker[0] < 0x90 or marker in (b"\xde", b"\xdf")):
            self.fail("bad record")
        self.at += 1
        count = marker[0] & 15 if marker[0] < 0x90 else self.size(2 if marker == b"\xde" else 4)
        fields = self.map(count, depth, kdepth, record=True)
        if not all(type(field) is str for field in fields):
            self.fail("bad record")
        try:
            return rebuild(self.types, name, fields, in_key=kdepth is not None)
        except ValueError as refused:
            return self.fail(str(refused))

    def set(self, number: int, count: int, depth: int, kdepth: int | None) -> Any:
        if kdepth is not None and number == wire.SET:
            self.fail("mutable container in a key or set element")
        hashes: dict[int, int] = {}
        found: set[Any] = set()
        twice = False
        for item in [self.element(depth, kdepth or 0, hashes) for _ in range(count)]:
            twice = twice or self.holds(found, item)
            found.add(item)
        if twice:
            self.fail("duplicate set element")
        return found if number == wire.SET else frozenset(found)

    def element(self, depth: int, kdepth: int, hashes: dict[int, int]) -> Any:
        """An element of a set, where the key form has no place."""
        code = self.at + _CODE_AT.get(self.data[self.at] if self.at < len(self.data) else 0, len(self.data))
        if self.data[code : code + 1] == bytes([wire.KEY]):
            self.fail("key form outside a map key")
        return self.hashed(depth, kdepth, hashes)

    def ext(self, size: int, depth: int, kdepth: int | None) -> Any:
        code = struct.unpack(">b", self.take(1))[0]
        if code == wire.KEY:
            return self.key(size, depth, kdepth)
        if code == wire.MARK:
            self.fail("mark outside the head of an array")
        if kdepth is not None and code in values.UNHASHABLE:
            self.fail("mutable value in a key or set element")
        payload = self.sized(size)
        if kdepth is not None and code == wire.NDARRAY and payload[:1] and payload[0] in wire.NDARRAY_UNHASHABLE:
            self.fail("mutable value in a key or set element")
        self.charge(values.cost(code, size))
        try:
            return values.build(code, payload)
        except ValueError as bad:
            return self.fail(str(bad))

    def key(self, size: int, depth: int, kdepth: int | None) -> Any:
        """The key form: one tuple or frozenset in an opaque envelope."""
        if kdepth != 0:
            self.fail("key form outside a map key")
        if size > len(self.data) - self.at:
            self.fail("truncated input")
        head = self.data[self.at : self.at + 1]
        if not size or (head[0] & 0xF0 != 0x90 and head not in (b"\xdc", b"\xdd")):
            self.fail("bad key form")
        end = self.at + size
        found = self.value(depth, kdepth)
        if self.at != end:
            self.fail("bad key form")
        return found


def _bin(reader: _Reader, size: int, _depth: int, _kdepth: int | None) -> bytes:
    return reader.sized(size)


def _str(reader: _Reader, size: int, _depth: int, _kdepth: int | None) -> str:
    return reader.str(size)


_SIZED: dict[int, tuple[int, Callable[[_Reader, int, int, int | None], Any]]] = {
    **{0xC4 + step: (1 << step, _bin) for step in range(3)},
    **{0xC7 + step: (1 << step, _Reader.ext) for step in range(3)},
    **{0xD9 + step: (1 << step, _str) for step in range(3)},
    **{0xDC + step: (2 << step, _Reader.array) for step in range(2)},
    **{0xDE + step: (2 << step, _Reader.map) for step in range(2)},
}
"""By marker: how many bytes the size takes that follows it, and what reads the rest."""

_CODE_AT = {**dict.fromkeys(range(0xD4, 0xD9), 1), 0xC7: 2, 0xC8: 3, 0xC9: 5}
"""By marker: how far behind it the code of an ext stands."""

_MAPS = (wire.ORDERED_DICT, wire.DEFAULT_DICT, wire.COUNTER)
