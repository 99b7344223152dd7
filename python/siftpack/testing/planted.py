"""Secrets to plant: well formed, drawn at random, worth nothing.

Every one of them is made up. Where the shape leaves room it says ``FaKe``, and hosts end in ``.invalid``.
"""

import base64
import json
import random
import string
import uuid
from collections.abc import Callable

Make = Callable[[random.Random], str]

_LETTERS = string.ascii_letters
_ALNUM = string.ascii_letters + string.digits
_URL = _ALNUM + "-_"
_BASE64 = _ALNUM + "+/"
_HEX = string.digits + "abcdef"
_BASE32 = string.ascii_uppercase + "234567"
_PASSWORD = _ALNUM + "!$^=."


def _draw(rng: random.Random, alphabet: str, size: int) -> str:
    return "".join(rng.choices(alphabet, k=size))


def _fake(rng: random.Random, alphabet: str, size: int) -> str:
    """Random characters with a word among them."""
    word = "FAKE" if "a" not in alphabet else "FaKe" if "0" not in alphabet else "FaKe0"
    return f"{_draw(rng, alphabet, 4)}{word}{_draw(rng, alphabet, size - 4 - len(word))}"


def _marked(mark: str, alphabet: str, size: int, end: str = "") -> Make:
    return lambda rng: f"{mark}{_fake(rng, alphabet, size)}{end}"


def _hex(mark: str, size: int) -> Make:
    return lambda rng: f"{mark}{_draw(rng, _HEX, size)}"


def _pem(label: str, start: str = "MII") -> Make:
    def make(rng: random.Random) -> str:
        lines = [
            start + _fake(rng, _BASE64, 64 - len(start)),
            *(_draw(rng, _BASE64, 64) for _ in range(rng.randrange(1, 24))),
        ]
        return "\n".join([f"-----BEGIN {label}-----", *lines, _draw(rng, _BASE64, 30) + "==", f"-----END {label}-----"])

    return make


def _armored(rng: random.Random) -> str:
    head, body, last = _pem("PGP PRIVATE KEY BLOCK", "lQ")(rng).partition("\n")
    return f"{head}{body}Comment: FAKE\n\n{last}"


def _encrypted(rng: random.Random) -> str:
    head, body, last = _pem("RSA PRIVATE KEY")(rng).partition("\n")
    return f"{head}{body}Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{_draw(rng, _HEX, 32).upper()}\n\n{last}"


def _json(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def _jwt(rng: random.Random) -> str:
    head = {"alg": rng.choice(("HS256", "RS256", "ES256")), "typ": "JWT"}
    body = {"iss": "https://fake.invalid", "sub": str(rng.randrange(10**9)), "exp": rng.randrange(10**9, 2 * 10**9)}
    return f"{_json(head)}.{_json(body)}.{_draw(rng, _URL, rng.choice((43, 86, 342)))}"


def _langfuse(rng: random.Random) -> str:
    return f"sk-lf-{uuid.UUID(int=rng.getrandbits(128), version=4)}"


def _slack_bot(rng: random.Random) -> str:
    return f"xoxb-{_draw(rng, string.digits, 12)}-{_draw(rng, string.digits, 13)}-{_fake(rng, _ALNUM, 24)}"


def _slack_user(rng: random.Random) -> str:
    groups = "-".join(_draw(rng, string.digits, 12) for _ in range(3))
    return f"xoxp-{groups}-{_draw(rng, _HEX, 32)}"


def _sendgrid(rng: random.Random) -> str:
    return f"SG.{_fake(rng, _URL, 22)}.{_draw(rng, _URL, 43)}"


def _openai(rng: random.Random) -> str:
    return f"sk-{_fake(rng, _ALNUM, 20)}T3BlbkFJ{_draw(rng, _ALNUM, 20)}"


def _langsmith(rng: random.Random) -> str:
    return f"lsv2_{rng.choice(('pt', 'sk'))}_{_draw(rng, _HEX, 32)}_{_draw(rng, _HEX, 10)}"


def _basic(rng: random.Random) -> str:
    user = f"fake{rng.randrange(1000)}:{_draw(rng, _ALNUM, rng.randrange(6, 30))}"
    return f"Basic {base64.b64encode(user.encode()).decode()}"


def _bearer(rng: random.Random) -> str:
    scheme = rng.choice(("Bearer", "bearer", "BEARER"))
    return f"{scheme} {rng.choice((_fake(rng, _URL, 40), _draw(rng, _HEX, 40)))}"


def _password(rng: random.Random) -> str:
    return _draw(rng, _LETTERS, 1) + _draw(rng, _PASSWORD, rng.randrange(1, 30)) + _draw(rng, string.digits, 1)


def _url(*schemes: str, user: str = "fake", rest: str = "/db") -> Make:
    def make(rng: random.Random) -> str:
        port = rng.choice(("", ":5432", ":65535"))
        return f"{rng.choice(schemes)}://{user}:{_password(rng)}@db{rng.randrange(99)}.fake.invalid{port}{rest}"

    return make


def _url_with_token(rng: random.Random) -> str:
    return f"https://ghp_{_fake(rng, _ALNUM, 36)}@git.fake.invalid/fake/fake.git"


def _url_encoded_password(rng: random.Random) -> str:
    return f"amqps://fake:p%40ss%2F{_draw(rng, _ALNUM, 6)}%3A@mq.fake.invalid:5671/%2F"


KINDS: dict[str, Make] = {
    "pem": _pem("PRIVATE KEY"),
    "pem rsa": _pem("RSA PRIVATE KEY"),
    "pem rsa encrypted": _encrypted,
    "pem ec": _pem("EC PRIVATE KEY"),
    "pem openssh": _pem("OPENSSH PRIVATE KEY", "b3BlbnNzaC1rZXktdjEA"),
    "pem encrypted": _pem("ENCRYPTED PRIVATE KEY"),
    "pgp": _armored,
    "jwt": _jwt,
    "openai": _openai,
    "openai project": _marked("sk-proj-", _URL, 148),
    "anthropic": _marked("sk-ant-api03-", _URL, 93, "AA"),
    "openrouter": _hex("sk-or-v1-", 64),
    "deepseek": _hex("sk-", 32),
    "langfuse": _langfuse,
    "litellm": _marked("sk-", _ALNUM, 22),
    "stripe live": _marked("sk_live_", _ALNUM, 24),
    "stripe test": _marked("sk_test_", _ALNUM, 99),
    "stripe restricted": _marked("rk_live_", _ALNUM, 24),
    "stripe webhook": _marked("whsec_", _ALNUM, 32),
    "aws access": _marked("AKIA", _BASE32, 16),
    "aws session": _marked("ASIA", _BASE32, 16),
    "google api": _marked("AIza", _URL, 34, "w"),
    "google access": _marked("ya29.a0A", _URL, 160),
    "google client": _marked("GOCSPX-", _URL, 27, "w"),
    "digitalocean": _hex("dop_v1_", 64),
    "github personal": _marked("ghp_", _ALNUM, 36),
    "github oauth": _marked("gho_", _ALNUM, 36),
    "github user": _marked("ghu_", _ALNUM, 36),
    "github app": _marked("ghs_", _ALNUM, 36),
    "github refresh": _marked("ghr_", _ALNUM, 76),
    "github fine-grained": lambda rng: f"github_pat_{_fake(rng, _ALNUM, 22)}_{_draw(rng, _ALNUM, 59)}",
    "gitlab": _marked("glpat-", _URL, 20),
    "npm": _marked("npm_", _ALNUM, 36),
    "pypi": _marked("pypi-AgEIcHlwaS5vcmc", _URL, 140),
    "slack bot": _slack_bot,
    "slack user": _slack_user,
    "sendgrid": _sendgrid,
    "twilio": _hex("SK", 32),
    "shopify": _hex("shpat_", 32),
    "huggingface": _marked("hf_", _LETTERS, 34),
    "groq": _marked("gsk_", _ALNUM, 52),
    "xai": _marked("xai-", _ALNUM, 80),
    "perplexity": _marked("pplx-", _ALNUM, 48),
    "nvidia": _marked("nvapi-", _URL, 64),
    "replicate": _marked("r8_", _ALNUM, 37),
    "tavily": _marked("tvly-dev-", _ALNUM, 32),
    "pinecone": lambda rng: f"pcsk_{_fake(rng, _ALNUM, 9)}_{_draw(rng, _ALNUM, 60)}",
    "jina": _marked("jina_", _ALNUM, 60),
    "langsmith": _langsmith,
    "vault": _marked("hvs.", _URL, 95),
    "age": _marked("AGE-SECRET-KEY-1", _BASE32, 58),
    "grafana": lambda rng: f"glsa_{_fake(rng, _ALNUM, 32)}_{_draw(rng, _HEX, 8)}",
    "notion": _marked("ntn_", _ALNUM, 46),
    "figma": _marked("figd_", _URL, 40),
    "linear": _marked("lin_api_", _ALNUM, 40),
    "supabase": _hex("sbp_", 40),
    "bearer": _bearer,
    "basic": _basic,
    "url postgres": _url("postgres", "postgresql", "postgresql+psycopg2", "jdbc:postgresql"),
    "url mongodb": _url("mongodb", "mongodb+srv", rest="/db?retryWrites=true&w=majority"),
    "url redis": _url("redis", "rediss", "valkey", user="", rest="/0"),
    "url http": _url("https", "http", "ftp", rest="/simple/index.html#top"),
    "url percent": _url_encoded_password,
    "url token": _url_with_token,
}
"""How each kind is made."""


def secrets(count: int, seed: int) -> list[tuple[str, str]]:
    """So many made-up secrets with the names of their shapes, each kind in its turn; the same for the same seed."""
    rng, kinds = random.Random(seed), list(KINDS.items())
    return [(name, make(rng)) for name, make in (kinds[at % len(kinds)] for at in range(count))]
