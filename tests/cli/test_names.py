"""Keys as text and back, keys as names of the cache and back, and URLs without their passwords."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siftpack.cache.keys import Keys, full_key
from siftpack.cli.naming import Name, Naming, Unnamed, name_of
from siftpack.cli.stores import Trouble, shown_url
from siftpack.cli.written import shortened, unwritten, written


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_a_written_key_is_one_printable_line_and_leads_back(key: bytes) -> None:
    """Any bytes are written so that they can be printed, pasted and read again."""
    assert written(key).isprintable()
    assert unwritten(written(key)) == key
    assert shortened(key).isprintable()


@pytest.mark.parametrize("text", ["\\", "\\xf", "a\\n", "\\u12", "\\U00110000"])
def test_a_stray_backslash_is_refused(text: str) -> None:
    """An escape that begins nothing is said so and not guessed at."""
    with pytest.raises(Trouble):
        unwritten(text)


PARTS = st.text(max_size=20)


@given(PARTS.filter(bool), st.none() | PARTS.filter(bool), PARTS, st.booleans())
def test_every_name_of_the_cache_is_taken_apart_exactly(namespace: str, user: str | None, key: str, tags: bool) -> None:
    """The parts of a name are those that it was made of."""
    name = full_key(Keys(namespace, hash_tags=tags).prefix(user), key)
    assert name_of(name.encode()) == Name(namespace, user, key, tags)


@given(st.binary(max_size=40) | st.text(":a%{}2F", max_size=12).map(str.encode))
def test_what_is_taken_apart_makes_the_same_name(key: bytes) -> None:
    """No key passes for a name that the cache would write otherwise."""
    name = name_of(key)
    assert name is None or name.place.full_key.encode() == key


@pytest.mark.parametrize("key", [b"a:b", b"a:b:c:d", b":u:k", b"a:u:k k", b"a:u:%20x%zz", b"a:%75:k", b"a:u:\xff"])
def test_others_are_no_names(key: bytes) -> None:
    """A key with too few or many parts, without namespace, or not escaped as the cache does it, is no name."""
    assert name_of(key) is None


def test_a_mapping_says_key_and_user() -> None:
    """The groups of the expression, which has to match the whole key, become parts of the name, escaped."""
    naming = Naming("new", pattern=r"old:(?P<user>[^:]*):(?P<key>.*)", tags=False)
    assert naming.place(b"old:u 1:a:b").full_key == "new:u%201:a%3Ab"
    for key, reason in ((b"other", ""), (b"xold:u:k", ""), (b"old::k", "no_user"), (b"old:u:\xff", "key_not_utf8")):
        with pytest.raises(Unnamed) as unnamed:
            naming.place(key)
        assert unnamed.value.reason == reason


def test_whole_keys_become_keys_of_somebody() -> None:
    """With a user, or nobody, the whole old key is the new one."""
    assert Naming("n", user="u", tags=True).place(b"a:b").full_key == "n:{u}:a%3Ab"
    assert Naming("n", shared=True, tags=False).place(b"a").full_key == "n::a"


@pytest.mark.parametrize(
    "options",
    [
        {"user": "u", "shared": True},
        {"pattern": "("},
        {"pattern": "a.*", "shared": True},
        {"pattern": "(?P<key>.*)"},
        {"pattern": "(?P<user>.)(?P<key>.*)", "user": "u"},
        {"user": ""},
    ],
)
def test_options_that_contradict_are_refused(options: dict[str, object]) -> None:
    """Whose the entries are is said once and never guessed."""
    with pytest.raises(Trouble):
        Naming("n", tags=False, **options)  # type: ignore[arg-type]  # that is what is tried


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:1/2", "redis://h:1/2"),
        ("rediss://user:secret@h:1/2?password=secret", "rediss://h:1/2"),
        ("redis+cluster://:secret@a:1,b:2", "redis+cluster://a:1,b:2"),
        ("unix://:secret@/tmp/s?password=secret", "unix:///tmp/s"),
        ("redis://:se/secret@h", "redis://..."),
        ("redis://:se?secret@h", "redis://..."),
        ("redis://h?password=se@secret", "redis://..."),
        ("redis://h\x1b[31m", "redis://..."),
        ("secret", "..."),
        ("secret se://x", "..."),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    """Of a URL scheme, hosts and path are shown, and less where it cannot be told where a password ends."""
    assert shown_url(url) == shown
