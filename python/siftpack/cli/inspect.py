"""``siftpack inspect FILE``: what form some bytes have and what types are inside. Values are not shown."""

from collections import ChainMap, Counter, deque
from typing import Any

from rich.console import Console
from rich.table import Table

import siftpack
from siftpack import wire

FLAGS = (
    (wire.FLAG_TEXT, "text"),
    (wire.FLAG_ZLIB, "zlib"),
    (wire.FLAG_LOSSY, "lossy"),
    (wire.FLAG_BOUND, "bound"),
    (wire.FLAG_SEALED, "sealed"),
)


def show(console: Console, data: bytes) -> bool:
    """Print form, size and types; False if the bytes cannot be read."""
    framed = data[:1] == bytes([wire.FRAME_MAGIC])
    if framed and len(data) >= wire.FRAME_HEADER:
        flags = ", ".join(name for bit, name in FLAGS if data[2] & bit) or "none"
        console.print(f"siftpack frame, version {data[1]}, flags: {flags}, key id {data[3]}")
    else:
        console.print("siftpack frame, cut short" if framed else "plain MessagePack")
    console.print(f"{len(data)} bytes")
    try:
        value = siftpack.loads(data) if framed else siftpack.unpackb(data)
    except siftpack.DecodeError as refused:
        console.print(f"cannot be read: {refused}", style="bold red")
        return False
    table = Table("type", "count")
    for name, count in type_counts(value).most_common():
        table.add_row(name, str(count))
    console.print(table)
    return True


def type_counts(value: Any) -> Counter[str]:
    """How often each type occurs in a decoded value, keys included; keeps its own stack."""
    counts: Counter[str] = Counter()
    stack = [value]
    while stack:
        item = stack.pop()
        counts[type(item).__qualname__] += 1
        if isinstance(item, dict):
            stack += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple | set | frozenset | deque):
            stack += item
        elif isinstance(item, ChainMap):
            stack += item.maps
        elif isinstance(item, slice):
            stack += [item.start, item.stop, item.step]
    return counts
