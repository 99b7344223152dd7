from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, final

from siftpack.listed import Listed, Types
from siftpack.policy import Kind, Limits, Policy
from siftpack.report import Finding, Report

__all__ = [
    "Names",
    "RawFindings",
    "Rules",
    "dumps",
    "dumps_behind",
    "dumps_with_report",
    "fingerprint",
    "fingerprint_with_report",
    "forget_plans",
    "inspect",
    "loads",
    "packb",
    "packb_with_report",
    "sanitize",
    "secret_name",
    "secret_value",
    "unpack_from",
    "unpackb",
]

_Types: TypeAlias = Iterable[type] | Mapping[str, type] | Types

def packb(
    obj: Any, /, *, policy: Policy | None = None, types: _Types | None = None, limits: Limits | None = None
) -> bytes: ...
def packb_with_report(
    obj: Any, /, *, policy: Policy | None = None, types: _Types | None = None, limits: Limits | None = None
) -> tuple[bytes, Report]: ...
def dumps(
    obj: Any, /, *, policy: Policy | None = None, types: _Types | None = None, limits: Limits | None = None
) -> bytes: ...
def dumps_behind(
    obj: Any, head: bytes, /, *, policy: Policy | None = None, types: _Types | None = None, limits: Limits | None = None
) -> tuple[bytes, Report | None]: ...
def dumps_with_report(
    obj: Any, /, *, policy: Policy | None = None, types: _Types | None = None, limits: Limits | None = None
) -> tuple[bytes, Report]: ...
def fingerprint(
    obj: Any, /, *, policy: Policy | None = None, types: _Types | None = None, limits: Limits | None = None
) -> str: ...
def fingerprint_with_report(
    obj: Any, /, *, policy: Policy | None = None, types: _Types | None = None, limits: Limits | None = None
) -> tuple[str, Report]: ...
def sanitize(
    obj: Any, /, *, policy: Policy | None = None, types: _Types | None = None, limits: Limits | None = None
) -> Any: ...
def inspect(
    obj: Any, /, *, policy: Policy | None = None, types: _Types | None = None, limits: Limits | None = None
) -> Report: ...
def unpackb(
    data: bytes | bytearray | memoryview, /, *, types: _Types | None = None, limits: Limits | None = None
) -> Any: ...
def loads(
    data: bytes | bytearray | memoryview, /, *, types: _Types | None = None, limits: Limits | None = None
) -> Any: ...
def unpack_from(data: bytes, at: int, /, *, types: _Types | None = None, limits: Limits | None = None) -> Any: ...
def forget_plans() -> None: ...
def secret_name(name: str, /) -> bool: ...
def secret_value(value: str | bytes, /, *, whole: bool) -> bool: ...

@final
class RawFindings:
    def findings(self) -> list[Finding]: ...
    def counts(self) -> dict[Kind, int]: ...
    def cut(self) -> bool: ...

@final
class Rules:
    def __new__(
        cls,
        patterns: list[tuple[list[tuple[int, Any]], int]],
        default: Callable[[Any], Any] | None,
        flags: tuple[bool, bool, int],
        longest: int | None,
        emptied: int,
    ) -> Rules: ...

@final
class Names:
    def __new__(cls, rows: list[tuple[type, str, list[str], bool, Listed]]) -> Names: ...
