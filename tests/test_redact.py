"""Which names are those of secrets, and where their values are masked."""

from typing import Any

import pydantic
import pytest

from siftpack.policy import Action, Kind, Policy
from siftpack.redact import secret_name, words
from siftpack.report import Tombstone
from siftpack.testing.zoo import Frozen, Held, Model, Opaque, Pair, SlotBase, slotted

SECRET = (
    *(
        "password",
        "PASSWORD",
        "db_password",
        "passwd",
        "pwd",
        "passphrase",
        "apiKey",
        "api_key",
        "API-KEY",
        "openai_api_key",
    ),
    *(
        "OPENAI_API_KEY",
        "openaiApiKey",
        "xApiKey",
        "x-api-key",
        "secret",
        "client_secret",
        "clientSecret",
        "access_token",
    ),
    *(
        "accessToken",
        "refresh_token",
        "id_token",
        "sessionToken",
        "authorization",
        "Authorization",
        "proxy-authorization",
    ),
    *(
        "cookie",
        "cookies",
        "set-cookie",
        "private_key",
        "privateKey",
        "token",
        "Token",
        "TOKEN",
        "bearer",
        "jwt",
        "JWT",
    ),
    *(
        "aws_secret_access_key",
        "credentials",
        "credential",
        "_password",
        "__token",
        "password_",
        "signing_key",
        "HTTPCookie",
    ),
    *("passwords", "secrets", "password2", "passwordHash", "apikey", "APIKEYS", "x-goog-api-key", "privateKeyPem"),
    *("service_account_json", "creds", "access_tokens", "GITHUB_TOKEN", "csrf-token", "auth_header", "basicAuth"),
    *("azure_storage_connection_string", "seedPhrase", "recovery_codes", "PGPASSWORD", "smtp_pass"),
)
OPEN = (
    *("input_tokens", "token_usage", "max_tokens", "tokens", "tokenizer", "token_count", "output_token", "secretary"),
    *(
        "secrets_manager",
        "password_hint",
        "key",
        "keys",
        "api",
        "primary_key",
        "author",
        "authorized",
        "name",
    ),
    *(
        "cookie_policy",
        "is_secret_shared",
        "bypass",
        "compass",
        "jwt_issuer",
        "tokenise",
        "",
        "_",
        "пароль",
        "pass word s",
    ),
    *("api_key_id", "access_key_id", "public_key", "account_key", "session_key", "session_id", "eos_token", "auth"),
    *(
        "next_page_token",
        "session_tokens",
        "dsn",
        "pass",
        "first_pass",
        "connection",
        "signature",
        "secret_name",
        "pin",
    ),
)


@pytest.mark.parametrize("name", SECRET)
def test_secret_names(subject: Any, name: str) -> None:
    """A field of such a name is masked in an opaque object, unless it is private or says nothing."""
    assert secret_name(name)
    value = Opaque(kept=1, **{name: "v"})
    expected = {"kept": 1} if name.startswith("_") else {"kept": 1, name: Tombstone(Kind.SECRET, "str")}
    assert subject.sanitize(value) == expected
    assert subject.unpackb(subject.packb(value)) == expected


@pytest.mark.parametrize("name", OPEN)
def test_names_that_only_look_like_it(subject: Any, name: str) -> None:
    """A field of such a name is kept."""
    assert not secret_name(name)
    expected = {"kept": 1} if name.startswith("_") else {"kept": 1, name: "v"}
    assert subject.sanitize(Opaque(kept=1, **{name: "v"})) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *(("apiKey", "api_key"), ("API-KEY", "api_key"), ("HTTPServerError", "http_server_error"), ("__a__b", "a_b")),
        *(("x2Y", "x2_y"), ("ABC", "abc"), ("", ""), ("éKey", "key")),
    ],
)
def test_words_of_a_name(name: str, expected: str) -> None:
    """A name is split at separators and changes of case."""
    assert words(name) == expected


def test_a_very_long_name_is_no_secret(subject: Any) -> None:
    """A name beyond 128 characters is not looked at, exactly there."""
    for size, masked in ((128, True), (129, False)):
        name = "x" * (size - 9) + "_password"
        assert secret_name(name) is masked
        assert (type(subject.sanitize(Opaque(**{name: 1}))[name]) is Tombstone) is masked


MASKED = Tombstone(Kind.SECRET, "str")
HOLDERS = {
    "dataclass": (Held(1, api_key="v"), {"a": 1, "api_key": MASKED, "input_tokens": 7}),
    "namedtuple": (Pair(1, "v"), {"left": 1, "password": MASKED}),
    "pydantic": (Model(a=1, token="v"), {"a": 1, "token": MASKED}),
    "pydantic extra": (Model(a=1, session_token="v"), {"a": 1, "token": None, "session_token": MASKED}),
    "slots": (slotted(1, "v"), {"kept": 1, "secret": MASKED, "loose": 1}),
}


@pytest.mark.parametrize("name", sorted(HOLDERS))
def test_fields_of_objects_are_masked(subject: Any, name: str) -> None:
    """Secret-named fields of records and opaque objects are masked and reported, None and bools stay."""
    value, expected = HOLDERS[name]
    assert subject.sanitize(value) == expected
    assert subject.inspect(value).counts[Kind.SECRET] == 1


@pytest.mark.parametrize("kept", [None, True, False])
def test_values_that_tell_nothing_stay(subject: Any, kept: Any) -> None:
    """A secret-named field that is None or a bool is no secret."""
    assert subject.sanitize(Opaque(password=kept)) == {"password": kept}
    assert subject.inspect(Held(1, api_key=kept)).clean


def test_what_is_put_in_a_dict_comes_back(subject: Any) -> None:
    """Dict entries are data whatever their keys are called."""
    value = {"password": "v", "nested": {"api_key": "k"}}
    assert subject.sanitize(value) == value
    assert subject.inspect(value).clean


def test_secret_types_are_masked_everywhere(subject: Any) -> None:
    """SecretStr and its like are tombstones in dicts, lists and records, and never keys."""
    secret = pydantic.SecretStr("hunter2")
    stone = Tombstone(Kind.SECRET, "pydantic.types.SecretStr")
    assert subject.sanitize({"a": secret, "b": [secret], "c": Frozen(secret)}) == {
        "a": stone,
        "b": [stone],
        "c": {"a": stone, "b": None},
    }
    assert subject.sanitize({secret: 1, "a": 2}) == {"a": 2}
    assert b"hunter2" not in subject.packb([secret, {"x": pydantic.SecretBytes(b"hunter2")}])


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Action.DROP, {"kept": 1}),
        (Action.NAME, {"kept": 1, "secret": "<secret str>"}),
        (Action.TOMBSTONE, {"kept": 1, "secret": MASKED}),
    ],
)
def test_actions_of_a_secret(subject: Any, action: Action, expected: Any) -> None:
    """A secret can be dropped, named or marked, never kept."""
    value = SlotBase()
    value.kept, value.secret = 1, "v"
    assert subject.sanitize(value, policy=Policy({Kind.SECRET: action})) == expected


def test_a_masked_field_inside_a_key(subject: Any) -> None:
    """A record as a key keeps its place with the mask in it, or leaves when secrets are dropped."""
    value = {Pair(1, "v"): 2}
    assert subject.sanitize(value) == {(1, MASKED): 2}
    assert subject.sanitize(value, policy=Policy({Kind.SECRET: Action.DROP})) == {}
    assert b"vvvv" not in subject.packb({Held(1, api_key="vvvv"): 1})


def test_a_masked_value_is_clean(subject: Any) -> None:
    """A mask passes a second walk without a finding."""
    once = subject.sanitize([Held(1, api_key="v")])
    assert subject.inspect(once).clean
    assert subject.sanitize(once) == once
