"""Paths as text, taken apart: the inverse of ``siftpack.report.render``."""

import re

_STEP = re.compile(
    r"""
      \.[A-Za-z_][A-Za-z_0-9]*            # a str key that is a name
    | \[-?[0-9]+\]                        # a position
    | \["(?:[^"\\]|\\.)*"\]               # any other str key, as JSON
    | \{(?:"(?:[^"\\]|\\.)*"|[^"{}]*)\}   # a plain key that is no str, or a type
    """,
    re.VERBOSE,
)


def split(path: str, most: int | None = None) -> tuple[str, ...]:
    """The steps of a path, each as it stands there: ``("[3]", ".agent")`` for ``$[3].agent``.

    Joined they are the path without its ``$``. Steps beyond the first ``most`` stay together in one part, and so does
    whatever is not the text of a path; nothing is raised.
    """
    at = 1 if path.startswith("$") else 0
    parts: list[str] = []
    while at < len(path):
        found = _STEP.match(path, at) if most is None or len(parts) < most else None
        end = found.end() if found else len(path)
        parts.append(path[at:end])
        at = end
    return tuple(parts)
