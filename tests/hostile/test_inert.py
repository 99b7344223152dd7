"""Nothing of an object is ever called: no protocol, no property, no metaclass."""

import gc
from typing import Any

import pytest

from siftpack import reference
from siftpack.policy import Action, Kind, Policy
from siftpack.storage import type_name
from siftpack.testing import same
from tests.hostile.positions import HASHED, PLAIN, path_of
from tests.hostile.recorder import CALLS, CLASSES, Base, Hostile, HostileMeta, hostile, subclass_of

POSITIONS = {**PLAIN, **HASHED}
TOMBSTONES = Policy(dict.fromkeys((Kind.OPAQUE, Kind.SUBCLASS, Kind.CLASS, Kind.EXCEPTION), Action.TOMBSTONE))
NAMES = Policy(dict.fromkeys((Kind.OPAQUE, Kind.SUBCLASS, Kind.CLASS, Kind.EXCEPTION), Action.NAME))


@pytest.mark.parametrize("name", sorted(POSITIONS))
@pytest.mark.parametrize("cls", CLASSES, ids=["hostile", "sealed", "metaclass"])
def test_a_lost_object_is_never_asked_and_costs_only_itself(subject: Any, cls: Any, name: str) -> None:
    """In any position a hostile object is left out unasked, its siblings stay, and the finding has its path."""
    position = POSITIONS[name]
    lost = hostile(cls)
    built = position.build(lost)
    CALLS.clear()
    payload, report = subject.packb_with_report(built)
    copy, seen, small = subject.sanitize(built), subject.inspect(built), subject.packb(built)
    if name != "OrderedDict key" or subject is not reference:  # Python itself hashes the keys to iterate in order
        assert CALLS == []
    assert same(copy, position.left)
    assert same(subject.unpackb(payload), position.left)
    assert small == payload
    assert seen == report
    assert [(found.path, found.kind) for found in report] == [(path_of(position, lost), Kind.OPAQUE)]


@pytest.mark.parametrize("cls", [Hostile, HostileMeta], ids=["instance", "metaclass"])
def test_public_fields_are_read_from_storage_without_a_call(subject: Any, cls: Any) -> None:
    """The real instance dict is read behind a ``__dict__`` property and ``__getattribute__``, by every function."""
    lost = hostile(cls, a=1, _b=2, password="p")
    payload, report = subject.packb_with_report([lost])
    assert subject.sanitize([lost])[0]["a"] == 1
    assert subject.unpackb(payload)[0]["a"] == 1
    assert CALLS == []
    assert {(found.path, found.kind) for found in report} == {("$[0]._b", Kind.PRIVATE), ("$[0].password", Kind.SECRET)}


@pytest.mark.parametrize("policy", [TOMBSTONES, NAMES], ids=["tombstone", "name"])
@pytest.mark.parametrize("cls", CLASSES, ids=["hostile", "sealed", "metaclass"])
def test_markers_and_names_ask_nothing(subject: Any, cls: Any, policy: Policy) -> None:
    """A tombstone or name of a hostile object, and of its class, comes from the type's own record."""
    lost = [hostile(cls), cls, [hostile(cls)]]
    CALLS.clear()
    payload, report = subject.packb_with_report(lost, policy=policy)
    str(report)
    assert CALLS == []
    assert type_name(cls).encode() in payload


@pytest.mark.parametrize(
    ("base", "args", "plain"),
    [
        *(
            (list, ([1, 2],), [1, 2]),
            (dict, ({"a": 1},), {"a": 1}),
            (tuple, ((1, 2),), (1, 2)),
            (str, ("text",), "text"),
        ),
        *((int, (2**70,), 2**70), (float, (0.5,), 0.5), (bytes, (b"raw",), b"raw"), (set, ([1, 2],), {1, 2})),
        (frozenset, ([1, 2],), frozenset([1, 2])),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_the_base_storage_of_a_subclass_is_kept(subject: Any, base: Any, args: Any, plain: Any) -> None:
    """A subclass of a builtin with every method overridden is kept as its base storage, and never asked."""
    value = subclass_of(base, *args)
    payload = subject.packb([value, {"k": value}])
    copy = subject.sanitize([value, {"k": value}])
    assert CALLS == []
    assert same(copy, [plain, {"k": plain}])
    assert same(subject.unpackb(payload), copy)


@pytest.mark.parametrize("base", [tuple, str, int, float, bytes, frozenset])
def test_a_hostile_subclass_as_a_key_is_its_base_value(subject: Any, base: Any) -> None:
    """As a dict key and set element a hostile subclass of a builtin becomes its base value, converted and unasked."""
    value = subclass_of(base)
    built = [{value: 1}, {value}]
    CALLS.clear()
    copy = subject.sanitize(built)
    report = subject.inspect(built)
    assert CALLS == []
    assert same(copy, [{base(): 1}, {base()}])
    assert [(found.kind, found.action) for found in report] == [(Kind.SUBCLASS, Action.CONVERTED)] * 2


class EvilKey(str):
    """A str that records comparisons, under the hash of the plain one."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        CALLS.append("key.eq")
        return str.__eq__(self, other)

    __hash__ = str.__hash__


@pytest.mark.parametrize("name", ["a", "__notes__", "_value_", "maps", "b"])
def test_keys_of_an_instance_dict_are_never_compared(subject: Any, name: str) -> None:
    """A hostile str key in the dict of a record, an exception or an opaque object is reported and never compared."""
    from tests.hostile.positions import Data

    record, error, plain = object.__new__(Data), ValueError("m"), Base()
    for each in (record, error, plain):
        each.__dict__.update({EvilKey(name): 1})
    plain.__dict__["kept"] = 1
    CALLS.clear()
    _, report = subject.packb_with_report([record, error, plain])
    assert CALLS == []
    assert {found.path.split("{")[0] for found in report} >= {"$[0]", "$[1]", "$[2]"}


def test_nothing_is_finalised_or_kept_alive(subject: Any) -> None:
    """After a walk the hostile objects have the references they had before."""
    lost = hostile(Hostile)
    built = [lost, {"a": lost}]
    gc.collect()
    before = len(gc.get_referrers(lost))
    CALLS.clear()
    report = subject.inspect(built)
    assert report
    assert len(gc.get_referrers(lost)) == before
    assert CALLS == []
