"""Objects that become something else between two looks at them, and classes that answer differently each time."""

import dataclasses
import enum
import gc
import time
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import pytest

from siftpack import Action, Kind, Limits, Policy, register
from siftpack.errors import DecodeError, EncodeError, LimitExceeded
from tests.conftest import core
from tests.hostile.intruders import at_calls


def at_calls_of(name: str, change: Callable[[], None]) -> AbstractContextManager[None]:
    """Whenever a function of ours of that name is called, something changes."""
    return at_calls(change, lambda frame: frame.f_code.co_name == name)


def overwrite() -> None:
    """Let go of what is unreachable, and fill its memory with something else."""
    gc.collect()
    for size in range(16, 1400, 16):
        bytes([255]) * size


class Plain:
    """A class without anything."""


def test_a_listed_member_that_is_one_no_more_is_left_out() -> None:
    """An enum member that becomes a plain object while it is asked about is not read by a layout it does not have."""

    class Color(enum.Enum):
        RED = 1

    core().packb([Plain(), Color.RED], types=(Color,))
    member: Any = Color.RED
    kept = weakref.ref(member)
    with at_calls_of("readable", lambda: object.__setattr__(member, "__class__", Plain)):
        payload = core().packb([1, member, 2], types=(Color,))
    assert core().unpackb(payload) == [1, 2]
    assert kept() is member


def test_elements_that_change_class_while_they_are_put_in_order_are_all_there() -> None:
    """Set elements of the same bytes are put in order by names asked once, whatever they are called by then."""

    class Base(str):
        __slots__ = ()
        __hash__ = object.__hash__

        def __eq__(self, other: object) -> bool:
            return self is other

    classes = [type(f"Text{at}", (Base,), {"__slots__": ()}) for at in range(6)]
    found = {cls("a") for cls in classes for _ in range(3)}

    def change() -> None:
        for each in found:
            each.__class__ = type("Other", (Base,), {"__slots__": ()})

    for name in ("packb", "sanitize", "fingerprint", "inspect"):
        with at_calls_of("type_name", change):
            result = getattr(core(), name)(found)
        assert name != "packb" or core().unpackb(result) == {"a"}


class Carrier:
    """An opaque object whose class comes and goes."""


def passing() -> Any:
    """A class that nobody keeps."""
    return type("Passing" * 30, (), {})


def test_an_emptied_object_is_reported_by_a_class_that_is_alive() -> None:
    """An object that changes its class and back while it is walked is reported by a class that is there."""
    for emptied in (Action.DROP, Action.TOMBSTONE, Action.NAME):
        carrier = Carrier()
        vars(carrier).update(child=len, _hidden=1)

        def by_default(obj: Any, carrier: Any = carrier) -> Any:
            if obj is carrier:
                obj.__class__ = passing()
            elif obj is len:
                carrier.__class__ = Carrier
                overwrite()
            return NotImplemented

        policy = Policy(default=by_default, emptied=emptied)
        report = core().packb_with_report([carrier], policy=policy)[1]
        assert report.counts[Kind.OPAQUE] == 1
        assert "PassingPassing" in report.findings[-1].type_name


class Turning:
    """Listed: where it is compared in a walk, all elements change their class."""

    elements: ClassVar[list[Any]] = []

    def __init__(self, at: int) -> None:
        self.at = at

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        if not Turning.elements:
            return self is other
        for each in Turning.elements:
            each.__class__ = type("Passing" * 30, (Turning,), {})
        overwrite()
        raise ValueError


@pytest.mark.parametrize("name", ["packb_with_report", "inspect"])
def test_an_element_is_reported_by_a_class_that_is_alive(name: str) -> None:
    """An element that changes its class while it is compared is reported by a class that is still there."""
    elements = [Turning(at) for at in range(6)]
    found = set(elements)
    Turning.elements = elements
    try:
        result = getattr(core(), name)([found], types=(Turning,))
    finally:
        Turning.elements = []
    report = result[1] if type(result) is tuple else result
    assert len(report.findings) == 5
    assert all("Passing" in each.path or "Turning" in each.path for each in report.findings)


@dataclasses.dataclass(eq=False)
class Fickle:
    """A listed class whose hash and equality fail when they are told to."""

    number: int

    def __hash__(self) -> int:
        if FAIL["hash"]:
            raise FAIL["hash"][0]
        return 1

    def __eq__(self, other: object) -> bool:
        if FAIL["eq"]:
            raise FAIL["eq"][0]
        return self is other


FAIL: dict[str, list[BaseException]] = {"hash": [], "eq": []}


@pytest.mark.parametrize("how", ["hash", "eq"])
def test_a_listed_class_that_cannot_be_hashed_any_more_is_a_decode_error(subject: Any, how: str) -> None:
    """What a listed class raises when it is hashed or compared is a ``DecodeError``, but for what nobody may hold."""
    values: list[Any] = [{Fickle(1): 1, Fickle(2): 2}, {Fickle(1), Fickle(2)}]
    for payload in [subject.packb(value, types=(Fickle,)) for value in values]:
        for error in (ZeroDivisionError(), TypeError(), MemoryError(), KeyboardInterrupt()):
            FAIL[how] = [error]
            held = isinstance(error, Exception) and not isinstance(error, MemoryError)
            try:
                with pytest.raises(DecodeError if held else type(error)):
                    subject.unpackb(payload, types=(Fickle,))
            finally:
                FAIL[how] = []


def test_a_listed_class_that_changes_its_mind_is_a_clean_error() -> None:
    """A hash that fails from the n-th call on costs an entry or is an ``EncodeError``, for every n."""
    calls, refused = [0, 0], []

    @dataclasses.dataclass(eq=False)
    class Late:
        number: int

        def __hash__(self) -> int:
            calls[0] += 1
            if calls[0] > calls[1]:
                raise ZeroDivisionError
            return 1

    for last in range(1, 14):
        calls[:] = [0, 99]
        values: list[Any] = [{Late(1): 1, Late(2): 2}, {Late(1), Late(2)}]
        for value in values:
            for call in (core().sanitize, core().packb, core().inspect, core().fingerprint):
                calls[:] = [0, last]
                try:
                    call(value, types=(Late,))
                except EncodeError as error:
                    refused.append(str(error))
                calls[:] = [0, 99]
    assert refused
    assert all("cannot be hashed" in each for each in refused)


def test_the_collector_stays_as_a_hash_has_left_it_for_nobody() -> None:
    """A listed class that switches the collector on while a copy is built does not let it into the rest of the walk."""
    seen: list[bool] = []

    @dataclasses.dataclass(eq=False)
    class Switch:
        number: int

        def __hash__(self) -> int:
            gc.enable()
            return 1

    class Looking(int):
        pass

    register(Looking, extract=lambda obj: seen.append(gc.isenabled()) or 1)
    core().sanitize([{Switch(1): 1}, {Switch(2)}, Looking(1)], types=(Switch,))
    assert seen == [True]
    gc.disable()
    try:
        core().sanitize([{"k": 1}, Looking(1)])
        assert seen == [True, False]
        assert not gc.isenabled()
    finally:
        gc.enable()


def nested_groups(count: int) -> ExceptionGroup[Any]:
    """Groups inside one another, each holding the next one twice."""
    found: ExceptionGroup[Any] = ExceptionGroup("m", [ValueError(1)])
    for _ in range(count):
        found = ExceptionGroup("m", [found, found])
    return found


def test_groups_that_share_their_members_are_refused_in_time() -> None:
    """Whether a group comes back is asked once of each: sharing members costs nothing that the budget does not see."""
    for count in (28, 40):
        start = time.perf_counter()
        with pytest.raises(LimitExceeded):
            core().packb(nested_groups(count), types=(ExceptionGroup, ValueError), limits=Limits(nodes=20_000))
        assert time.perf_counter() - start < 10


@pytest.mark.parametrize("count", [1, 5, 29, 30, 31, 32, 33, 40])
def test_groups_come_back_as_deep_as_before(count: int) -> None:
    """Both implementations agree on groups inside one another, shared or not, however deep."""
    from siftpack import reference

    shallow = nested_groups(3)
    found = shallow
    for at in range(count):
        found = ExceptionGroup("m", [shallow, found] if at % 2 else [found, shallow])
    value = [shallow, found, shallow]
    types = (ExceptionGroup, ValueError)
    assert core().packb(value, types=types) == reference.packb(value, types=types)


@pytest.mark.parametrize("size", [20, 40, 100, 300])
def test_lost_places_of_a_tuple_are_cut_too(subject: Any, size: int) -> None:
    """None in place of what is lost counts as output: when cutting, it never makes the output too large."""
    for value in ((len,) * 1000, [(len,) * 1000, 1], [slice(len, len)] * 400, {"k": (1, len, (len,) * 500)}):
        payload, report = subject.packb_with_report(value, limits=Limits(bytes=size, on_exceed="cut"))
        assert len(payload) <= size
        assert report.cut or size == 300


@pytest.mark.parametrize("emptied", [Action.TOMBSTONE, Action.NAME])
def test_an_emptied_object_that_does_not_fit_is_cut(subject: Any, emptied: Action) -> None:
    """When cutting, what stands for an object of which nothing is left is cut like everything else."""

    class Empty:
        def __init__(self) -> None:
            self._hidden = 1

    for size in range(20, 200, 7):
        for limits in (Limits(bytes=size, on_exceed="cut"), Limits(nodes=size // 8, on_exceed="cut")):
            policy, value = Policy(emptied=emptied), [Empty() for _ in range(9)]
            payload, report = subject.packb_with_report(value, policy=policy, limits=limits)
            assert report.cut or len(core().unpackb(payload)) == 9
            assert len(payload) <= limits.bytes
