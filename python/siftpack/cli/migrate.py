"""``siftpack migrate URL``: old entries rewritten as the cache's own, batch by batch, with their time to live kept."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.table import Table

from siftpack.cache.frames import Place
from siftpack.cli.converting import WHY, Reading, Refused
from siftpack.cli.forms import HEAD
from siftpack.cli.ledger import Counts, Ledger, Report
from siftpack.cli.movers import ALREADY, AWAY, CHANGED, DONE, GONE, Change, Mover
from siftpack.cli.naming import Naming, Unnamed
from siftpack.cli.progress import Progress
from siftpack.cli.scan import size
from siftpack.cli.stores import Node, Store, Trouble
from siftpack.cli.sweeps import BATCH, Item, ask, is_away, is_other_type, look, step
from siftpack.cli.written import written

GROUP: Final = 2**23
"""Bytes of old values that are fetched, or written, in one exchange; a single larger one goes alone."""
ROUNDS: Final = 4
"""How often a value that changes under our hands is looked at before it is left alone."""
PASSES: Final = 5
"""How often it begins anew when servers were restarted or slots moved meanwhile."""
LONGEST: Final = 16_384
"""Bytes of a key that a report shows."""


class Plan(NamedTuple):
    """What is to be done."""

    naming: Naming
    reading: Reading
    match: bytes
    keep: bool
    dry: bool


class Migration:
    """One run over all masters of a store."""

    def __init__(self, store: Store, plan: Plan, ledger: Ledger, report: Report, progress: Progress) -> None:
        self._store = store
        self._plan = plan
        self._ledger = ledger
        self._report = report
        self._progress = progress
        self._unsettled = False
        self._mover = Mover(store.client, cluster=store.cluster, keep=plan.keep, same=plan.reading.same, dry=plan.dry)

    @property
    def counts(self) -> Counts:
        """What became of the keys so far."""
        return self._ledger.counts

    def run(self) -> None:
        """Until every key was dealt with. Raises ``Trouble`` and the client's errors; then it can go on later."""
        for _ in range(PASSES):
            self._unsettled = False
            masters = self._masters()
            shape = _shape(self._store, masters)
            if self._ledger.shape != shape:
                self._ledger.restart(shape, [node.label for node in masters])
            total = sum(int(node.client.dbsize()) for node in masters)
            self._progress.start("migrating", total, self.counts.numbers["scanned"])
            for node in masters:
                self._node(node)
            if not self._unsettled and _shape(self._store, self._masters()) == shape:
                self._ledger.save(finished=True)
                return
            self._ledger.shape = None
        raise Trouble("the servers keep changing: run it again when they have settled", 1)

    def _masters(self) -> list[Node]:
        if self._store.cluster:
            self._store.client.nodes_manager.initialize()
        return self._store.masters()

    def _node(self, node: Node) -> None:
        cursors = self._ledger.cursors
        cursor = cursors.get(node.label, 0)
        while cursor is not None:
            after, keys = step(node.client, cursor, self._plan.match)
            self._batch(node.client, keys)
            cursor = cursors[node.label] = after or None
            self._ledger.save()
            self._progress.advance(BATCH)

    def _batch(self, client: Any, keys: list[bytes]) -> None:
        self.counts.add("scanned", len(keys))
        for _ in range(ROUNDS):
            found = look(client, keys)
            self.counts.add("gone", len(keys) - len(found))
            wanted = [each for item in found if (each := self._wanted(item)) is not None]
            keys = [key for group in _grouped(wanted) for key in self._group(client, group)]
            if not keys:
                return
        left = look(client, keys)
        self.counts.add("gone", len(keys) - len(left))
        for item in left:
            self._refuse(item, "changed")

    def _wanted(self, item: Item) -> tuple[Item, Place] | None:
        """An item that is to be rewritten and its new place, None if it was dealt with here."""
        if item.type == "moving":
            self._gone(away=True)
            return None
        try:
            place = self._plan.naming.place(item.key)
            if self._plan.reading.check(item):
                return item, place
            self.counts.add("already")
        except Unnamed as unnamed:
            if not unnamed.reason:
                self.counts.add("unselected")
            elif item.type == "string" and _settled(self._plan.reading, item):
                self.counts.add("already")
            else:
                self._refuse(item, unnamed.reason)
        except Refused as refused:
            self._refuse(item, refused.reason)
        return None

    def _group(self, client: Any, group: Sequence[tuple[Item, Place]]) -> list[bytes]:
        """Rewrites some; the keys that changed meanwhile."""
        again: list[bytes] = []
        made: dict[bytes, Change] = {}
        for (item, place), data in zip(group, _values(client, [item for item, _ in group]), strict=True):
            if type(data) is bytes and len(data) == item.size and data.startswith(item.head):
                try:
                    new = self._plan.reading.convert(data, item, place)
                    made[item.key] = Change(item.key, place, data, new, item.form)
                except Refused as refused:
                    self._refuse(item, refused.reason)
            elif data is None or is_away(data):
                self._gone(away=data is not None)
            else:  # another value by now, or no string any more
                again.append(item.key)
        items = {item.key: item for item, _ in group}
        for change, outcome in zip(made.values(), self._mover.write(client, list(made.values())), strict=True):
            if outcome == CHANGED:
                again.append(change.source)
            else:
                self._count(items[change.source], change, outcome)
        return again

    def _gone(self, *, away: bool) -> None:
        """Counts a key that is not here any more; ``away``: because it is on its way to another server."""
        self._unsettled = self._unsettled or away
        self.counts.add("gone")

    def _count(self, item: Item, change: Change, outcome: int) -> None:
        counts = self.counts
        if outcome == DONE:
            counts.add("rewritten")
            counts.add("bytes_before", len(change.old))
            counts.add("bytes_after", len(change.new))
            label = change.form.label
            if label in counts.forms or len(counts.forms) < 100:
                counts.forms[label] = counts.forms.get(label, 0) + 1
        elif outcome == ALREADY:
            counts.add("already")
        elif outcome in {GONE, AWAY}:
            self._gone(away=outcome == AWAY)
        else:
            self._refuse(item, "target_exists")

    def _refuse(self, item: Item, reason: str) -> None:
        self.counts.add("refused")
        self.counts.reasons[reason] = self.counts.reasons.get(reason, 0) + 1
        line: dict[str, Any] = {"key": written(item.key[:LONGEST]), "reason": reason, "form": item.form.label}
        if len(item.key) > LONGEST:
            line["key_bytes"] = len(item.key)
        self._report.line({**line, "bytes": item.size})


def _settled(reading: Reading, item: Item) -> bool:
    """True for an entry of some cache under its own key."""
    try:
        return item.form.family == "siftpack" and not reading.check(item)
    except Refused:
        return False


def _shape(store: Store, masters: Sequence[Node]) -> list[Any]:
    """Which servers hold which keys, and which run of theirs it is: a cursor of SCAN is worth nothing to another."""
    runs = [[node.label, str(node.client.info("server").get("run_id", ""))] for node in masters]
    if not store.cluster:
        return runs
    lines = masters[0].client.execute_command("CLUSTER", "NODES").decode().splitlines()
    fields = [line.split() for line in lines]
    return [*runs, sorted([each[0], *each[8:]] for each in fields if "master" in each[2].split(","))]


def _grouped(wanted: Sequence[tuple[Item, Place]]) -> Iterator[list[tuple[Item, Place]]]:
    """In groups of ``GROUP`` bytes."""
    group: list[tuple[Item, Place]] = []
    held = 0
    for each in wanted:
        if group and held + each[0].size > GROUP:
            yield group
            group, held = [], 0
        group.append(each)
        held += each[0].size
    if group:
        yield group


def _values(client: Any, items: Sequence[Item]) -> list[Any]:
    """The whole values; an error in the place of one that is no string any more, or on its way to another server.

    Raises the client's other errors.
    """
    large = [item.key for item in items if item.size > HEAD]
    fetched = dict(zip(large, ask(client, [("GET", key) for key in large]), strict=True))
    for answer in fetched.values():
        if isinstance(answer, Exception) and not is_away(answer) and not is_other_type(answer):
            raise answer
    return [fetched[item.key] if item.size > HEAD else item.head for item in items]


def show(console: Console, counts: Counts, *, dry: bool, report: str, finished: bool) -> None:
    """Print what became of the keys."""
    table = Table()
    table.add_column("keys")
    table.add_column("count", justify="right")
    table.add_column("", overflow="fold")
    numbers = counts.numbers
    sizes = f"{size(numbers['bytes_before'])} become {size(numbers['bytes_after'])}" if numbers["rewritten"] else ""
    table.add_row("would be rewritten" if dry else "rewritten", f"{numbers['rewritten']:,}", sizes)
    for form, count in sorted(counts.forms.items(), key=lambda each: -each[1]):
        table.add_row(f"  {form}", f"{count:,}", "")
    table.add_row("already ours", f"{numbers['already']:,}", "")
    table.add_row("refused", f"{numbers['refused']:,}", "")
    for reason, count in sorted(counts.reasons.items(), key=lambda each: -each[1]):
        table.add_row(f"  {reason}", f"{count:,}", WHY[reason])
    for word, why in (("gone", "expired or deleted meanwhile"), ("unselected", "not matched by --map")):
        if numbers[word]:
            table.add_row(word, f"{numbers[word]:,}", why)
    table.add_section()
    table.add_row("all", f"{numbers['scanned']:,}", "")
    console.print(table)
    if numbers["refused"]:
        console.print(f"Each refused key: {report}", soft_wrap=True)
    if not finished:
        console.print("Not finished." if dry else "Not finished: the same command goes on from here.")
    elif dry:
        console.print("Nothing was written: this was a dry run. --apply does it.")
