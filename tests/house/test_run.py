"""What ``make test`` ends with: no failure is lost between its two parts, and nothing selected is no success."""

from typing import Any

import pytest

from tests import run


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        *(([0, 0], 0), ([0, 5], 0), ([5, 0], 0), ([5, 5], 5), ([1, 0], 1), ([0, 1], 1), ([5, 1], 1), ([1, 5], 1)),
        *(([4, 4], 4), ([3, 1], 3), ([2], 2)),
    ],
)
def test_a_failure_of_either_part_is_one_of_the_whole(codes: list[int], code: int) -> None:
    """A part in which nothing was selected is passed over, unless it is both."""
    assert run.verdict(codes) == code


@pytest.mark.parametrize(
    ("marks", "asked"), [("", ["not alone", "alone"]), ("a or b", ["(a or b) and not alone", "(a or b) and alone"])]
)
def test_each_part_is_told_what_to_select(monkeypatch: pytest.MonkeyPatch, marks: str, asked: list[str]) -> None:
    """The caller's words go to both parts as they are, and together they select what the caller's marks do."""
    calls: list[list[str]] = []

    def called(command: list[str], **options: Any) -> Any:
        calls.append(command)
        return run.subprocess.CompletedProcess(command, 5)

    monkeypatch.setattr(run.subprocess, "run", called)
    words = ["-k", "some word", "tests/cache", "--maxfail=1"]
    assert run.main([*words, *(["-m", marks] if marks else [])]) == 5
    assert [call[-1] for call in calls] == asked
    assert all(call[-6:-2] == words for call in calls)
    assert [any(word.startswith("--numprocesses") for word in call) for call in calls] == [True, False]
