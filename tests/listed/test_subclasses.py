"""Subclasses of builtin types and plain objects: base storage, slots and instance dict, and no code of theirs."""

import abc
import re
from collections import Counter, OrderedDict, UserDict, defaultdict, deque
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siftpack.errors import PolicyError
from siftpack.listed import Flavour, restore
from siftpack.storage import type_name
from siftpack.testing import same, zoo
from siftpack.testing.strategies import data
from tests.listed.fields import FEW, again, base_of, fields_of, listed, stored


def never(*_: Any, **__: Any) -> Any:
    """Stands for code that must not run."""
    raise AssertionError


BASES: dict[type, Any] = {
    int: 2**70,
    float: -0.0,
    str: "s\ud800",
    bytes: b"\x00b",
    tuple: (1, [2]),
    frozenset: frozenset((1, "a")),
    list: [1, [2]],
    dict: {"b": 1, "a": [2], (1, 2): 3},
    set: {1, "a"},
    deque: deque([1, 2, 3], 3),
    OrderedDict: OrderedDict([("b", 1), ("a", 2)]),
    defaultdict: defaultdict(None, {"a": [1]}),
    Counter: Counter({"a": 2, "b": -1}),
}
_HOOKS = "init new setattr getattribute setitem getitem delitem iter len contains eq hash repr str bool missing"
_HOOKS += " reduce reduce_ex index int float bytes add or ior iadd"
GUARDS = {f"__{name}__": never for name in _HOOKS.split()} | dict.fromkeys(
    ("append", "extend", "update", "add", "keys", "items", "values", "get", "pop", "move_to_end", "elements"), never
)


class Weak:
    """A plain class with slots, one of them of a mangled name."""

    __slots__ = ("__private", "__weakref__", "kept")


class Hides(zoo.SlotBase):
    """A property over a slot, another over the instance dict."""

    kept = property(never, never)
    loose = property(never, never)
    __slots__ = ("__dict__",)


class Abstract(abc.ABC):
    """Abstract methods beside an instance dict."""

    @abc.abstractmethod
    def area(self) -> float: ...


class HookedAbstract(Abstract):
    """An ``__init_subclass__`` besides."""

    def __init_subclass__(cls) -> None:
        raise AssertionError


class Bare:
    """Neither slots nor an instance dict."""

    __slots__ = ()


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.__name__)
@pytest.mark.parametrize("hooks", [{}, GUARDS], ids=["plain", "guarded"])
def test_a_subclass_comes_back_with_its_base_storage(base: Any, hooks: dict[str, Any]) -> None:
    """Base storage and attributes are what they were, the class is the class, and no method of it runs."""
    cls = type("Sub", (base,), {**hooks})
    entry = listed(cls)
    assert entry.flavour is Flavour.SUBCLASS
    made = restore(entry, {"": BASES[base], "owner": "x", "_hidden": [1]})
    assert type(made) is cls
    assert same(base_of(made), BASES[base])
    assert stored(made) == {"owner": "x", "_hidden": [1]}
    assert fields_of(entry, restore(entry, fields_of(entry, made))) == fields_of(entry, made)


@pytest.mark.parametrize("base", [list, dict, set, frozenset, deque, OrderedDict, defaultdict, Counter], ids=str)
def test_storage_is_copied(base: Any) -> None:
    """The new object shares no storage with the value it was made from."""
    made = restore(listed(type("Sub", (base,), {})), {"": BASES[base]})
    if base is not frozenset:
        base.clear(made)
    assert BASES[base]


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.__name__)
def test_base_storage_is_of_exactly_its_type(base: Any) -> None:
    """Storage of another type, of a subclass too, or none at all, is refused naming type and the empty field."""
    cls = type("Sub", (base,), {})
    entry = listed(cls)
    name = type_name(base)
    for other in (*BASES.values(), None, True, zoo.Int(5), zoo.Dict(), zoo.Ordered()):
        if type(other) is not base:
            with pytest.raises(ValueError, match=re.escape(f"{type_name(cls)}: field '' is no {name}")):
                restore(entry, {"": other})
    for lacking in ({}, {"owner": 1}):
        with pytest.raises(ValueError, match="field '' missing"):
            restore(entry, lacking)


def test_the_order_of_an_ordered_dict_is_its_own() -> None:
    """An OrderedDict subclass keeps an order that ``move_to_end`` made, and can go on from there."""
    made = zoo.Ordered(a=1, b=2, c=3)
    made.move_to_end("a")
    copy = again(made)
    assert list(copy) == ["b", "c", "a"]
    copy.move_to_end("b")
    assert list(copy) == ["c", "a", "b"]


def test_a_factory_is_not_data() -> None:
    """A defaultdict subclass comes back without a factory, a bounded deque with its bound."""
    assert again(zoo.Default(list, a=1)).default_factory is None
    copy = again(zoo.Deque([1, 2, 3], 2))
    copy.append(4)
    assert (list(copy), copy.maxlen) == ([3, 4], 2)


@pytest.mark.parametrize("base", [int, str, list, dict])
def test_attributes_go_where_there_is_room(base: Any) -> None:
    """Without an instance dict or a slot of that name an attribute is refused."""
    tight = type("Tight", (base,), {"__slots__": ()})
    assert type(restore(listed(tight), {"": base()})) is tight
    with pytest.raises(ValueError, match=f"^{type_name(tight)}: field 'owner' unknown$"):
        restore(listed(tight), {"": base(), "owner": 1})


def test_a_slot_beside_base_storage() -> None:
    """A slot of a subclass is set through its descriptor."""
    made = restore(listed(zoo.Set), {"": {1}, "extra": 5})
    assert (made, made.extra) == ({1}, 5)


# Plain objects.

INSTANCES: tuple[Any, ...] = (
    *(zoo.Opaque(a=1, _b=2), zoo.Opaque(), zoo.Opaque(**{"not id": 1, "": 2}), zoo.SlotBase(), zoo.slotted([1], "s")),
    *(SimpleNamespace(a=1), type("Space", (SimpleNamespace,), {})(b=2), UserDict(a=1), Bare(), Weak()),
)


@pytest.mark.parametrize("obj", INSTANCES, ids=lambda obj: type(obj).__name__)
def test_an_object_is_what_its_storage_holds(obj: Any) -> None:
    """All slots that are set and the whole instance dict come back, private names too, and unset slots stay unset."""
    entry = listed(type(obj))
    assert entry.flavour is Flavour.OPAQUE
    copy = again(obj)
    assert type(copy) is type(obj)
    assert list(stored(copy).items()) == list(stored(obj).items())


@pytest.mark.parametrize("hooks", [GUARDS, {**GUARDS, "__slots__": ("a", "b")}], ids=["dict", "slots"])
def test_no_hook_of_a_plain_class_runs(hooks: dict[str, Any]) -> None:
    """Neither a constructor, ``__setattr__`` nor any other method is called."""
    cls = type("Guarded", (), {**hooks})
    made = restore(listed(cls), {"a": 1, "b": [2]})
    assert type(made) is cls
    assert stored(made) == {"a": 1, "b": [2]}


def test_properties_over_storage_are_not_called() -> None:
    """A slot under a property is set, a property's name in the instance dict is an entry like any other."""
    made = restore(listed(Hides), {"kept": 1, "loose": 2})
    assert zoo.SlotBase.__dict__["kept"].__get__(made) == 1
    assert stored(made) == {"kept": 1, "loose": 2}


@pytest.mark.parametrize("name", ["__class__", "__dict__", "__slots__", "__weakref__", "__doc__", "__init__", "", "é"])
def test_forged_names_are_entries_or_refused(name: str) -> None:
    """A name of Python's own is an inert entry of an instance dict, and unknown where there is none."""
    made = restore(listed(zoo.Opaque), {name: 5})
    assert type(made) is zoo.Opaque
    assert zoo.Opaque.__dict__["__dict__"].__get__(made) == {name: 5}
    assert made.__class__ is zoo.Opaque
    for cls in (zoo.SlotBase, Bare):
        with pytest.raises(ValueError, match=f"^{type_name(cls)}: field '{name}' unknown$"):
            restore(listed(cls), {name: 5})


def test_a_mangled_slot_keeps_its_name() -> None:
    """A private slot is known by the name its class gave it."""
    made = Weak()
    Weak.__dict__["_Weak__private"].__set__(made, 1)
    assert stored(again(made)) == {"_Weak__private": 1}


def test_many_forged_fields_cost_their_number() -> None:
    """A hundred thousand fields are set, or refused at the first, without looking twice."""
    fields = {str(at): at for at in range(100_000)}
    assert stored(restore(listed(zoo.Opaque), fields)) == fields
    with pytest.raises(ValueError, match="field '0' unknown"):
        restore(listed(Bare), fields)


def test_an_abstract_class_is_made() -> None:
    """Abstract methods do not keep an object from coming back; nothing of the class runs for it."""
    made = [restore(listed(Abstract), {"a": at}) for at in range(2)]
    assert [(type(each), each.a) for each in made] == [(Abstract, 0), (Abstract, 1)]
    with pytest.raises(ValueError, match=f"^{type_name(HookedAbstract)}: has abstract methods$"):
        restore(listed(HookedAbstract), {"a": 1})
    assert type(restore(listed(type("Words", (Abstract, dict), {})), {"": {}})).__name__ == "Words"


def test_storage_that_cannot_be_named_is_refused_when_listed() -> None:
    """A class with a slot whose descriptor is gone, or with storage in C, cannot be listed."""
    gone = type("Gone", (), {"__slots__": ("a", "b")})
    assert listed(gone).flavour is Flavour.OPAQUE
    del gone.a  # type: ignore[attr-defined]
    for cls in (gone, re.Match, type("Below", (gone,), {})):
        with pytest.raises(PolicyError, match=f"^{type_name(cls)} cannot be listed: (it keeps data|its instances)"):
            listed(cls)


@pytest.mark.parametrize("cls", [zoo.Opaque, zoo.List, zoo.SlotMore])
@FEW
@given(value=data())
def test_any_data_comes_back_in_any_attribute(cls: type, value: Any) -> None:
    """Whatever the value is, it is the same afterwards."""
    name = "more" if cls is zoo.SlotMore else "extra"
    fields = {name: value, **({"": [value]} if cls is zoo.List else {})}
    assert same(fields_of(listed(cls), restore(listed(cls), fields))[name], value)


@given(st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner) | st.tuples(inner, inner), max_leaves=9))
def test_any_list_comes_back_as_a_listed_list(items: Any) -> None:
    """Whatever a list holds, its listed subclass holds afterwards."""
    made = zoo.List([items])
    assert same(list(again(made)), [items])
