"""Object arrays: sifted element by element, each in its place."""

import sys
import threading
from typing import Any

import numpy as np
import pytest

from siftpack.policy import Action, Kind
from siftpack.testing import arrays, same
from siftpack.testing.zoo import Opaque


def test_elements_of_every_kind_keep_their_places(subject: Any) -> None:
    """Data in an object array is sifted like that of a list, nested arrays and shapes included."""
    inner = np.arange(3)
    value = np.empty((2, 3), object)
    value[0] = [{"a": [1]}, inner, "x"]
    value[1] = [np.float32(1.5), None, arrays.objects(1, (2,))]
    payload, report = subject.packb_with_report(value)
    assert report.clean
    assert same(subject.unpackb(payload), value)
    copy = subject.sanitize(value)
    assert same(copy, value)
    assert copy[0, 1] is not inner


def test_a_lost_element_is_none_and_has_a_path(subject: Any) -> None:
    """Machinery leaves None behind, at the place it has among all elements in C order."""
    value = np.array([[1, threading.Lock()], [sys, "x"]], object)
    assert same(subject.sanitize({"a": value})["a"], np.array([[1, None], [None, "x"]], object))
    found = [(each.path, each.kind) for each in subject.inspect({"a": value})]
    assert found == [("$.a[1]", Kind.SYNC), ("$.a[2]", Kind.MODULE)]


def test_an_array_that_holds_itself_is_a_cycle(subject: Any) -> None:
    """The back edge of an object array is one finding, direct or through other containers."""
    value = arrays.objects(1, None, None)
    value[1] = value
    value[2] = {"me": (value,)}
    assert same(subject.sanitize(value), arrays.objects(1, None, {"me": (None,)}))
    assert [(each.path, each.kind, each.type_name) for each in subject.inspect([value])] == [
        ("$[0][1]", Kind.CYCLE, "numpy.ndarray"),
        ("$[0][2].me[0]", Kind.CYCLE, "numpy.ndarray"),
    ]


def test_objects_in_fields_are_sifted_too(subject: Any) -> None:
    """A record dtype with object fields keeps its other fields exactly and sifts the objects by their field's name."""
    value = np.zeros(2, [("a", "O"), ("b", "<f4"), ("c", [("d", "O", (2,)), ("e", "U2")])])
    value["a"] = [len, Opaque(k=1)]
    value["b"] = [0.1, np.nan]
    value["c"]["d"][1] = [[1], {2}]
    clean = subject.sanitize(value)
    assert clean.dtype == value.dtype
    assert clean["a"].tolist() == [None, {"k": 1}]
    assert same(clean["b"], value["b"])
    assert clean["c"]["d"].tolist() == [[0, 0], [[1], {2}]]
    assert same(subject.unpackb(subject.packb(value)), clean)
    assert [each.path for each in subject.inspect(value)] == ["$.a[0]"]


def test_a_view_of_part_of_an_array_is_only_that_part(subject: Any) -> None:
    """Of a view the elements that it shows are sifted, and nothing of its base."""
    base = arrays.objects(*range(6), threading.Lock())
    assert same(subject.sanitize(base[4::-2]), arrays.objects(4, 2, 0))
    assert subject.inspect(base[:6].reshape(2, 3).T).clean


@pytest.mark.parametrize("shape", [(0,), (), (2, 0), (1, 1)])
def test_empty_and_single_object_arrays(subject: Any, shape: Any) -> None:
    """An object array of no element, and one of a single element, come back in their shape."""
    value = np.empty(shape, object)
    assert same(subject.unpackb(subject.packb(value)), value)


def test_no_array_is_a_key(subject: Any) -> None:
    """An object that hashes and turns out to be an array is dropped from keys and sets, reported."""
    key = np.zeros(2).view(Hashable)
    value = {"a": 1, key: 2, ("k", key): 3}
    assert subject.sanitize([value, {1, key}]) == [{"a": 1}, {1}]
    assert {(each.kind, each.action) for each in subject.inspect(value)} == {(Kind.SUBCLASS, Action.DROP)}


class Hashable(np.ndarray):
    """An array that can be a key."""

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __eq__(self, other: object) -> Any:
        return self is other
