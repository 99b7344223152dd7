"""A thousand planted secrets in thirty places, none in any output; five hundred lookalikes, all kept."""

import enum
import json
import re
from collections import OrderedDict, UserDict, deque
from collections.abc import Callable
from dataclasses import dataclass, make_dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import attrs
import msgspec
import numpy as np
import pydantic
import pytest

from siftpack.errors import EncodeError
from siftpack.policy import DEFAULT, LOGGING, STRICT, Kind, Policy
from siftpack.testing.lookalikes import lookalikes
from siftpack.testing.planted import secrets
from siftpack.testing.zoo import Str

REDACT = Policy(redact=True)
Data = make_dataclass("Data", ["name", "api_key", "endpoint"])
Attrs = attrs.make_class("Attrs", ["name", "password"])


class Struct(msgspec.Struct):
    """A msgspec Struct."""

    access_token: str


class Named(NamedTuple):
    """A namedtuple."""

    user: str
    private_key: str


class Login(pydantic.BaseModel):
    """A model that takes extras."""

    model_config = pydantic.ConfigDict(extra="allow")
    user: str = "ada"


class Guarded(pydantic.BaseModel):
    """A model that hides its secrets itself."""

    key: pydantic.SecretStr
    raw: pydantic.SecretBytes


@dataclass(frozen=True)
class Key:
    """A record as a dict key."""

    client_secret: str


class Client:
    """An API client."""

    __slots__ = ("_session", "auth", "base_url", "name")

    def __init__(self, secret: str) -> None:
        self.name, self.base_url, self.auth, self._session = "client", secret, {"n": 1}, secret


def noted(secret: str) -> Exception:
    """An exception with a note, and another one behind it."""
    error = RuntimeError("failed")
    error.add_note(f"while calling with {secret}")
    error.__cause__ = ValueError(f"refused: {secret}", 401)
    return error


PULLED: dict[str, Callable[[str], Any]] = {
    "a client": Client,
    "a client below": lambda secret: {"runs": [(Client(secret),)]},
    "a field of an object": lambda secret: SimpleNamespace(name="x", api_key=secret),
    "an address": lambda secret: SimpleNamespace(name="x", endpoint=secret),
    "a private field": lambda secret: SimpleNamespace(name="x", _key=secret),
    "bytes of an object": lambda secret: SimpleNamespace(name="x", raw=secret.encode()),
    "a dataclass": lambda secret: Data("x", secret, "y"),
    "an innocent field": lambda secret: Data("x", None, secret),
    "attrs": lambda secret: Attrs("x", secret),
    "msgspec": Struct,
    "a namedtuple": lambda secret: Named("x", secret),
    "an extra of a model": lambda secret: Login(authorization=secret),
    "SecretStr": lambda secret: Guarded(key=secret, raw=secret.encode()),
    "a record as a key": lambda secret: {Key(secret): 1},
    "a record in a set": lambda secret: {Key(secret)},
    "an exception": lambda secret: PermissionError(f"401 for {secret}"),
    "arguments": lambda secret: ValueError("bad", secret, 3),
    "notes and causes": noted,
    "a group": lambda secret: ExceptionGroup("all failed", [ValueError(f"at {secret}")]),
}
"""Where a secret is pulled out of an object: masked by default."""
GIVEN: dict[str, Callable[[str], Any]] = {
    "a name": lambda secret: {"password": "plain words", "x": {"api_key": secret}},
    "a value": lambda secret: {"note": secret},
    "prose": lambda secret: {"note": f"please use {secret} for now"},
    "text in JSON": lambda secret: [json.dumps({"url": secret})],
    "a list": lambda secret: [1, [secret]],
    "a tuple": lambda secret: ({"k": (secret, 1)},),
    "a set": lambda secret: {1, secret},
    "a key": lambda secret: {secret: 1, "a": {secret: print}},
    "a key in a tuple": lambda secret: {("k", secret): 1},
    "bytes": lambda secret: {"headers": [(b"authorization", secret.encode())]},
    "a bytes key": lambda secret: {b"authorization": secret},
    "other containers": lambda secret: [deque([secret]), OrderedDict(a=secret), MappingProxyType({"a": secret})],
    "a wrapper": lambda secret: UserDict(a=secret),
    "a subclass of str": Str,
    "an enum": lambda secret: enum.Enum("Color", {"RED": secret}).RED,  # type: ignore[attr-defined]
    "an array of objects": lambda secret: np.array([secret, 1], dtype=object),
    "an object below": lambda secret: SimpleNamespace(rows=[{"note": f"see {secret}"}]),
}
"""Where a secret is the caller's own: masked where the policy redacts."""
PLANTED = secrets(1000, 585)


def traces(secret: str) -> list[str]:
    """The secret, and every long run of letters and digits in it."""
    return [secret, *re.findall(r"[A-Za-z0-9]{16,}", secret)]


def outputs(subject: Any, value: Any, policy: Policy) -> str:
    """Everything that comes out for a value, as text."""
    payload, report = subject.packb_with_report(value, policy=policy)
    shown = [payload.decode("latin-1"), str(report), repr(report), report._repr_html_(), json.dumps(report.to_dict())]
    shown += [repr(subject.unpackb(payload)), repr(subject.sanitize(value, policy=policy))]
    try:
        subject.packb(value, policy=STRICT.replace(redact=policy.redact))
    except EncodeError as raised:
        shown += [str(raised), repr(raised)]
    try:
        report.raise_if_lossy()
    except EncodeError as raised:
        shown.append(str(raised))
    return "\n".join(shown)


def test_there_are_as_many_as_promised() -> None:
    """A thousand different secrets, thirty places and more, five hundred lookalikes and more."""
    assert len({secret for _, secret in PLANTED}) == 1000
    assert len(PULLED) + len(GIVEN) >= 30
    assert len(lookalikes()) >= 500


@pytest.mark.parametrize("place", sorted(PULLED))
def test_what_is_pulled_out_of_objects_is_masked(subject: Any, place: str) -> None:
    """By default no secret of an object, record or exception is in any output, and each is reported."""
    number = sorted(PULLED).index(place)
    for shape, secret in PLANTED[number :: len(PULLED)]:
        value = PULLED[place](secret)
        text = outputs(subject, value, DEFAULT)
        assert not [trace for trace in traces(secret) if trace in text], (shape, place)
        assert not subject.inspect(value).clean


@pytest.mark.parametrize("place", sorted({**PULLED, **GIVEN}))
def test_where_the_policy_redacts_no_secret_is_left_anywhere(subject: Any, place: str) -> None:
    """With ``redact=True``, and for logs, no secret is in any output, wherever it was."""
    make = {**PULLED, **GIVEN}[place]
    number = sorted({**PULLED, **GIVEN}).index(place)
    for at, (shape, secret) in enumerate(PLANTED[number :: len(PULLED) + len(GIVEN)]):
        value = make(secret)
        policy = LOGGING if at % 4 == 0 else REDACT
        text = outputs(subject, value, policy)
        assert not [trace for trace in traces(secret) if trace in text], (shape, place)
        assert not subject.inspect(value, policy=policy).clean


def test_lookalikes_are_kept(subject: Any) -> None:
    """Innocent names and values come back as they were, from mappings where the policy redacts and from objects."""
    for name, value in lookalikes():
        assert subject.sanitize({name: value}, policy=REDACT) == {name: value}, (name, value)
        if name and not name.startswith("_"):
            assert subject.sanitize(SimpleNamespace(**{name: value})) == {name: value}, (name, value)
        assert Kind.SECRET not in subject.inspect({"x": [value]}, policy=REDACT).counts, (name, value)


def test_a_mapping_is_the_callers_own(subject: Any) -> None:
    """What was put into a dict, list or tuple comes back whole unless the policy redacts."""
    for _, secret in PLANTED[:50]:
        value = {"password": secret, "rows": [(secret,)], "bytes": secret.encode()}
        assert subject.unpackb(subject.packb(value)) == value
