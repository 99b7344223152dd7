"""What a report says, and how it says it."""

import json
import pickle
from typing import Any
from unicodedata import east_asian_width

import pytest

from siftpack.errors import EncodeError
from siftpack.policy import Action, Kind, Policy
from siftpack.report import FINDINGS_KEPT, KEY_SHOWN, TYPE_SHOWN, Finding, RawReport, Report, legible, shorten
from siftpack.report_text import ROWS, WIDTH, columns
from siftpack.testing.machinery import Agent
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
    assert (len(report), report.omitted, report.truncated, report.clean) == (FINDINGS_KEPT + 500, 500, True, False)
    exactly = subject.inspect([len] * FINDINGS_KEPT)
    assert (exactly.omitted, exactly.truncated) == (0, False)


def test_a_long_table_ends(subject: Any) -> None:
    """A table shows the first rows, says how many more there are and where, and ends with the counts."""
    lines = str(subject.inspect([len] * (ROWS + 10))).splitlines()
    assert lines[-3].startswith(f"$[{ROWS - 1}] ")
    assert lines[-2:] == ["... and 10 more in report.findings", f"{ROWS + 10} findings: function {ROWS + 10}"]
    lines = str(subject.inspect([len] * FINDINGS_KEPT + [int] * 500)).splitlines()
    assert lines[-2] == f"... and {FINDINGS_KEPT + 500 - ROWS} more, {FINDINGS_KEPT - ROWS} of them in report.findings"
    assert lines[-1] == f"{FINDINGS_KEPT + 500} findings: function {FINDINGS_KEPT}, class 500"


class _CutRaw(RawReport):
    """Raw findings of a walk that a limit cut."""

    def __init__(self) -> None:
        super().__init__()
        self.is_cut = True


def test_a_cut_report_says_so() -> None:
    """A report of data that a limit cut is neither clean nor whole, in every form, and so is its pickled twin."""
    report = Report(_CutRaw())
    for each in (report, pickle.loads(pickle.dumps(report))):
        assert (each.cut, each.omitted, each.truncated, each.clean, len(each)) == (True, 0, True, False, 0)
        assert str(each) == "0 findings; a limit cut the data"
        assert repr(each) == "<Report cut>"
        assert each.to_dict()["cut"] is True
        with pytest.raises(EncodeError, match="A limit cut the data: allow more in Limits"):
            each.raise_if_lossy()
    assert report != Report(RawReport())


def test_nothing_is_cut_unless_it_is_said(subject: Any) -> None:
    """Raw findings that do not speak of a cut tell of a whole result, and so do reports pickled without the word."""
    report = subject.inspect([len])
    assert (report.cut, report.truncated) == (False, False)
    assert Report(object()).cut is False
    state = report.__getstate__()
    del state["cut"]
    older = Report.__new__(Report)
    older.__setstate__(state)
    assert older == report


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
        "2 findings: class 1, function 1",
    ]
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain == {
        "findings": [
            {"path": "$.a", "kind": "function", "type_name": "builtin_function_or_method", "action": "drop"},
            {"path": "$.b[0]", "kind": "class", "type_name": "type", "action": "drop"},
        ],
        "counts": {"class": 1, "function": 1},
        "omitted": 0,
        "cut": False,
        "truncated": False,
        "clean": False,
    }
    assert repr(report) == "<Report class: 1, function: 1>"
    assert (str(subject.inspect(1)), repr(subject.inspect(1))) == ("clean: nothing was left out", "<Report clean>")


def named(name: str) -> Any:
    """An instance of a class of that name, at home in no module."""
    made = type("A", (), {"__module__": "builtins"})
    made.__qualname__ = name
    return made()


HOSTILE_NAMES = {
    "controls": "A\0\x1b[31m\n\r\t\x7f\x85",
    "overrides": "A\u202e\u2066\u200b\u2028\ufeff",
    "surrogate": "A\ud800\udfff",
    "braces": 'A}{"]',
    "wide": "重要な設定",
    "combining": "e\u0301" * 5,
    "long": "x" * 10_000_000,
    "long controls": "\x1b" * 100_000,
}


@pytest.mark.parametrize("name", sorted(HOSTILE_NAMES))
def test_names_of_types_are_one_bounded_line(subject: Any, name: str) -> None:
    """The name of a type is printable and bounded in findings, paths, tables and errors, whatever the type says."""
    lost = named(HOSTILE_NAMES[name])
    for report in (subject.inspect([lost, {"k": lost}]), subject.inspect({lost: 1})):
        for finding in report:
            assert finding.type_name.isprintable()
            assert len(finding.type_name) <= TYPE_SHOWN
            assert finding.path.isprintable()
            assert len(finding.path) < 6 * TYPE_SHOWN
        assert all(line.isprintable() and columns(line) <= WIDTH for line in str(report).splitlines())
        assert str(report).encode()
        with pytest.raises(EncodeError) as raised:
            report.raise_if_lossy()
        assert str(raised.value).isprintable()
        assert len(str(raised.value)) < 2000
    with pytest.raises(EncodeError) as raised:
        subject.packb([{lost: 1}], policy=Policy({Kind.OPAQUE: Action.RAISE}))
    assert str(raised.value).isprintable()
    assert str(raised.value).startswith("$[0]{")
    assert len(str(raised.value)) < 1000


def test_the_table_fits_a_terminal(subject: Any) -> None:
    """Columns stay aligned beside wide names, a long path has a line of its own, and no line is wider than a screen."""
    wide = type("重要な設定", (), {"__module__": "アプリ", "run": lambda self: None})()
    rows = {"short": len, "wide": [wide], "long" * 12: {"nested": [wide] * 2}, "x" * 200: len, "日本": {1: wide}}
    *lines, last = str(subject.inspect({**rows, "enum": {Color.RED: 1, 1: 2}})).splitlines()
    assert last == "8 findings: agent 4, function 2, enum 1, key_collision 1"
    assert max(map(columns, lines)) <= WIDTH
    at = lines[0].index("kind")
    alone = [line for line in lines if line[:at].strip() and columns(line) > at and line[at - 1] != " "]
    assert [line.split()[0] for line in alone] == [
        *(f"$.{'long' * 12}.nested[0]", f"$.{'long' * 12}.nested[1]", f'$["{"x" * KEY_SHOWN}..."]'),
        f"$.enum{{{ZOO}.Color}}",
    ]
    for line in lines[1:]:
        if line not in alone:
            cells = "".join(char + "\0" * (east_asian_width(char) in "WF") for char in line)
            assert cells[at - 2 : at] == "  "
            assert cells[at:].split()[0] in {*Kind}


@pytest.mark.parametrize("width", [3, 4, 10, 59, 60, 61])
def test_long_texts_lose_their_middle(width: int) -> None:
    """A shortened text has no more characters than asked for and keeps both ends; a short one stays as it is."""
    text = "".join(chr(ord("A") + at) for at in range(60))
    short = shorten(text, width)
    assert len(short) == min(width, 60)
    head, dots, tail = short.partition("...")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert (short == text) is (width >= 60) is not bool(dots)


def test_what_cannot_be_seen_is_escaped() -> None:
    """Controls, line ends, overrides and lone surrogates are shown as escapes, letters of all scripts as they are."""
    assert legible("a\0\n\u202e\ud800\U000e0001z", 60) == r"a\x00\n\u202e\ud800\U000e0001z"
    assert legible("日本 é א", 60) == "日本 é א"
    assert len(legible("\0" * 10**7, 60)) == 60


def test_errors_show_a_bounded_path(subject: Any) -> None:
    """However deep the place is, an error about it is one line of bounded length that shows both ends of the path."""
    lost: Any = {"leaf": len}
    for _ in range(40):
        lost = {"some_name": [lost]}
    with pytest.raises(EncodeError) as raised:
        subject.packb(lost, policy=Policy({Kind.FUNCTION: Action.RAISE}))
    assert str(raised.value).startswith("$.some_name[0]")
    assert ".some_name[0].leaf: function " in str(raised.value)
    assert len(str(raised.value)) < 400


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
    with pytest.raises(EncodeError) as raised:
        subject.inspect([int, len, str, float, Agent()]).raise_if_lossy()
    assert str(raised.value) == (
        "5 findings: $[0]: class type; $[1]: function builtin_function_or_method; $[2]: class type; and 2 more. "
        'For $[0]: it holds no data: take it out first, or keep its name with Policy(actions={"class": "name"})'
    )
    with pytest.raises(EncodeError, match=r'^1 finding: \$: agent .*Agent\. For \$: .*Agent, kind="opaque"\)'):
        subject.inspect(Agent()).raise_if_lossy()


def test_no_text_of_ours_holds_a_value(subject: Any) -> None:
    """Neither findings nor errors hold a value of the data."""
    value = {"password": Held("hunter2", api_key="hunter2"), b"hunter2": len, "k": [marked(Str("hunter2"), "hunter2")]}
    assert "hunter2" not in str(subject.inspect(value)) + repr(subject.inspect(value).to_dict())
    with pytest.raises(EncodeError) as raised:
        subject.packb(value, policy=Policy({Kind.SECRET: Action.RAISE}))
    assert "hunter2" not in str(raised.value)
