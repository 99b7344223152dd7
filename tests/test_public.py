"""The public words of the package, and what pickles."""

import copy
import pickle
from typing import Any

import pytest

import siftpack
from siftpack import errors

NAMES = {
    *(
        "Action",
        "DEFAULT",
        "DecodeError",
        "EncodeError",
        "Ext",
        "Finding",
        "FrameError",
        "Kind",
        "LimitExceeded",
        "Limits",
    ),
    *(
        "Policy",
        "PolicyError",
        "Report",
        "Serializer",
        "SiftError",
        "Tombstone",
        "dumps",
        "dumps_with_report",
        "fingerprint",
        "fingerprint_with_report",
        "inspect",
    ),
    *("JSON", "LOGGING", "PORTABLE", "STRICT"),
    *("loads", "packb", "packb_with_report", "register", "sanitize", "unpackb", "__version__"),
}
TREE = {
    "SiftError": Exception,
    "EncodeError": TypeError,
    "LimitExceeded": errors.EncodeError,
    "DecodeError": ValueError,
    "FrameError": errors.DecodeError,
    "PolicyError": ValueError,
}


def test_public_names() -> None:
    """``siftpack.__all__`` is exactly the words of the documentation, and each exists."""
    assert set(siftpack.__all__) == NAMES
    assert len(siftpack.__all__) == len(NAMES)
    assert all(hasattr(siftpack, name) for name in NAMES)


def test_public_functions_are_documented() -> None:
    """Every public function and class has a docstring."""
    assert [
        name
        for name in NAMES - {"__version__", "DEFAULT", "JSON", "LOGGING", "PORTABLE", "STRICT"}
        if not getattr(siftpack, name).__doc__
    ] == []


@pytest.mark.parametrize("name", ["packb", "unpackb", "packb_with_report", "sanitize", "inspect", "fingerprint"])
def test_options_are_keywords(name: str) -> None:
    """The value is positional, everything else a keyword, and unknown keywords are refused."""
    call = getattr(siftpack, name)
    with pytest.raises(TypeError):
        call(b"\x01", siftpack.Limits())
    with pytest.raises(TypeError):
        call(obj=1)
    with pytest.raises(TypeError):
        call(b"\x01", nonsense=1)
    with pytest.raises(TypeError):
        call()


@pytest.mark.parametrize("option", ["policy", "limits"])
@pytest.mark.parametrize("wrong", [1, "drop", object(), {}], ids=["int", "str", "object", "dict"])
def test_options_of_the_wrong_type_are_refused(option: str, wrong: Any) -> None:
    """A policy or limits of another type is a ``TypeError``, never silently the default."""
    with pytest.raises(TypeError):
        siftpack.packb([1], **{option: wrong})


@pytest.mark.parametrize("name", sorted(TREE))
def test_errors_pickle_and_keep_their_place(name: str) -> None:
    """Each error is of the class the documentation says, catchable as ``SiftError``, and pickles."""
    cls = getattr(siftpack, name)
    assert issubclass(cls, (TREE[name], siftpack.SiftError))
    assert issubclass(cls, TREE[name])
    assert issubclass(cls, siftpack.SiftError)
    error = pickle.loads(pickle.dumps(cls("at $.a")))
    assert (type(error), str(error)) == (cls, "at $.a")


def test_reports_pickle_and_copy() -> None:
    """A report equals its pickled, copied and deep-copied self, looked at before or not."""
    for look in (False, True):
        report = siftpack.inspect({"f": len, "deep": [(print,)]})
        if look:
            assert report.findings
        for twin in (pickle.loads(pickle.dumps(report)), copy.copy(report), copy.deepcopy(report)):
            assert twin == report
            assert str(twin) == str(report)
            assert twin._repr_html_() == report._repr_html_()
            assert (twin.to_dict(), twin.omitted, twin.cut) == (report.to_dict(), 0, False)
            assert twin.clean is False


def test_values_of_ours_pickle() -> None:
    """Policies, limits, tombstones, ext values, kinds and actions pickle to their equals."""
    for value in (
        *(siftpack.DEFAULT, siftpack.Policy({"function": "name"}), siftpack.Limits(depth=3), siftpack.Ext(5, b"x")),
        *(siftpack.Tombstone(siftpack.Kind.SYNC, "m.C"), siftpack.Kind.SYNC, siftpack.Action.DROP),
    ):
        assert pickle.loads(pickle.dumps(value)) == value


def test_frames() -> None:
    """``dumps`` frames the payload of ``packb`` behind a byte no MessagePack has, ``loads`` opens it."""
    value = {"a": [1, (2, "x")], (1, 2): {3}}
    framed = siftpack.dumps(value)
    assert framed[0] == 0xC1
    assert framed.endswith(siftpack.packb(value))
    assert siftpack.loads(framed) == value
    again, report = siftpack.dumps_with_report(value)
    assert again == framed
    assert report.clean


def test_a_serializer_has_a_policy_and_limits_of_its_own() -> None:
    """A ``Serializer`` writes by its policy and refuses by its limits, both ways."""
    named = siftpack.Serializer(policy=siftpack.Policy({siftpack.Kind.FUNCTION: siftpack.Action.NAME}))
    assert named.loads(named.dumps([len])) == ["<function len>"]
    assert named.dumps_with_report([len])[1].counts == {siftpack.Kind.FUNCTION: 1}
    small = siftpack.Serializer(limits=siftpack.Limits(depth=1))
    with pytest.raises(siftpack.LimitExceeded):
        small.dumps([[1]])
    with pytest.raises(siftpack.DecodeError):
        small.loads(siftpack.dumps([[1]]))
    assert small.loads(small.dumps([1])) == [1]
