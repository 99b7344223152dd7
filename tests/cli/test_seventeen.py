"""The scenes of the demonstration: what the original chain made of them, and that siftpack gives them exactly."""

from siftpack.cli.original import OriginalCache
from siftpack.cli.seventeen import outcomes, runs_after, runs_before


def test_every_scene_holds_and_did_not_before() -> None:
    """All seventeen come out exact; of the chain only the two that pickle can do."""
    found = outcomes()
    assert [each.name for each in found if not each.holds] == []
    assert len(found) == 17
    assert sum(each.held_before for each in found) == 2
    assert sum("cannot pickle" in each.before for each in found) == 3
    assert sum(each.before == "a str, its repr" for each in found) == 10


def test_the_same_questions_again() -> None:
    """Of twelve questions, three of them different, the chain answers none from its cache, siftpack nine."""
    assert runs_before() == (12, 12, 12, 0)
    assert runs_after() == (12, 12, 3, 9)


def test_the_chain_does_what_it_says() -> None:
    """JSON where it can, then pickle, then a text that is read back as a text."""
    cache = OriginalCache()
    for value, back in (({"a": (1,)}, {"a": [1]}), ({"a": {1}}, {"a": {1}}), ({"f": 1, "g": print}, None)):
        cache.set("k", value)
        assert cache.get("k") == (back or value)
    cache.set("k", {"f": lambda: None})
    assert type(cache.get("k")) is str
    assert cache.get("other") is None
