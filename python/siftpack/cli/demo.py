"""``siftpack demo``: the scene, the peers, the report, the store and the comparison."""

import timeit
import uuid
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

import siftpack
import siftpack.reference
from siftpack.cli.peers import verdicts
from siftpack.cli.scene import API_KEY, context
from siftpack.cli.server import Store, store
from siftpack.cli.seventeen import outcomes, runs_after, runs_before
from siftpack.cli.signals import Signals
from siftpack.testing import same

REPEATS, CALLS = 7, 20
"""Timed runs, of which the shortest counts, and calls in each."""
KEPT_FOR = 60
"""Seconds after which a store forgets the demo's key by itself."""


def run(console: Console, signals: Signals, *, server: bool) -> bool:
    """The whole demo; True if every check held."""
    if not server:
        return _scene(console, None)
    with store(signals) as place:
        console.print(f"Store: {place.label}")
        return _scene(console, place)


def _scene(console: Console, place: Store | None) -> bool:
    scene = context()
    console.print(f"Scene: a context of {len(scene)} entries, data and machinery mixed, after a LangGraph run\n")
    _peers(console, scene)
    data, report = siftpack.packb_with_report(scene)
    console.print(f"\nsiftpack: {len(data)} bytes, {len(report)} findings\n")
    _report(console, report)
    stored = data if place is None else _through(place, data)
    if stored != data:
        console.print("NO  the store gave back other bytes", style="bold red")
        return False
    back = siftpack.unpackb(stored)
    console.print("\nKept:")
    for name, value in back.items():
        console.print(f"  {name}: {value}", no_wrap=True, overflow="ellipsis")
    checks = {
        "what came back is the same as sanitize(context)": same(back, siftpack.sanitize(scene)),
        "the API key is not in the bytes": API_KEY.encode() not in data,
        "the pure-Python reference writes the same bytes": siftpack.reference.packb(scene) == data,
    }
    console.print()
    for claim, holds in checks.items():
        console.print(f"{'yes' if holds else 'NO'}  {claim}", style="green" if holds else "bold red")
    _speed(console, scene)
    return all(checks.values()) & _before_and_after(console)


def _before_and_after(console: Console) -> bool:
    """Seventeen scenes of an agent platform, and the same questions asked again: the original chain, and siftpack."""
    console.print("\nAn agent platform before (JSON, else pickle, else str; contexts by deepcopy) and after:\n")
    table = Table("scene", "before", "after")
    found = outcomes()
    for each in found:
        table.add_row(*each)
    console.print(table)
    for name, asked in (("before", runs_before), ("after", runs_after)):
        began = timeit.default_timer()
        runs = asked()
        took = (timeit.default_timer() - began) / runs.questions
        console.print(
            f"{name}: {runs.questions} questions, 3 of them different: the agent ran {runs.calls} times,"
            f" {runs.hits / runs.questions:.0%} hits, {took * 1e3:.2f} ms a run beside the agent"
        )
    holds = all(each.holds for each in found)
    claim = f"{sum(each.holds for each in found)} of {len(found)} scenes, {sum(e.held_before for e in found)} before"
    console.print(f"{'yes' if holds else 'NO'}  {claim}", style="green" if holds else "bold red")
    return holds


def _peers(console: Console, scene: dict[str, object]) -> None:
    table = Table("library", "the whole context", "entries it can write", "with the API key in clear")
    for verdict in verdicts(scene, API_KEY):
        table.add_row(verdict.name, verdict.answer, f"{verdict.fits} of {len(scene)}", str(verdict.leaks))
    console.print(table)


def _report(console: Console, report: siftpack.Report) -> None:
    table = Table("path", "kind", "type", "action")
    for finding in report:
        table.add_row(finding.path, finding.kind, finding.type_name, finding.action)
    console.print(table)


def _through(place: Store, data: bytes) -> bytes:
    key = f"siftpack:demo:{uuid.uuid4()}"
    place.client.set(key, data, ex=KEPT_FOR)
    try:
        back = place.client.get(key)
    finally:
        place.client.delete(key)
    return back if isinstance(back, bytes) else b""


def _speed(console: Console, scene: dict[str, object]) -> None:
    core, reference = _seconds(siftpack.packb, scene), _seconds(siftpack.reference.packb, scene)
    console.print(
        f"\npackb {core * 1e6:.0f} us, siftpack.reference.packb {reference * 1e6:.0f} us: {reference / core:.1f} times"
        f" (best of {REPEATS} runs of {CALLS}, here and now)"
    )


def _seconds(write: Callable[[object], bytes], scene: dict[str, object]) -> float:
    return min(timeit.repeat(lambda: write(scene), number=CALLS, repeat=REPEATS)) / CALLS
