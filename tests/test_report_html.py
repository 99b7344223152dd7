"""A report as HTML: safe, bounded, the same every time, and a tree that is the tree of the paths."""

import os
import pickle
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import siftpack
from siftpack.advice import advice
from siftpack.policy import Action, Kind
from siftpack.report import FINDINGS_KEPT, Finding, Report, legible
from siftpack.report_html import LABEL_SHOWN, ROWS_OPEN, STEPS
from siftpack.report_style import COLOURS, STYLE
from siftpack.testing.machinery import Agent
from siftpack.testing.zoo import Color, Frozen, Held, Opaque, failed
from tests.pages import Page, Row, page


def report_of(findings: list[Finding], **state: Any) -> Report:
    """A report as it comes back from a pickle."""
    made = Report.__new__(Report)
    counts: dict[Kind, int] = {}
    for finding in findings:
        counts[finding.kind] = counts.get(finding.kind, 0) + 1
    made.__setstate__({"findings": tuple(findings), "counts": counts, "cut": False} | state)
    return made


def many() -> dict[str, Any]:
    """Losses of many kinds, deep and flat."""
    cycle: dict[str, Any] = {}
    cycle["me"] = cycle
    return {
        "user": {"agent": Agent(), "note": Opaque(a=1, _b=2), "keys": Held(1, api_key="k")},
        "cycle": cycle,
        "enum": {Color.RED: 1, 1: 2, Frozen(1): len},
        "rows": [{"cb": len, "n": at} for at in range(30)],
        "set": {type("Item", (), {"__hash__": lambda self: 1})() for _ in range(3)},
        "error": failed(cause=ValueError(len)),
        "one": {"way": {"down": [[int]]}},
        "top": (len,),
    }


HOSTILE = [
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</summary></details><img src=x onerror=alert(1)>",
    "\" onmouseover=alert(1) x='",
    "' onmouseover=alert(1) x=\"",
    "&lt;b&gt; &amp;amp; &#60;i&#62;",
    "<!-- comment --> <![CDATA[x]]> <?php ?>",
    "\u202eright to left\u2066",
    "\ud800 alone \udfff",
    "nul\0 and \x1b[31m and \x85",
    "line\nend\r\u2028\u2029",
    "]]> {} $[0] ..",
    "x" * 10_000_000,
    "<" * 1_000_000,
    "\0" * 1_000_000,
]


def test_the_tree_is_the_tree_of_the_paths(subject: Any) -> None:
    """The labels from the root to a row are its path, and rows and findings are the same."""
    report = subject.inspect(many())
    found = page(report)
    assert found.findings() == sorted((f.path, f.kind, f.type_name, f.action) for f in report)
    assert len(report) > 40
    for place, *_ in found.rows:
        for depth in range(1, len(place)):
            assert place[:depth] in found.told


def test_branches_count_what_is_below(subject: Any) -> None:
    """A branch tells how many findings are below it and of which kinds, the most frequent first."""
    found = page(subject.inspect(many()))
    for branch, (number, mix) in found.told.items():
        below = [(kind, times) for place, kind, _, _, _, times in found.rows if place[: len(branch)] == branch]
        assert number == sum(times for _, times in below)
        first = mix.split(", ")[0].split()
        assert int(first[1]) == sum(times for kind, times in below if kind == first[0])
    assert found.told["$", ".rows"] == (30, "function 30")
    assert found.told["$", ".user"] == (3, "agent 1, private 1, secret 1")


def test_lonely_steps_are_one_label(subject: Any) -> None:
    """A way without a fork is one label, so that a deep place takes one row."""
    found = page(subject.inspect({"a": {"b": [0, {"c": len}]}}))
    assert [row[0] for row in found.rows] == [("$.a.b[1].c",)]
    found = page(subject.inspect({"a": {"b": [len, {"c": len}]}}))
    assert [row[0] for row in found.rows] == [("$.a.b", "[0]"), ("$.a.b", "[1].c")]


def test_a_place_with_a_loss_of_its_own(subject: Any) -> None:
    """Where a branch is a loss itself, its own row comes before those below."""
    report = subject.inspect({Color.RED: {"x": len, "y": int}})
    path = "${siftpack.testing.zoo.Color}"
    assert [(row[0], row[1]) for row in page(report).rows] == [
        *(((path,), "enum"), ((path, ".x"), "function"), ((path, ".y"), "class")),
    ]
    assert page(report).findings() == sorted((f.path, f.kind, f.type_name, f.action) for f in report)


def test_equal_losses_in_one_place_are_counted(subject: Any) -> None:
    """Findings that say the same are one row with a number."""
    lost = type("Item", (), {})
    assert [(row[1], row[5]) for row in page(subject.inspect({lost() for _ in range(40)})).rows] == [("opaque", 40)]


def test_few_rows_are_open_at_first(subject: Any) -> None:
    """A short report is wholly open, a long one as far as few rows show, and the rest folded with its counts."""
    assert all(page(subject.inspect({"user": {"a": len, "b": {"c": len, "d": int}}})).opened.values())
    found = page(subject.inspect(many()))
    assert found.opened["$",] is True
    assert found.opened["$", ".user"] is True
    assert found.opened["$", ".rows"] is False
    shown = sum(
        all(found.opened[place[:at]] for at in range(1, len(place))) for place in {row[0] for row in found.rows}
    )
    assert 5 < shown <= ROWS_OPEN
    assert page(subject.inspect([len] * (ROWS_OPEN + 1))).opened == {("$",): False}
    assert page(subject.inspect([len] * ROWS_OPEN)).opened == {("$",): True}


def test_every_row_says_what_helps(subject: Any) -> None:
    """The badge of each row has the advice for its kind and type as its title."""
    rows = page(subject.inspect(many())).rows
    assert rows
    for _, kind, name, action, title, _ in rows:
        assert title == advice(Kind(kind), name, Action(action))


def tells(row: Row, finding: Finding) -> bool:
    """True if a row tells of the finding; three dots in a label may stand for anything."""
    labels = "".join(re.escape(label).replace(r"\.\.\.", ".*") for label in row[0])
    rest = (finding.kind, legible(finding.type_name, LABEL_SHOWN), finding.action)
    return re.fullmatch(labels, finding.path) is not None and row[1:4] == rest


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_keys_and_names_are_text(subject: Any, text: str) -> None:
    """Keys and type names of any content arrive as visible, bounded text: no tag, no attribute, no control."""
    cls = type("A", (), {"__module__": "m"})
    cls.__qualname__ = text
    report = subject.inspect({text: cls(), "k": {text: {text: [len]}}, cls(): 1})
    found = page(report)
    assert sum(row[5] for row in found.rows) == len(report)
    assert all(any(tells(row, finding) for row in found.rows) for finding in report)
    assert all(len(label) <= LABEL_SHOWN for row in found.rows for label in row[0])
    assert len(report._repr_html_()) < 30_000


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_reports_from_a_pickle_are_text(text: str) -> None:
    """A report whose very paths, kinds and actions are hostile is shown as text too."""
    odd: Any = text
    report = report_of(
        [
            *(Finding(text, Kind.SYNC, text, Action.DROP), Finding("$" + text, Kind.AGENT, text, Action.DROP)),
            Finding(f"$.a{text}", odd, text, odd),
        ]
    )
    found = page(report)
    assert {row[1] for row in found.rows} == {"sync", "agent", legible(text, LABEL_SHOWN)}
    assert {row[2] for row in found.rows} == {legible(text, LABEL_SHOWN)}
    assert len(report._repr_html_()) < 40_000
    assert str(report).count("\n") <= 8


TEXTS = st.text(st.sampled_from("<>&\"' ab.[]{}$\0\u202e\ud800é日/=!-?"), max_size=20)
PATHS = st.lists(st.sampled_from((".a", ".b", "[0]", "{1}", '["<b>"]')), max_size=8).map(
    lambda parts: "$" + "".join(parts)
)
FINDINGS = st.builds(
    Finding,
    st.one_of(TEXTS, TEXTS.map("$".__add__), PATHS, PATHS),
    st.sampled_from(Kind),
    TEXTS,
    st.sampled_from(Action),
)


@given(st.lists(FINDINGS, min_size=1, max_size=8))
def test_any_findings_make_a_page(findings: list[Finding]) -> None:
    """Whatever the findings say, the page has the known tags only and a row for each of them."""
    found = page(report_of(findings))
    body = [(f.path.removeprefix("$"), f.kind, f.type_name, f.action) for f in findings]
    assert found.findings() == sorted((legible(f"${path}", 10**6), *map(_shown, rest)) for path, *rest in body)


def _shown(text: str) -> str:
    return legible(str(text), LABEL_SHOWN)


def test_a_page_is_bounded() -> None:
    """However many, deep and long the findings are, the page has at most some megabytes and few levels."""
    long = type("A", (), {"__module__": "m" * 10_000})
    long.__qualname__ = '"' * 1000
    leaf: Any = [long() for _ in range(FINDINGS_KEPT * 3)]
    for at in range(300):
        leaf = {"<" * 1000 + str(at): leaf} if at % 2 else [leaf, len]
    for value in (leaf, [leaf] * 3, {f'"{"&" * 1000}{at}': long() for at in range(2 * FINDINGS_KEPT)}):
        report = siftpack.inspect(value)
        text = report._repr_html_()
        assert len(text) < 4_000_000
        assert text.count("<details") < 2 * FINDINGS_KEPT
        found = Page(text)
        assert max(len(row[0]) for row in found.rows) <= STEPS + 2
        assert sum(row[5] for row in found.rows) == FINDINGS_KEPT


def test_depth_takes_no_stack() -> None:
    """Paths of ten thousand steps, from the walk or from a pickle, make a page without recursion."""
    value: Any = [len, int]
    for _ in range(10_000):
        value = [value]
    report = siftpack.inspect([value, len])
    found = page(report)
    assert sum(row[5] for row in found.rows) == 3
    assert len(report._repr_html_()) < 20_000
    assert len(str(report)) < 1000
    fork = report_of([Finding("$" + "[0]" * at + ".a", Kind.SYNC, "m.C", Action.DROP) for at in range(FINDINGS_KEPT)])
    assert max(len(row[0]) for row in page(fork).rows) <= STEPS + 2


PROGRAM = """
import siftpack
from tests.test_report_html import many
print(siftpack.inspect(many())._repr_html_())
"""


def test_the_same_report_is_the_same_page(subject: Any) -> None:
    """The page is the same each time, in another process with another hash seed, and from the other implementation."""
    report = subject.inspect(many())
    assert report._repr_html_() == report._repr_html_() == subject.inspect(many())._repr_html_()
    assert report._repr_html_() == siftpack.inspect(many())._repr_html_()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == report._repr_html_()


def test_a_pickled_report_is_the_same_page(subject: Any) -> None:
    """The twin from a pickle, which has nothing but text, folds in the same places."""
    report = subject.inspect({**many(), 'quo"te': {"<b>": [len, {b"x": len, 1.5: [int, int]}]}})
    assert pickle.loads(pickle.dumps(report))._repr_html_() == report._repr_html_()


def test_a_clean_report_is_a_short_line(subject: Any) -> None:
    """Nothing lost is said in a line."""
    text = subject.inspect({"a": 1})._repr_html_()
    assert text == '<p class="siftpack-report">clean: nothing was left out</p>'


def test_what_is_not_whole_says_so(subject: Any) -> None:
    """Omitted findings and cut data are told above the tree; a whole report has no note."""
    report = subject.inspect([len] * (FINDINGS_KEPT + 7) + [int])
    found = page(report)
    assert found.notes == ["The first 1000 are shown, 8 more are only counted."]
    assert found.head == "1008 findings function 1007 class 1"
    assert page(subject.inspect([len])).notes == []
    assert page(subject.inspect([len])).head == "1 finding function 1"
    note = "A limit cut the data: what lies beyond it was neither kept nor looked at."
    assert page(report_of([], cut=True)).notes == [note]
    assert page(report_of(list(report)[:2], cut=True)).notes == [note]


def test_the_style_asks_for_nothing_and_reaches_nothing_else() -> None:
    """The style sheet loads nothing, holds no markup, and every rule of it is for reports alone."""
    assert not re.search(r"url|import|expression|http|<|@(?!media)", STYLE)
    assert page(siftpack.inspect(len)).style == STYLE
    rules = re.sub(r"@media \([a-z-]+:[a-z0-9]+\)\{((?:[^{}]*\{[^{}]*\})*)\}", r"\1", STYLE)
    selectors = [each for rule in re.findall(r"([^{}]+)\{[^{}]*\}", rules) for each in rule.split(",")]
    assert len(selectors) > 20
    assert [each for each in selectors if not each.startswith(".siftpack-report")] == []
    assert re.sub(r"[^{}]+\{[^{}]*\}", "", rules) == ""


def _light(colour: str) -> float:
    """The relative luminance of WCAG."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", sorted(COLOURS))
def test_colours_can_be_read(theme: str) -> None:
    """Every text has a contrast of at least 5 to its ground, and both themes colour the same parts."""
    assert COLOURS[theme].keys() == COLOURS["light"].keys()
    for part, (ink, ground) in COLOURS[theme].items():
        bright, dark = sorted((_light(ink), _light(ground)), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) >= 5, part
        assert f"--siftpack-{part}:{ink};--siftpack-{part}-ground:{ground};" in STYLE


def test_every_kind_has_a_colour(subject: Any) -> None:
    """Each kind's badge is of a part that the style sheet colours."""
    text = report_of([Finding("$", kind, "m.C", Action.DROP) for kind in Kind])._repr_html_()
    used = set(re.findall(r'"siftpack-kind siftpack-([a-z]+)"', text))
    assert used == COLOURS["light"].keys() - {"page", "dim", "hover"}


def test_a_page_is_not_imported_before_it_is_asked_for() -> None:
    """Importing siftpack and taking a report loads neither pages nor tables nor advice."""
    program = (
        "import siftpack, sys; r = siftpack.inspect([len]); r.findings; "
        "rooms = ('siftpack.report_', 'siftpack.advice', 'siftpack.paths'); "
        "print([name for name in sys.modules if name.startswith(rooms)])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
