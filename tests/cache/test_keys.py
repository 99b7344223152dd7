"""Names of entries: injective, and meaning nothing to Redis."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siftpack import PolicyError
from siftpack.cache.keys import LONGEST, Keys, checked, escape, full_key

EXAMPLES = min(1000, settings.get_profile("siftpack").max_examples)
PARTS = st.text(alphabet=st.sampled_from(":{}*?[]\\%\r\n\0 ab\ud800é"), max_size=6)


@settings(max_examples=EXAMPLES)
@given(st.tuples(PARTS, PARTS, PARTS), st.tuples(PARTS, PARTS, PARTS))
def test_no_two_places_have_one_name(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """Namespace, user and key can be told from the name, whatever is in them."""
    names = [full_key(Keys(f"n{namespace}").prefix(f"u{user}"), key) for namespace, user, key in (one, other)]
    assert (names[0] == names[1]) == (one == other)


@settings(max_examples=EXAMPLES)
@given(PARTS)
def test_an_escaped_part_means_nothing(part: str) -> None:
    """No separator, glob or control character is left, and any text can be sent as UTF-8."""
    assert not set(escape(part)) & set(":{}*?[]\\\r\n\0 ")
    escape(part).encode()


def test_plain_parts_stay_readable() -> None:
    """A name of plain parts reads as it was given."""
    assert full_key(Keys("app").prefix("u-123"), "report/7") == "app:u-123:report/7"
    assert full_key(Keys("app").prefix(None), "k") == "app::k"
    assert escape("a:b%é\n") == "a%3Ab%25é%0A"


def test_hash_tags_hold_the_user_alone() -> None:
    """With hash tags the user part stands in braces, which nothing else in a name contains."""
    name = full_key(Keys("app{x}", hash_tags=True).prefix("u{1}"), "{k}")
    assert name == "app%7Bx%7D:{u%7B1%7D}:%7Bk%7D"


@pytest.mark.parametrize("part", [None, 1, b"k", ["k"], object()])
def test_what_is_no_str_is_no_part(part: object) -> None:
    """Namespaces, users and keys are str; anything else is a clear error."""
    with pytest.raises(PolicyError, match="must be a str"):
        full_key("app:u:", part)
    with pytest.raises(PolicyError, match="must be a str"):
        Keys(part)  # type: ignore[arg-type]


def test_empty_and_endless_parts_are_refused() -> None:
    """A namespace and a user have at least one character, and no part has too many."""
    with pytest.raises(PolicyError, match="empty"):
        Keys("")
    with pytest.raises(PolicyError, match="empty"):
        Keys("app").prefix("")
    with pytest.raises(PolicyError, match="longer"):
        full_key("app:u:", "k" * (LONGEST + 1))
    assert full_key("app:u:", "") == "app:u:"


def test_a_str_subclass_is_its_characters() -> None:
    """What a subclass of str answers when asked is not asked."""

    class Liar(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "other"

        def __format__(self, spec: str) -> str:
            return "other"

    assert checked(Liar("mine"), "key") == "mine"
    assert type(checked(Liar("mine"), "key")) is str
