"""Graphs, policies, limits and listed types drawn from a seeded generator: what the strategies give, many times faster.

For runs of a million examples, where shrinking is of no use: the seed of a failure makes it again.
"""

from random import Random
from typing import Any

from siftpack.policy import DEFAULT, JSON, LOGGING, PORTABLE, STRICT, Action, Limits, Policy
from siftpack.testing import rules, strategies, zoo
from siftpack.testing.machinery import hashable_specimens, specimens

DEEPEST = 4
_READY = (DEFAULT, DEFAULT, DEFAULT, STRICT, JSON, PORTABLE, LOGGING)
_HOOKS = (None, None, None, rules.declines, rules.fails, rules.as_list, rules.as_name, rules.as_mock)


class Drawer:
    """Draws from one seed."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.lost = [found.obj for found in specimens()]
        self.lost_keys = [found.obj for found in hashable_specimens()]

    def graph(self, depth: int = 0) -> Any:
        """Anything: data, machinery, records, subclasses, exceptions, shared and cyclic."""
        draw = self.draw
        if depth >= DEEPEST or draw.random() < 0.3:
            return self.leaf()
        way = draw.randrange(5)
        if way == 0:
            return draw.choice(strategies.FROM_LIST)([self.graph(depth + 1) for _ in range(draw.randrange(4))])
        if way == 1:
            rows = [(self.key(), self.graph(depth + 1)) for _ in range(draw.randrange(4))]
            return draw.choice(strategies.FROM_ROWS)(rows)
        if way == 2:
            return draw.choice((set, frozenset))([self.key() for _ in range(draw.randrange(4))])
        return draw.choice(strategies.SAFE_TIES)(self.graph(depth + 1))

    def leaf(self) -> Any:
        """Anything that is no container, machinery of every kind among it."""
        draw = self.draw
        way = draw.randrange(8)
        if way < 3:
            return draw.choice(strategies.FLAT)
        if way == 3:
            return draw.choice(strategies.TIMES)
        if way == 4:
            return draw.choice(strategies.NAMES)
        if way == 5:
            return draw.choice(strategies.MUTABLE)()
        return draw.choice(self.lost) if way == 6 else draw.choice(zoo.ENUMS)

    def key(self, depth: int = 0) -> Any:
        """Dict keys and set elements of every kind."""
        draw = self.draw
        way = draw.randrange(9)
        if way < 4 or depth > 2:
            return draw.choice(strategies.FLAT)
        if way == 4:
            return draw.choice((*strategies.TIMES, *strategies.NAMES))
        if way == 5:
            return draw.choice((*zoo.ENUMS, *self.lost_keys))
        if way == 6:
            return draw.choice(zoo.HASHABLE)(self.key(depth + 1))
        return draw.choice((tuple, frozenset))([self.key(depth + 1) for _ in range(draw.randrange(3))])

    def policy(self) -> Policy:
        """Ready policies, and others by kind, path, hook and mode."""
        draw = self.draw
        if draw.random() < 0.5:
            return draw.choice(_READY)
        actions = dict(draw.choice(rules.ACTION_ROWS) for _ in range(draw.randrange(3)))
        paths = {draw.choice(rules.PATTERNS): draw.choice(rules.CHOICES) for _ in range(draw.randrange(3))}
        return Policy(
            actions,
            paths=paths,
            default=draw.choice(_HOOKS),
            redact=draw.random() < 0.3,
            strict=draw.random() < 0.1,
            mode=draw.choice(("native", "native", "json", "portable")),
            longest=draw.choice((None, None, 1, 3, 40)),
            emptied=draw.choice((Action.DROP, Action.TOMBSTONE, Action.NAME)),
        )

    def limits(self) -> Limits:
        """Mostly the default; else bounds that most graphs exceed, raising or cutting."""
        draw = self.draw
        if draw.random() < 0.6:
            return Limits()
        chosen = draw.sample(sorted(rules.BOUNDS), draw.randrange(1, 4))
        bounds = {name: draw.randint(*rules.BOUNDS[name]) for name in chosen}
        return Limits(**bounds, on_exceed=draw.choice(("raise", "cut")))

    def types(self) -> tuple[type, ...]:
        """None, some, or all classes of the zoo."""
        draw = self.draw
        way = draw.random()
        if way < 0.5:
            return ()
        return rules.CLASSES if way < 0.75 else tuple(draw.sample(rules.CLASSES, draw.randrange(1, 9)))
