"""Foreign code that gets in by itself: from another thread, and from a hook at the calls of our own functions."""

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

Hook = Callable[[Any], None]


def ours(frame: Any) -> bool:
    """True for a function of the package."""
    return bool(frame.f_globals.get("__name__", "").startswith("siftpack"))


@contextlib.contextmanager
def at_calls(
    change: Callable[[], None], wanted: Callable[[Any], bool] = ours, install: Hook = sys.setprofile
) -> Iterator[None]:
    """Whenever a function that is wanted is called, a profile or trace hook changes something."""

    def hook(frame: Any, event: str, argument: Any) -> None:
        if event == "call" and wanted(frame):
            install(None)
            change()
            install(hook)

    install(hook)
    try:
        yield
    finally:
        install(None)


@contextlib.contextmanager
def beside(change: Callable[[], None]) -> Iterator[None]:
    """A second thread changes something whenever it gets a turn, which is often."""
    done, interval = threading.Event(), sys.getswitchinterval()

    def work() -> None:
        while not done.is_set():
            change()
            time.sleep(0)

    thread = threading.Thread(target=work)
    sys.setswitchinterval(1e-6)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        sys.setswitchinterval(interval)
