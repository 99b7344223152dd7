"""What a report says, and how it says it."""

import json
from typing import Any

import pytest

from siftpack.errors import EncodeError
from siftpack.policy import Action, Kind, Policy
from siftpack.report import FINDINGS_KEPT, KEY_SHOWN, Finding
from siftpack.testing.zoo import Color, Frozen, Held, Int, Opaque, Plain, Str, failed, marked

ZOO = "siftpack.testing.zoo"
CASES: dict[str, tuple[Any, list[Finding]]] = {
    "clean": ({"a": [1]}, []),
    "top": (len, [Finding("$", Kind.FUNCTION, "builtin_function_or_method", Action.DROP)]),
    "index": ([0, [1, len]], [Finding("$[1][1]", Kind.FUNCTION, "builtin_function_or_method", Action.DROP)]),
    "field": (Plain(1, c=[int]), [Finding("$.c[0]", Kind.CLASS, "type", Action.DROP)]),
    "secret": (Held(1, api_key="k"), [Finding("$.api_key", Kind.SECRET, "str", Action.TOMBSTONE)]),
    "private": (Opaque(a=1, _b=2.0), [Finding("$._b", Kind.PRIVATE, "float", Action.DROP)]),
    "attribute": ([marked(Str("s"), 1)], [Finding("$[0].extra", Kind.ATTRIBUTE, "int", Action.DROP)]),
    "enum key": ({Color.RED: 1}, [Finding(f"${{{ZOO}.Color}}", Kind.ENUM, f"{ZOO}.Color", Action.CONVERTED)]),
    "record key": ({Frozen(1): 2}, [Finding(f"${{{ZOO}.Frozen}}", Kind.RECORD, f"{ZOO}.Frozen", Action.CONVERTED)]),
    "cause": (failed(cause=ValueError(len)), [
        Finding("$.cause.args[0]", Kind.FUNCTION, "builtin_function_or_method", Action.DROP),
        Finding("$.code", Kind.ATTRIBUTE, "int", Action.DROP),
    ]),
}  # fmt: skip
PATHS: dict[str, tuple[Any, str]] = {
    "identifier": ("name_1", "$.name_1"),
    "spaces": ("not id", '$["not id"]'),
    "empty": ("", '$[""]'),
    "quote": ('a"b', r'$["a\"b"]'),
    "unicode": ("é", r'$["\u00e9"]'),
    "surrogate": ("\ud800", r'$["\ud800"]'),
    "newline": ("a\nb", r'$["a\nb"]'),
    "digit first": ("1a", '$["1a"]'),
    "long": ("x" * 100, f'$["{"x" * KEY_SHOWN}..."]'),
    "int": (3, "${3}"),
    "negative": (-3, "${-3}"),
    "large int": (2**64, "${int}"),
    "float": (1.5, "${1.5}"),
    "bool": (True, "${True}"),
    "none": (None, "${None}"),
    "bytes": (b"secret", "${bytes}"),
    "tuple": ((1, 2), "${tuple}"),
    "enum": (Int(3), "${siftpack.testing.zoo.Int}"),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_findings(subject: Any, name: str) -> None:
    """Each loss is one finding with path, kind, type name and action."""
    value, expected = CASES[name]
    assert sorted(subject.inspect(value).findings) == sorted(expected)
    assert subject.packb_with_report(value)[1] == subject.inspect(value)


@pytest.mark.parametrize("name", sorted(PATHS))
def test_paths(subject: Any, name: str) -> None:
    """A key is shown in a form that says its type, bounded, without control characters or contents of bytes."""
    key, path = PATHS[name]
    assert [f.path for f in subject.inspect({key: len}) if f.kind is Kind.FUNCTION] == [path]


def test_order_is_the_order_of_the_walk(subject: Any) -> None:
    """Findings come in the order of the walk, whatever their kinds."""
    report = subject.inspect({"a": len, "b": [int, {"c": len}], "d": (int,)})
    assert [f.path for f in report] == ["$.a", "$.b[0]", "$.b[1].c", "$.d[0]"]


def test_many_findings_are_counted_and_cut(subject: Any) -> None:
    """A report keeps the first thousand findings and counts all of them."""
    report = subject.inspect([len] * FINDINGS_KEPT + [int] * 500)
    assert len(report.findings) == FINDINGS_KEPT
    assert report.findings[-1].path == f"$[{FINDINGS_KEPT - 1}]"
    assert report.counts == {Kind.FUNCTION: FINDINGS_KEPT, Kind.CLASS: 500}
    assert (len(report), report.truncated, report.clean) == (FINDINGS_KEPT + 500, True, False)
    assert str(report).endswith("... and 500 more")
    exactly = subject.inspect([len] * FINDINGS_KEPT)
    assert not exactly.truncated


def test_findings_of_a_dropped_object_are_taken_back(subject: Any) -> None:
    """An object of which nothing is left is one finding, however many its fields made, before and beyond the bound."""
    empty = Opaque(**{f"f{at}": len for at in range(FINDINGS_KEPT + 200)})
    report = subject.inspect([len, empty, int, {"k": empty}, empty])
    assert [(f.path, f.kind) for f in report] == [
        *(
            ("$[0]", Kind.FUNCTION),
            ("$[1]", Kind.OPAQUE),
            ("$[2]", Kind.CLASS),
            ("$[3].k", Kind.OPAQUE),
            ("$[4]", Kind.OPAQUE),
        ),
    ]
    assert report.counts == {Kind.FUNCTION: 1, Kind.OPAQUE: 3, Kind.CLASS: 1}
    kept = Opaque(**vars(empty), kept=1)
    assert subject.inspect([kept, len]).counts == {Kind.FUNCTION: FINDINGS_KEPT + 201}


def test_a_rollback_takes_back_findings_of_nested_objects(subject: Any) -> None:
    """Objects inside a dropped object leave no finding of their own."""
    report = subject.inspect(
        [Opaque(a=Opaque(b=len, c=Opaque(d=[]))), Opaque(a=Opaque(b=len)), Opaque(a=Opaque(b=len), z=1)]
    )
    assert [(f.path, f.kind) for f in report] == [
        *(("$[0].a.b", Kind.FUNCTION), ("$[1]", Kind.OPAQUE), ("$[2].a", Kind.OPAQUE)),
    ]


def test_findings_inside_a_set_are_sorted_before_they_are_cut(subject: Any) -> None:
    """The findings of a large set are the first in canonical order, whatever order the set has."""
    lost = {type(f"C{at:04}", (), {})() for at in range(FINDINGS_KEPT + 300)}
    report = subject.inspect([lost])
    names = [f.type_name.rpartition(".")[2] for f in report]
    assert names == [f"C{at:04}" for at in range(FINDINGS_KEPT)]
    assert len(report) == FINDINGS_KEPT + 300


def test_text_table_and_plain_data(subject: Any) -> None:
    """A report is a table as text, plain data as a dict, and true to its findings in both."""
    report = subject.inspect({"a": len, "b": [int]})
    assert str(report).splitlines() == [
        "path    kind      type                        action",
        "$.a     function  builtin_function_or_method  drop",
        "$.b[0]  class     type                        drop",
    ]
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain == {
        "findings": [
            {"path": "$.a", "kind": "function", "type_name": "builtin_function_or_method", "action": "drop"},
            {"path": "$.b[0]", "kind": "class", "type_name": "type", "action": "drop"},
        ],
        "counts": {"class": 1, "function": 1},
        "truncated": False,
        "clean": False,
    }
    assert repr(report) == "<Report class: 1, function: 1>"
    assert (str(subject.inspect(1)), repr(subject.inspect(1))) == ("clean: nothing was left out", "<Report clean>")


def test_equality_and_iteration(subject: Any) -> None:
    """Reports are equal by what they say, iterate over findings and have no hash."""
    one, two = subject.inspect([len]), subject.inspect([len])
    assert one == two
    assert one != subject.inspect([len, len])
    assert one != [*one]
    assert list(one) == list(one.findings)
    with pytest.raises(TypeError):
        hash(one)


def test_raise_if_lossy(subject: Any) -> None:
    """A lossy report raises with its first findings, a clean one does nothing."""
    subject.inspect([1]).raise_if_lossy()
    with pytest.raises(
        EncodeError, match=r"^4 finding\(s\): \$\[0\]: function .*; \$\[1\]: class type; \$\[2\]: class type$"
    ):
        subject.inspect([len, int, str, float]).raise_if_lossy()


def test_no_text_of_ours_holds_a_value(subject: Any) -> None:
    """Neither findings nor errors hold a value of the data."""
    value = {"password": Held("hunter2", api_key="hunter2"), b"hunter2": len, "k": [marked(Str("hunter2"), "hunter2")]}
    assert "hunter2" not in str(subject.inspect(value)) + repr(subject.inspect(value).to_dict())
    with pytest.raises(EncodeError) as raised:
        subject.packb(value, policy=Policy({Kind.SECRET: Action.RAISE}))
    assert "hunter2" not in str(raised.value)
