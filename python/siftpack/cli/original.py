"""The chain that siftpack replaces, told in short: JSON, else pickle, else ``str``; contexts by deepcopy."""

import copy
import json
import pickle
from typing import Any


class OriginalCache:
    """Keeps values as the first of the three gives them, and reads them back by trying again in the same order."""

    def __init__(self) -> None:
        self._entries: dict[str, bytes] = {}

    def set(self, key: str, value: Any) -> None:
        """Keep a value, in whatever form."""
        try:
            data = json.dumps(value).encode()
        except (TypeError, ValueError, RecursionError):
            try:
                data = pickle.dumps(value)
            except Exception:  # noqa: BLE001 - as the chain does
                data = str(value).encode("utf-8", "replace")
        self._entries[key] = data

    def get(self, key: str) -> Any:
        """What comes back, None if there is nothing. Runs what a pickle says."""
        data = self._entries.get(key)
        if data is None:
            return None
        try:
            return json.loads(data)
        except ValueError:
            try:
                return pickle.loads(data)  # noqa: S301 - as the chain does, on what it wrote itself
            except Exception:  # noqa: BLE001 - as the chain does
                return data.decode("utf-8", "replace")


def child(context: Any) -> Any:
    """A copy of a context for one operation. Raises whatever in it refuses."""
    return copy.deepcopy(context)
