"""The semantics in readable pure Python: the specification in code, the oracle of the tests, the baseline.

Two steps where the core takes one: ``sift`` makes a clean tree of builtins and values, ``encode`` writes it. A
fingerprint takes a third: ``digest`` reads what ``encode`` wrote.
Recursive, so a deep graph needs a recursion limit to match; slow, and meant to be.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from siftpack.listed import types_of
from siftpack.policy import DEFAULT, Limits, Policy
from siftpack.reference.decode import decode
from siftpack.reference.encode import encode
from siftpack.reference.fingerprint import digest
from siftpack.reference.record import finished
from siftpack.reference.sift import sift
from siftpack.report import Report

_LIMITS = Limits()
_Types = Iterable[type] | Mapping[str, type]


def packb(obj: Any, /, *, policy: Policy = DEFAULT, types: _Types = (), limits: Limits = _LIMITS) -> bytes:
    """What ``siftpack.packb`` writes. Raises ``EncodeError``, ``LimitExceeded``."""
    return packb_with_report(obj, policy=policy, types=types, limits=limits)[0]


def packb_with_report(
    obj: Any, /, *, policy: Policy = DEFAULT, types: _Types = (), limits: Limits = _LIMITS
) -> tuple[bytes, Report]:
    """What ``siftpack.packb_with_report`` gives."""
    clean, found = sift(obj, policy, limits, types_of(types))
    return encode(clean, limits), Report(found)


def fingerprint(obj: Any, /, *, policy: Policy = DEFAULT, types: _Types = (), limits: Limits = _LIMITS) -> str:
    """What ``siftpack.fingerprint`` gives. Raises what ``packb`` raises, and ``ImportError`` without ``blake3``."""
    return fingerprint_with_report(obj, policy=policy, types=types, limits=limits)[0]


def fingerprint_with_report(
    obj: Any, /, *, policy: Policy = DEFAULT, types: _Types = (), limits: Limits = _LIMITS
) -> tuple[str, Report]:
    """What ``siftpack.fingerprint_with_report`` gives."""
    payload, report = packb_with_report(obj, policy=policy, types=types, limits=limits)
    return digest(payload), report


def sanitize(obj: Any, /, *, policy: Policy = DEFAULT, types: _Types = (), limits: Limits = _LIMITS) -> Any:
    """What ``siftpack.sanitize`` gives."""
    return finished(sift(obj, policy, limits, types_of(types), building=True)[0])


def inspect(obj: Any, /, *, policy: Policy = DEFAULT, types: _Types = (), limits: Limits = _LIMITS) -> Report:
    """What ``siftpack.inspect`` gives."""
    return Report(sift(obj, policy, limits, types_of(types))[1])


def unpackb(data: bytes, /, *, types: _Types = (), limits: Limits = _LIMITS) -> Any:
    """What ``siftpack.unpackb`` gives. Raises ``DecodeError``."""
    return decode(bytes(data), limits, types_of(types))
