"""``siftpack demo``: the scene, the peers, the report, the store and the comparison."""

import timeit
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

import siftpack
import siftpack.reference
from siftpack.cache import Cache, RedisBackend
from siftpack.cli.peers import verdicts
from siftpack.cli.scene import API_KEY, context
from siftpack.cli.server import Store, store
from siftpack.cli.seventeen import DIFFERENT, KEPT_FOR, Runs, outcomes, runs_after, runs_before
from siftpack.cli.signals import Signals
from siftpack.testing import same

REPEATS, CALLS = 7, 20
"""Timed runs, of which the shortest counts, and calls in each."""
USERS = ("ada", "bob", "eve", "kim")
"""Who asks."""


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
    holds = _held(console, checks)
    _speed(console, scene)
    with _cache(place) as cache:
        return holds & _before_and_after(console, cache, "memory" if place is None else place.label)


def _held(console: Console, checks: dict[str, bool]) -> bool:
    for claim, holds in checks.items():
        console.print(f"{'yes' if holds else 'NO'}  {claim}", style="green" if holds else "bold red")
    return all(checks.values())


@contextmanager
def _cache(place: Store | None) -> Iterator[Cache]:
    """A cache in the store, which holds nothing of it afterwards; what is measured must not come from elsewhere."""
    if place is None:
        yield Cache()
        return
    namespace = f"siftpack-demo-{uuid.uuid4()}"
    with Cache(RedisBackend(place.client), fallback=False, namespace=namespace, ttl=KEPT_FOR) as made:
        try:
            yield made
        finally:
            made.clear_namespace()


def _before_and_after(console: Console, cache: Cache, label: str) -> bool:
    """Seventeen scenes of an agent platform, and the same questions asked again: the original chain, and siftpack."""
    console.print("\nAn agent platform before (JSON, else pickle, else str; contexts by deepcopy) and after:\n")
    table = Table("scene", "before", "after")
    found = outcomes(cache)
    for each in found:
        table.add_row(*each)
    console.print(table)
    console.print(f"{len(USERS)} users ask again and again; after, their answers are kept in {label}:")
    _runs(console, "before", lambda: runs_before(USERS))
    after = _runs(console, "after", lambda: runs_after(USERS, cache))
    claim = f"{sum(each.holds for each in found)} of {len(found)} scenes, {sum(e.held_before for e in found)} before"
    checks = {
        claim: all(each.holds for each in found),
        "every run gave its user the answer to the question": after.answered == after.questions,
    }
    return _held(console, checks)


def _runs(console: Console, name: str, ask: Callable[[], Runs]) -> Runs:
    began = timeit.default_timer()
    runs = ask()
    took = (timeit.default_timer() - began) / runs.questions
    console.print(
        f"{name}: {runs.questions} questions, {DIFFERENT * len(USERS)} of them different: the agent ran {runs.calls}"
        f" times, {runs.hits / runs.questions:.0%} hits, {took * 1e3:.2f} ms a run beside the agent"
    )
    return runs


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
