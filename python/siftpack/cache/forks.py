"""What must be made anew in a forked child: locks that another thread held, sockets that belong to the parent."""

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """Something with state that a child must not share."""

    def after_fork(self) -> None:
        """Make locks, sockets and the like anew; called in the child, while it has one thread."""


_members: "weakref.WeakSet[Forked]" = weakref.WeakSet()


def register(member: Forked) -> None:
    """Have ``member.after_fork`` called in every forked child, as long as the member lives."""
    _members.add(member)


def _in_child() -> None:
    for member in list(_members):
        member.after_fork()


os.register_at_fork(after_in_child=_in_child)
