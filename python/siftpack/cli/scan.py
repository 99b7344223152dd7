"""``siftpack scan URL``: which formats a store holds, how much of each, how long they live. Values are not shown."""

from rich.console import Console
from rich.table import Table

from siftpack.cli.progress import Progress
from siftpack.cli.stores import Store
from siftpack.cli.sweeps import BATCH, look, sweep
from siftpack.cli.tallies import Tally
from siftpack.cli.written import shortened

_BAR = 40
"""Columns of the longest bar."""


def count(store: Store, tally: Tally, match: bytes | None, limit: int | None, progress: Progress) -> None:
    """Counts the keys of all masters, ``limit`` of them at most. Raises the client's errors."""
    masters = store.masters()
    progress.start("scanning", min(sum(int(node.client.dbsize()) for node in masters), limit or 2**63))
    left = limit if limit is not None else -1
    for node in masters:
        for keys in sweep(node.client, match):
            chosen = keys if left < 0 else keys[:left]
            left -= len(chosen) if left > 0 else 0
            for item in look(node.client, chosen):
                tally.add(item)
            progress.advance(len(chosen) if match is None else BATCH)
            if not left:
                return
    tally.finished = True


def show(console: Console, tally: Tally, limit: int | None) -> None:
    """Print the counts."""
    total = tally.total
    if not total.keys:
        console.print("No keys found." if tally.finished else "Nothing was counted.")
        return
    table = Table()
    for name in ("form", "keys", "bytes", "mean", "largest", "without end"):
        table.add_column(name, justify="left" if name == "form" else "right", overflow="fold")
    for name, row in tally.forms():
        table.add_row(name, *_cells(row.keys, row.bytes, row.largest, row.endless))
    table.add_section()
    table.add_row("all", *_cells(total.keys, total.bytes, total.largest, total.endless))
    console.print(table)
    plain = tally.plain()
    _bars(console, "Sizes of strings", [(f"< {_power(e['below'])}", e["keys"]) for e in plain["sizes"]])
    _bars(console, "Time left", [*((_left(e["below"]), e["keys"]) for e in plain["seconds_left"]), *_endless(tally)])
    if tally.largest():
        console.print("\nLargest strings")
        for length, key, form in tally.largest():
            console.print(f"  {size(length):>9}  {shortened(key)}  {form}", soft_wrap=True)
    if not tally.finished:
        console.print(f"\nNot all: {'stopped at --limit' if limit is not None else 'interrupted'}.")


def size(count: float) -> str:
    """Bytes for people: ``812 B``, ``1.4 kB``, ``64 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _cells(keys: int, held: int, largest: int, endless: int) -> tuple[str, ...]:
    return f"{keys:,}", size(held), size(held / keys) if keys else "", size(largest), f"{endless:,}"


def _endless(tally: Tally) -> list[tuple[str, int]]:
    return [("no end", tally.total.endless)] if tally.total.endless else []


def _left(below: int | None) -> str:
    if below is None:
        return "longer"
    for unit, seconds in (("d", 86_400), ("h", 3600), ("min", 60)):
        if below >= seconds:
            return f"< {below // seconds} {unit}"
    return f"< {below} s"


def _power(below: int) -> str:
    """A power of two: ``16 B``, ``1 KiB``, ``64 MiB``."""
    for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if below >> shift:
            return f"{below >> shift} {unit}"
    return f"{below} B"


def _bars(console: Console, title: str, rows: list[tuple[str, int]]) -> None:
    if not rows:
        return
    console.print(f"\n{title}")
    block, least = ("█", "▏") if console.encoding.startswith("utf") else ("#", "#")
    most = max(count for _, count in rows)
    for name, keys in rows:
        console.print(f"  {name:>9}  {block * round(keys * _BAR / most) or least * bool(keys)} {keys:,}")
