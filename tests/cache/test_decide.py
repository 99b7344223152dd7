"""Decisions that need no store."""

import builtins

import pytest
import redis.exceptions as redis_errors
import valkey.exceptions as valkey_errors
from redis.sentinel import MasterNotFoundError

from siftpack.cache.decide import Verdict, described, distrusts, milliseconds, passes, verdict, weighs

TABLE = [
    (redis_errors.ConnectionError(), "unreachable"),
    (redis_errors.TimeoutError(), "unreachable"),
    (valkey_errors.ConnectionError(), "unreachable"),
    (builtins.ConnectionRefusedError(), "unreachable"),
    (builtins.TimeoutError(), "unreachable"),
    (OSError(), "unreachable"),
    (redis_errors.MaxConnectionsError(), "busy"),
    (redis_errors.AuthenticationError(), "auth"),
    (valkey_errors.AuthenticationError(), "auth"),
    (redis_errors.AuthorizationError(), "auth"),
    (redis_errors.NoPermissionError(), "bug"),
    (redis_errors.ResponseError("WRONGTYPE"), "bug"),
    (redis_errors.DataError(), "bug"),
    (redis_errors.OutOfMemoryError(), "full"),
    (redis_errors.ReadOnlyError(), "readonly"),
    (redis_errors.BusyLoadingError(), "unhealthy"),
    (redis_errors.MasterDownError("down"), "unhealthy"),
    (redis_errors.ClusterDownError("down"), "unhealthy"),
    (redis_errors.TryAgainError(), "unhealthy"),
    (redis_errors.MovedError("1 h:1"), "unhealthy"),
    (redis_errors.AskError("1 h:1"), "unhealthy"),
    (redis_errors.ClusterError(), "unhealthy"),
    (redis_errors.RedisClusterException(), "unhealthy"),
    (redis_errors.InvalidResponse(), "garbled"),
    (ValueError(), "garbled"),
    (UnicodeDecodeError("utf-8", b"", 0, 1, "?"), "garbled"),
    (RecursionError(), "garbled"),
    (OverflowError(), "garbled"),
    (RuntimeError(), "not_ours"),
    (KeyboardInterrupt(), "not_ours"),
]


@pytest.mark.parametrize(
    ("error", "word"), TABLE, ids=lambda case: type(case).__name__ if not isinstance(case, str) else case
)
def test_what_errors_mean(error: BaseException, word: str) -> None:
    """The table of conditions: each class of the clients has one meaning."""
    assert verdict(error).value == word


def test_a_name_alone_is_no_error_of_a_client() -> None:
    """A class of yours that is called like one of theirs, or inherits one of theirs, passes through."""

    class TimeoutError(Exception):  # noqa: A001 - the name is the point
        pass

    class Deadline(builtins.TimeoutError):
        pass

    assert verdict(TimeoutError()) is Verdict.NOT_OURS
    assert verdict(Deadline()) is Verdict.NOT_OURS


def test_a_login_that_a_group_of_servers_hides() -> None:
    """A cluster's error is about a password if its cause is, and one of sentinels if one of them said so."""
    for cause, word in ((redis_errors.AuthenticationError("no"), "auth"), (redis_errors.TimeoutError(), "unhealthy")):
        error = redis_errors.RedisClusterException("cannot be connected")
        error.__cause__ = cause
        assert verdict(error).value == word
    for words, word in (("s - auth:AuthenticationError", "auth"), ("s - server:TimeoutError", "unreachable")):
        assert verdict(MasterNotFoundError(f"No master found for 'main' : {words}")).value == word
    assert verdict(redis_errors.ConnectionError("AuthenticationError")) is Verdict.UNREACHABLE


def test_what_follows_from_a_verdict() -> None:
    """Each verdict either passes, or weighs on the breaker, or neither; few make connections suspect."""
    assert {found for found in Verdict if passes(found)} == {Verdict.AUTH, Verdict.BUG, Verdict.NOT_OURS}
    assert {found for found in Verdict if weighs(found)} == {Verdict.UNREACHABLE, Verdict.UNHEALTHY, Verdict.READONLY}
    assert {found for found in Verdict if distrusts(found)} == {Verdict.GARBLED, Verdict.READONLY}


def test_milliseconds() -> None:
    """Seconds become whole milliseconds, at least one."""
    assert [milliseconds(ttl) for ttl in (None, 1, 0.0001, 1.5, 3600)] == [None, 1000, 1, 1500, 3_600_000]


def test_errors_are_described_without_their_words() -> None:
    """A log names the type of an error; its message may hold values and addresses."""
    assert described(redis_errors.ConnectionError("redis://:password@host")) == "redis.exceptions.ConnectionError"
