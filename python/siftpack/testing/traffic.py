"""Checked traffic: workers that use a cache as many users would, and know what every answer must be.

Each worker writes keys that are its own, so it knows exactly what they hold, and reads those of others, whose values
say for whom and for what they were written. The plan of a worker is the same for the synchronous and the asyncio cache.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from siftpack.cache.entries import MISSING

USERS: Final = 200
KEYS: Final = 4


class Op(NamedTuple):
    """One operation: for whom, which, with what, and what is right about its answer."""

    user: str
    method: str
    args: tuple[Any, ...]
    options: dict[str, Any]
    right: Callable[[Any], bool]
    done: Callable[[], None]
    touched: tuple[str, str] | None


class Worker:
    """``number`` of ``count`` workers, who together act for all users, each for at least four.

    ``strict`` says that a value which was written must be there.
    """

    def __init__(self, number: int, count: int, *, strict: bool = True, seed: int = 0) -> None:
        self.number = number
        self.checked = 0
        self.wrong: list[str] = []
        self.counts: Counter[str] = Counter()
        self._count = count
        self._users = max(4, -(-USERS // count))
        self._strict = strict
        self._random = random.Random(f"{seed}:{number}")
        self._kept: dict[tuple[str, str], Any] = {}
        self._age: Counter[tuple[str, int]] = Counter()
        self._serial = 0

    def next(self) -> Op:
        """What to do now."""
        user = self._user(self.number)
        slot = self._random.randrange(KEYS)
        key = self._key(self.number, slot, self._age[user, slot])
        draw = self._random.random()
        if draw < 0.30:
            return self._set(user, key, only_if_absent=draw < 0.03)
        if draw < 0.65:
            return self._get(user, key)
        if draw < 0.70:
            return self._delete(user, key)
        if draw < 0.75:
            return self._get_many(user)
        other = self._random.randrange(self._count)
        return self._look(self._user(other), self._key(other, slot, 0))

    def check(self, op: Op, answer: Any) -> None:
        """Looks at the answer, and remembers what was done."""
        self.checked += 1
        self.counts[op.method] += 1
        if not op.right(answer):
            self.wrong.append(f"{op.method} {op.args[0]!r} of {op.user}: {answer!r:.200}")
        op.done()

    def torn(self, op: Op) -> None:
        """The operation was interrupted: whatever it wrote to may be in either state, and is used no more."""
        self.counts["torn"] += 1
        if op.touched is not None:
            user, key = op.touched
            self._kept.pop((user, key), None)
            slot = int(key.split("-")[1])
            self._age[user, slot] += 1

    def _user(self, number: int) -> str:
        return f"user-{(number * self._users + self._random.randrange(self._users)) % USERS}"

    def _key(self, number: int, slot: int, age: int) -> str:
        return f"w{number}-{slot}-{age}: {{x}}*"

    def _value(self, user: str, key: str) -> dict[str, Any]:
        self._serial += 1
        text = "x" * self._random.choice((0, 10, 100, 1000))
        return {"user": user, "key": key, "serial": self._serial, "tags": ("a", 1, None), "text": text}

    def _right(self, user: str, key: str, answer: Any) -> bool:
        expected = self._kept.get((user, key), MISSING)
        return answer == expected or (not self._strict and answer is MISSING)

    def _get(self, user: str, key: str) -> Op:
        return Op(user, "get", (key,), {}, lambda answer: self._right(user, key, answer), lambda: None, None)

    def _set(self, user: str, key: str, *, only_if_absent: bool) -> Op:
        value = self._value(user, key)
        was = self._kept.get((user, key), MISSING)
        taken = was is MISSING or not only_if_absent

        def done() -> None:
            if taken:
                self._kept[user, key] = value

        return Op(
            user,
            "set",
            (key, value),
            {"only_if_absent": only_if_absent},
            lambda answer: answer is taken or not self._strict,
            done,
            (user, key),
        )

    def _delete(self, user: str, key: str) -> Op:
        was = (user, key) in self._kept
        return Op(
            user,
            "delete",
            (key,),
            {},
            lambda answer: answer is was or not self._strict,
            lambda: self._kept.pop((user, key), None) and None,
            (user, key),
        )

    def _get_many(self, user: str) -> Op:
        keys = [self._key(self.number, slot, self._age[user, slot]) for slot in range(KEYS)]

        def right(answer: Any) -> bool:
            return answer.keys() <= set(keys) and all(self._right(user, key, answer.get(key, MISSING)) for key in keys)

        return Op(user, "get_many", (keys,), {}, right, lambda: None, None)

    def _look(self, user: str, key: str) -> Op:
        def right(answer: Any) -> bool:
            return answer is MISSING or (answer["user"], answer["key"]) == (user, key)

        return Op(user, "get", (key,), {}, right, lambda: None, None)


def drive(cache: Any, worker: Worker, operations: int) -> None:
    """A synchronous worker's run."""
    for _ in range(operations):
        op = worker.next()
        face = cache.for_user(op.user)
        worker.check(op, getattr(face, op.method)(*op.args, **op.options))


async def drive_async(cache: Any, worker: Worker, operations: int) -> None:
    """An asyncio worker's run."""
    for _ in range(operations):
        op = worker.next()
        face = cache.for_user(op.user)
        worker.check(op, await getattr(face, op.method)(*op.args, **op.options))
