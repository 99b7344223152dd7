"""A serializer with its own policy, limits and compression: what a cache layer expects."""

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from siftpack import _core, wire
from siftpack.errors import PolicyError
from siftpack.listed import Types, types_of
from siftpack.policy import DEFAULT, Limits, Policy
from siftpack.report import Report

COMPRESSED_FROM = 512
"""Size of a frame, in bytes, from which compression is tried."""
_LEVEL = 1
_LIMITS = Limits()


class Serializer:
    """``dumps`` and ``loads`` with fixed options. Instances are immutable and safe to share between threads.

    ``types`` are the classes that come back as themselves, as ``packb`` takes them. ``compression="zlib"`` writes a
    payload of ``COMPRESSED_FROM`` bytes or more compressed where that makes it smaller; every serializer reads both.

    Raises ``PolicyError`` for options that are not what they should be.
    """

    __slots__ = ("_compress", "_limits", "_policy", "_types")

    def __init__(
        self,
        *,
        policy: Policy = DEFAULT,
        types: Iterable[type] | Mapping[str, type] | Types = (),
        limits: Limits = _LIMITS,
        compression: Literal["zlib"] | None = None,
    ) -> None:
        if type(policy) is not Policy or type(limits) is not Limits:
            raise PolicyError("Serializer takes a Policy and Limits")
        if compression not in (None, "zlib"):
            raise PolicyError("compression is None or 'zlib'")
        self._policy = policy
        self._types = types_of(types)
        self._limits = limits
        self._compress = compression is not None

    def dumps(self, obj: Any, /) -> bytes:
        """The frame of any object. Raises ``EncodeError``, ``LimitExceeded``, ``MemoryError``."""
        return self._finish(_core.dumps(obj, policy=self._policy, types=self._types, limits=self._limits))

    def dumps_with_report(self, obj: Any, /) -> tuple[bytes, Report]:
        """``dumps``, and the report of what was left out."""
        frame, report = _core.dumps_with_report(obj, policy=self._policy, types=self._types, limits=self._limits)
        return self._finish(frame), report

    def loads(self, data: bytes | bytearray | memoryview, /) -> Any:
        """The value in a frame. Raises ``FrameError``, ``DecodeError``."""
        return _core.loads(data, types=self._types, limits=self._limits)

    def _finish(self, frame: bytes) -> bytes:
        if not self._compress or len(frame) < COMPRESSED_FROM:
            return frame
        payload = zlib.compress(memoryview(frame)[wire.FRAME_HEADER :], _LEVEL)
        if len(payload) + wire.FRAME_HEADER >= len(frame):
            return frame
        magic, version, flags, key_id = frame[: wire.FRAME_HEADER]
        return bytes((magic, version, flags | wire.FLAG_ZLIB, key_id)) + payload
