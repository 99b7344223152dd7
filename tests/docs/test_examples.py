"""Every Python block of the documentation runs, and gives what its ``# ->`` lines say."""

import ast
import contextlib
import io
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ARROW = re.compile(r"#\s*->\s?(.*)$")


class Example(NamedTuple):
    """One block and where it stands."""

    name: str
    source: str


def examples() -> list[Example]:
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            found.append(Example(f"{page.name}:{line}", block[1]))
    return found


def expected(lines: list[str], first: int, last: int) -> list[str]:
    """The arrow comments from the line a statement ends on to the next statement."""
    found = (ARROW.search(line) for line in lines[first:last])
    return [match[1].rstrip() for match in found if match]


def outcome(statement: ast.stmt, names: dict[str, Any], *, may_raise: bool) -> list[str]:
    """What one statement prints, and the repr of its value or the error it raises."""
    out = io.StringIO()
    value = None
    try:
        with contextlib.redirect_stdout(out):
            if isinstance(statement, ast.Expr):
                value = eval(compile(ast.Expression(statement.value), "<doc>", "eval"), names)
            else:
                exec(compile(ast.Module([statement], []), "<doc>", "exec"), names)
    except Exception as raised:
        if not may_raise:
            raise
        out.write(f"{type(raised).__name__}: {raised}")
    shown = out.getvalue() + ("" if value is None else repr(value))
    return [line.rstrip() for line in shown.splitlines()]


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_example(example: Example) -> None:
    """The block runs in a namespace of its own, and each arrow is the truth."""
    lines = example.source.splitlines()
    body = ast.parse(example.source).body
    names: dict[str, Any] = {"__name__": "example"}
    for at, statement in enumerate(body):
        assert statement.end_lineno is not None
        last = body[at + 1].lineno - 1 if at + 1 < len(body) else len(lines)
        promised = expected(lines, statement.end_lineno - 1, last)
        got = outcome(statement, names, may_raise=bool(promised))
        assert not promised or got == promised


def test_there_are_examples() -> None:
    """The search for blocks finds some: a check that checks nothing would pass."""
    found = {example.name.partition(":")[0] for example in examples()}
    assert found >= {"README.md", "format.md", "policy.md"}
    assert len(examples()) >= 9


def test_links_lead_somewhere() -> None:
    """Every relative link of the documentation is a file."""
    for page in [*PAGES, ROOT / "CHANGELOG.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_peers_say_what_the_readme_says() -> None:
    """The messages in the comparison are those the libraries give to the scene of the demo."""
    for needed in ("langgraph", "ormsgpack"):
        pytest.importorskip(needed)
    from siftpack.cli.peers import verdicts
    from siftpack.cli.scene import API_KEY, context

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = {verdict.name: verdict for verdict in verdicts(context(), API_KEY)}
    for name, verdict in found.items():
        assert f"| {name} | `{verdict.answer}` |" in readme
    assert found["pickle"].leaks == 1
