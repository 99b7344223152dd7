"""Patterns of paths: what ``Policy(paths=...)`` addresses, parsed once and matched step by step.

A pattern is written as a path is shown in a report, with three wildcards::

    $.user.name       a field, or the entry of a mapping under a str key
    $["a key"]        the same, for a key that is no name; quoted as in JSON
    $.rows[3]         a position
    $.scores{1}       the entry under an int, float, bool or None
    $.*   $.rows[*]   any one name; any one position
    $.debug.**        everything below; in the middle ``**`` is any number of steps, also none

Of several patterns that match one place the most specific decides: the one with more exact steps, then the one with
more single wildcards, then the one declared last. What is kept is kept with all that is in it, but for what a more
specific pattern says.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from siftpack.errors import PolicyError

NAME: Final = 0
INDEX: Final = 1
KEY: Final = 2
ANY_NAME: Final = 3
ANY_INDEX: Final = 4
DEEP: Final = 5
PATTERN_STEPS: Final = 64
"""Steps of one pattern, at most."""
PATTERNS: Final = 1024
"""Patterns of one policy, at most."""

_STEP = re.compile(
    r"""\.(?P<deep>\*\*) | \.(?P<any>\*) | \.(?P<name>[^.\[\]{}*"'$\s]+)
      | \[(?P<index>[0-9]{1,18})\] | \[(?P<all>\*)\] | \[(?P<text>"(?:[^"\\]|\\.)*")\]
      | \{(?P<key>[^{}]{1,64})\}""",
    re.X | re.S,
)
_INT: Final = re.compile(r"-?[0-9]+")
_FLOAT: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?")
_CONSTANTS: Final = {"None": None, "True": True, "False": False, "nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class Want(NamedTuple):
    """One step of a pattern: what kind of step it matches, and the name, position or key it has to be."""

    sort: int
    value: Any = None


class Pattern(NamedTuple):
    """One pattern: its steps and the action it asks for."""

    steps: tuple[Want, ...]
    action: Any


State = tuple[tuple[int, int], ...]
"""Where a path stands: in which patterns, and before which of their steps."""


def parse(text: object) -> tuple[Want, ...]:
    """The steps of one pattern. Raises ``PolicyError`` for anything that is none."""
    if type(text) is not str or not text.startswith("$"):
        raise PolicyError("a path begins with $, as in '$.user.name'")
    steps: list[Want] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise PolicyError(f"path not understood at character {at}; see siftpack.patterns")
        steps.append(_want(found))
        at = found.end()
    if len(steps) > PATTERN_STEPS:
        raise PolicyError(f"path of more than {PATTERN_STEPS} steps")
    return tuple(steps)


def _want(found: re.Match[str]) -> Want:
    sort, text = found.lastgroup, found[found.lastgroup or 0]
    if sort == "name":
        return Want(NAME, text)
    if sort == "index":
        return Want(INDEX, int(text))
    if sort == "text":
        try:
            import json

            return Want(NAME, json.loads(text))
        except ValueError:
            raise PolicyError("path with a quoted key that is not JSON") from None
    if sort == "key":
        return Want(KEY, _key(text))
    return Want({"any": ANY_NAME, "all": ANY_INDEX}.get(sort or "", DEEP))


def _key(text: str) -> Any:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    raise PolicyError("a path shows keys in braces only if they are int, float, bool or None")


def compiled(paths: Mapping[str, Any]) -> tuple[Pattern, ...]:
    """The patterns of a policy, most specific first; of equally specific ones the last declared first.

    Raises ``PolicyError`` for a pattern that is none, or for too many.
    """
    if len(paths) > PATTERNS:
        raise PolicyError(f"more than {PATTERNS} paths")
    found = [Pattern(parse(text), action) for text, action in paths.items()]
    found.reverse()
    found.sort(key=lambda pattern: _specificity(pattern.steps), reverse=True)
    return tuple(found)


def _specificity(steps: tuple[Want, ...]) -> tuple[int, int]:
    sorts = [want.sort for want in steps]
    return sum(sort <= KEY for sort in sorts), sorts.count(ANY_NAME) + sorts.count(ANY_INDEX)


def start(patterns: tuple[Pattern, ...]) -> State:
    """Where ``$`` stands."""
    return _settled(patterns, [(number, 0) for number in range(len(patterns))])


def advance(patterns: tuple[Pattern, ...], state: State, step: Any) -> State:
    """Where a place one step further stands. ``step`` is a segment of ``siftpack.report``."""
    found: list[tuple[int, int]] = []
    for number, at in state:
        steps = patterns[number].steps
        if at == len(steps):
            continue
        want = steps[at]
        if want.sort == DEEP:
            found.append((number, at))
            if at + 1 == len(steps):
                found.append((number, at + 1))
        elif _matches(want, step):
            found.append((number, at + 1))
    return _settled(patterns, found)


def _settled(patterns: tuple[Pattern, ...], found: list[tuple[int, int]]) -> State:
    """Beyond a ``**`` in the middle, which may also be no step at all; without what a keep has overruled."""
    settled = set(found)
    for number, first in found:
        steps, at = patterns[number].steps, first
        while at + 1 < len(steps) and steps[at].sort == DEEP:
            at += 1
            settled.add((number, at))
    kept = next((number for number, at in sorted(settled) if at == len(patterns[number].steps)), None)
    if kept is not None and patterns[kept].action == "keep":
        settled = {position for position in settled if position[0] <= kept}
    return tuple(sorted(settled))


def _matches(want: Want, step: Any) -> bool:
    cls = type(step)
    if cls is str:
        return want.sort == ANY_NAME or (want.sort == NAME and bool(want.value == step))
    if cls is int:
        return want.sort == ANY_INDEX or (want.sort == INDEX and bool(want.value == step))
    if cls is tuple and want.sort == KEY:
        key = step[0]
        same = type(key) is type(want.value) and key == want.value
        return bool(same or (type(key) is float and key != key and want.value != want.value))
    return False


def action(patterns: tuple[Pattern, ...], state: State) -> Any:
    """What the most specific pattern that ends here asks for, or None."""
    for number, at in state:
        if at == len(patterns[number].steps):
            return patterns[number].action
    return None
