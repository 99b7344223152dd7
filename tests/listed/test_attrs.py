"""attrs classes: private names under their attribute name, factories that take the object, cached hashes."""

from functools import cached_property
from typing import Any

import attrs
import pytest

from siftpack.listed import Flavour, restore
from siftpack.storage import type_name
from siftpack.testing import zoo
from tests.listed.fields import again, fields_of, listed


def never(*_: Any, **__: Any) -> Any:
    """Stands for code that must not run."""
    raise AssertionError


@attrs.frozen(kw_only=True)
class Tight:
    """Frozen, slotted, keyword-only, with a converter and a validator that must not run again."""

    a: int = attrs.field(converter=lambda value: value + 1, validator=attrs.validators.instance_of(int))
    _hidden: list[int] = attrs.Factory(list)
    __mangled: int = 5
    b: int = attrs.field(init=False, default=3)


@attrs.define
class Leans:
    """Defaults that are worked out from the object."""

    a: int
    b: int = attrs.field()
    c: list[int] = attrs.field(init=False)

    @b.default
    def _from_a(self) -> int:
        return self.a * 2

    @c.default
    def _from_b(self) -> list[int]:
        return [self.a, self.b]


@attrs.define(slots=False)
class Loose:
    """Fields in the instance dict, one without any default though ``__init__`` does not take it."""

    a: int
    b: int = attrs.field(init=False)


@attrs.define
class Cached:
    """A slotted class with a cached property."""

    a: int

    @cached_property
    def double(self) -> int:
        return self.a * 2


@attrs.frozen(cache_hash=True)
class HashSlot:
    """Remembers its hash in a slot."""

    a: Any


@attrs.frozen(cache_hash=True, slots=False)
class HashDict:
    """Remembers its hash in the instance dict."""

    a: Any


@attrs.define(slots=False)
class Guarded:
    """Every hook refuses to run."""

    a: Any
    b: Any = 2
    __attrs_post_init__ = never
    __setstate__ = never


for _hook in ("__init__", "__new__", "__setattr__"):
    setattr(Guarded, _hook, never)


def hidden_loose() -> Loose:
    """A ``Loose`` with both its fields."""
    made = Loose(1)
    made.b = 2
    return made


INSTANCES: tuple[Any, ...] = (
    *(zoo.Attr(1, 2), zoo.AttrFrozen([1]), Tight(a=1), Tight(a=1, hidden=[2], Tight__mangled=6), Leans(1), Leans(1, 5)),
    *(hidden_loose(), Cached(2), HashSlot("a"), HashDict("a"), attrs.make_class("Empty", [])()),
)


@pytest.mark.parametrize("obj", INSTANCES, ids=lambda obj: type(obj).__name__)
def test_an_instance_is_made_again_from_its_fields(obj: Any) -> None:
    """The copy is equal, of exactly the same class, and holds the very values it was given."""
    copy = again(obj)
    entry = listed(type(obj))
    assert entry.flavour is Flavour.ATTRS
    assert type(copy) is type(obj)
    assert copy == obj
    given = fields_of(entry, obj)
    assert all(fields_of(entry, copy)[name] is given[name] for name in given)


def test_no_hook_of_the_class_runs() -> None:
    """Neither constructor, ``__setattr__``, ``__setstate__``, converter nor validator is called."""
    made = restore(listed(Guarded), {"a": 1})
    assert vars(made) == {"a": 1, "b": 2}
    assert restore(listed(Tight), {"a": "no int"}).a == "no int"


def test_fields_have_their_attribute_names() -> None:
    """A private field is known by the attribute it is, not by the argument ``__init__`` takes for it."""
    assert fields_of(listed(Tight), Tight(a=1)).keys() == {"a", "_hidden", "_Tight__mangled", "b"}
    for name in ("hidden", "mangled", "__mangled"):
        with pytest.raises(ValueError, match=f"test_attrs.Tight: field '{name}' unknown"):
            restore(listed(Tight), {"a": 1, name: 1})


def test_missing_fields_have_their_declared_defaults() -> None:
    """Values, factories and factories that take the object fill what is missing, the latter in declared order."""
    made = restore(listed(Tight), {"a": 1})
    assert (made.a, made._hidden, made._Tight__mangled, made.b) == (1, [], 5, 3)
    assert made._hidden is not restore(listed(Tight), {"a": 1})._hidden
    assert restore(listed(Leans), {"a": 1}) == Leans(1)
    assert restore(listed(Leans), {"a": 1, "b": 7}).c == [1, 7]


@pytest.mark.parametrize(("cls", "names"), [(Tight, {"a"}), (Leans, {"a"}), (Loose, {"a", "b"}), (zoo.Attr, {"a"})])
def test_a_required_field_is_named_when_it_is_missing(cls: type, names: set[str]) -> None:
    """``required`` holds the fields without any default, and the error of each names type and field."""
    assert listed(cls).required == names
    for name in names:
        with pytest.raises(ValueError, match=f"^{type_name(cls)}: field '{name}' missing and without a default$"):
            restore(listed(cls), dict.fromkeys(names - {name}))


@pytest.mark.parametrize("name", ["", "z", "__weakref__", "__class__", "_attrs_cached_hash", "double"])
@pytest.mark.parametrize("cls", [Cached, HashSlot, HashDict])
def test_unknown_fields_are_refused(cls: type, name: str) -> None:
    """A name that is no declared field is refused, slots of bookkeeping and cached properties among them."""
    with pytest.raises(ValueError, match=f"^{type_name(cls)}: field '{name}' unknown$"):
        restore(listed(cls), {"a": 1, name: 2})


@pytest.mark.parametrize("cls", [HashSlot, HashDict])
def test_a_cached_hash_is_worked_out_anew(cls: type) -> None:
    """A class that remembers its hash can be hashed after it came back, to the hash of its fields."""
    assert hash(again(cls("a"))) == hash(cls("a"))  # type: ignore[call-arg]


def test_a_cached_property_is_worked_out_anew() -> None:
    """A slotted cached property works on a restored object."""
    assert again(Cached(2)).double == 4


def test_a_factory_that_takes_the_object_and_raises_is_named() -> None:
    """What such a factory raises becomes a ``ValueError`` naming type, field and the type of the error alone."""

    def fails(_: Any) -> Any:
        raise KeyError("secret")

    cls = attrs.make_class("Fails", {"a": attrs.field(default=attrs.Factory(fails, takes_self=True))})
    with pytest.raises(ValueError, match=r"the default factory of field 'a' raised KeyError$"):
        restore(listed(cls), {})
