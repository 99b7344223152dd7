"""What ``register`` takes, keeps and refuses."""

from typing import Any

import pytest

import siftpack
from siftpack.classify import classify
from siftpack.errors import PolicyError
from siftpack.policy import Kind
from siftpack.registry import CHANGES, REGISTERED
from siftpack.testing import zoo
from tests.hostile.recorder import CALLS, Hostile


class Called:
    """Callable by its type."""

    def __call__(self, obj: Any) -> Any:
        raise AssertionError


class Pretends:
    """Callable by its instance alone, which does not count."""

    def __init__(self) -> None:
        self.__call__ = len


def kept(cls: type) -> tuple[Any, Any]:
    """Kind and extractor of a class."""
    owner, kind, extract = REGISTERED[id(cls)]
    assert owner is cls
    return kind, extract


def test_kind_and_extractor_are_kept() -> None:
    """A class is registered with a kind, an extractor, or both; neither is called nor copied."""
    called = Called()
    for options, found in (
        ({"kind": Kind.AGENT}, (Kind.AGENT, None)),
        ({"kind": "secret"}, (Kind.SECRET, None)),
        ({"extract": called}, (None, called)),
        ({"extract": len, "kind": Kind.OPAQUE}, (Kind.OPAQUE, len)),
    ):
        cls = type("Mine", (), {})
        siftpack.register(cls, **options)  # type: ignore[arg-type]
        assert kept(cls) == found


def test_what_is_not_given_stays() -> None:
    """Registering a kind keeps the extractor there was, and the other way round."""
    cls = type("Mine", (), {})
    siftpack.register(cls, kind=Kind.SECRET)
    siftpack.register(cls, extract=len)
    assert kept(cls) == (Kind.SECRET, len)
    siftpack.register(cls, kind=Kind.AGENT)
    assert kept(cls) == (Kind.AGENT, len)
    siftpack.register(cls, extract=repr)
    assert kept(cls) == (Kind.AGENT, repr)


def test_an_extractor_alone_says_nothing_about_the_kind() -> None:
    """A class with an extractor alone is classified as before, and so is its subclass of a registered base."""
    plain, base = type("Plain", (), {}), type("Base", (), {})
    siftpack.register(plain, extract=len)
    assert classify(plain).kind is Kind.OPAQUE
    siftpack.register(base, kind=Kind.CONNECTION)
    below = type("Below", (base,), {})
    siftpack.register(below, extract=len)
    assert classify(below).kind is Kind.CONNECTION


def test_every_registration_counts() -> None:
    """The number of the last change grows with every registration."""
    before = CHANGES[0]
    siftpack.register(type("Mine", (), {}), extract=len)
    assert CHANGES[0] > before
    assert len(CHANGES) == 1


@pytest.mark.parametrize("extract", [5, "len", Pretends(), object(), [len]], ids=lambda value: type(value).__name__)
def test_an_extractor_is_callable(extract: Any) -> None:
    """What cannot be called is refused when it is registered, by its type and without being asked."""
    with pytest.raises(PolicyError, match=f"extract must be callable, not an instance of .*{type(extract).__name__}"):
        siftpack.register(zoo.Opaque, extract=extract)
    assert id(zoo.Opaque) not in REGISTERED


def test_a_hostile_extractor_is_not_asked() -> None:
    """An extractor is neither called, compared nor hashed when it is registered."""
    extract = object.__new__(Hostile)
    CALLS.clear()
    siftpack.register(type("Mine", (), {}), extract=extract)
    assert CALLS == []


def test_one_of_both_is_needed() -> None:
    """A registration that says nothing is a ``PolicyError``."""
    with pytest.raises(PolicyError, match="a kind, an extractor, or both"):
        siftpack.register(zoo.Opaque)
    with pytest.raises(PolicyError, match="takes a class"):
        siftpack.register(5, extract=len)  # type: ignore[arg-type]
