"""Names and values that only look like secrets: each of them must be kept."""

import base64
import random
import string
import uuid
from collections.abc import Iterator
from typing import Any

Pair = tuple[str, Any]

_USAGE = (
    "input output prompt completion total max min cached reasoning audio image thinking cache_read cache_creation "
    "accepted_prediction rejected_prediction estimated remaining available context_window"
).split()
_COUNTERS = (
    "token_usage token_count token_limit token_budget tokens_per_second tokens_left num_tokens n_tokens maxTokens "
    "totalTokens inputTokenCount tokenUsage promptTokens max_new_tokens max_tokens_to_sample token_index "
    "token_position token_offset token_ids token_type_ids token_logprobs top_logprobs tokenized tokenizer_size "
    "secretary_count"
).split()
_WORDS = {
    "tokenizer": "cl100k_base tiktoken sentencepiece BertTokenizerFast",
    "eos_token": "</s> <|endoftext|> <|im_end|> [SEP]",
    "pad_token": "[PAD] <pad> <|finetune_right_pad_id|>",
    "bos_token": "<s> <|begin_of_text|> [CLS]",
    "unk_token": "[UNK] <unk>",
    "mask_token": "[MASK] <mask>",
    "token_type": "bearer Bearer access id_token refresh",
    "next_page_token": "CAUQAA CiAKGjBpNDd2Nmp2Zml2cXRwYjBpOXA page-2",
    "secretary": "Ada Anna",
    "secret_santa": "Ben",
    "secretion_rate": "low",
    "password_policy": "at-least-12-characters rotate-every-90-days",
    "password_hint": "the-street-of-the-school",
    "password_strength": "strong weak",
    "password_changed_at": "2024-02-29T12:00:00Z",
    "password_reset_url": "https://example.com/reset",
    "forgot_password_text": "Forgot?",
    "cookie_policy": "strict lax",
    "cookie_consent": "given refused",
    "cookies_enabled": "yes no",
    "authorization_url": "https://login.example.com/oauth2/authorize",
    "authorization_endpoint": "https://login.example.com/oauth2/v2.0/authorize",
    "authorized_by": "ada ben",
    "author": "ada ben",
    "authority": "https://login.example.com/common",
    "auth_type": "oauth2 basic none",
    "auth_method": "client_credentials",
    "auth_provider": "google github",
    "api_key_id": "key_01 key_02",
    "api_key_name": "ci nightly",
    "api_key_header": "X-Api-Key",
    "access_key_id": "the-first",
    "access_level": "reporter owner",
    "private_key_path": "keys/id_ed25519 C:\\keys\\server.pem",
    "public_key_id": "k1 k2",
    "key_type": "rsa ed25519",
    "primary_key": "id user_id",
    "foreign_key": "orders.user_id",
    "sort_key": "created_at",
    "partition_key": "tenant#42",
    "keyboard": "qwerty",
    "monkey": "capuchin",
    "session_id": "sess-42",
    "credential_type": "x509",
    "credentials_url": "https://example.com/where-to-find-them",
    "jwt_issuer": "https://login.example.com/",
    "jwt_algorithm": "RS256 ES256",
    "jwks_uri": "https://login.example.com/keys",
    "bearer_format": "JWT",
    "compass": "north",
    "bypass": "never",
    "connection_name": "primary",
    "signature": "def f(a: int) -> str",
}
_PROSE = (
    "The bearer of this letter is known to us and of-good-character-and-standing.",
    "Bearer authentication is described in RFC 6750.",
    "bearer responsibilities-and-duties-of-the-office",
    "Send it as Authorization: Bearer <token>, please.",
    "Authorization: Bearer ${API_TOKEN}",
    "Authorization: Bearer YOUR_ACCESS_TOKEN_GOES_HERE",
    "Authorization: Bearer xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "Authorization: Bearer ********************************",
    "WWW-Authenticate: Bearer realm=example",
    "Basic understanding of thermodynamics is required.",
    "Basic Authentication, Digest Authentication and friends",
    "basic internationalization",
    "Basic configuration/installation",
    "Visual Basic programmers",
    'A JWT begins with eyJ because that is how {" looks in base64.',
    "eyJ",
    "eyJ.eyJ.eyJ",
    "header.payload.signature",
    "eyJhbGciOiJIUzI1NiJ9 is only the header",
    "eyJpZCI6MTIsImNyZWF0ZWQiOiIyMDI0LTAxLTAxIn0",
    "Keys begin with sk- or with sk_live_ and are shown once.",
    "It matches sk-[a-zA-Z0-9]{48} and nothing else.",
    "sk-...abcd",
    "sk-****************************************abcd",
    "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "sk-your-api-key-goes-right-here",
    "sk-proj-your-project-api-key-goes-here",
    "sk_test_your_key_here",
    "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "ghp_your_personal_access_token_goes_here",
    "github_pat_your_fine_grained_personal_access_token",
    "glpat-your-personal-access-token",
    "xoxb-your-bot-token-goes-here",
    "hf_your_token_comes_here_after_the_login",
    "AKIAXXXXXXXXXXXXXXXX",
    "MAKIAVELLIANPRINCIPLE",
    "TEMAKIASSORTMENTOFTHEDAY1",
    "ASIAPACIFIC",
    "ASIA PACIFIC AND JAPAN",
    "AIza is how those keys begin",
    "An ASIAN-PACIFIC breakfast for two",
    "SKU-100200300-BLACK",
    "SKYSCANNER",
    "SG.GP.AX",
    "SG.siemens.internal.network.configuration.of.the.building.management.system",
    "A private key begins with -----BEGIN RSA PRIVATE KEY----- and ends with -----END RSA PRIVATE KEY-----.",
    'if line == "-----BEGIN OPENSSH PRIVATE KEY-----":',
    "'-----BEGIN PRIVATE KEY-----\\n'",
    "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\n<your key>\n-----END PRIVATE KEY-----",
    "Call +49 30 901820 or +1-202-555-0143 between 9:00 and 17:00.",
    "ISBN 978-3-16-148410-0, ISBN-10 0-306-40615-2, EAN 4006381333931",
    "IBAN DE89 3704 0044 0532 0130 00",
    "4 tokens in, 12 tokens out; password: see the vault",
    "Das Passwort steht nicht hier. 密码不在这里。",
    "访问http://localhost:8080\uff0c邮箱是ada@example.com",
)
_CSS = (
    "learn learn-contrib toggleable toggleable-content toggleable__label toggleable__label-arrow estimator "
    "estimator-doc-link estimator-id-1 container-id-12 top-container hidden--visually parallel-item text-repr-fallback "
    "serial item dashed-wrapped fading-circle folding-cube cube-grid SK SK-Standard-A SK-Wavenet-B "
    "SK-Chirp3-HD-Achernar toggleable-content-with-a-very-long-name-indeed "
    "container-2024-01-01-and-2024-02-02-in-between"
).split()
_URLS = (
    "http://localhost:8080/",
    "http://127.0.0.1:5432/@me",
    "https://example.com:8443/users/@ada/posts",
    "https://medium.com/@ada/a-title-3f2a1b",
    "https://example.com/?email=ada@example.com",
    "https://example.com/?next=https://example.org:80/a@b",
    "https://example.com/#user:name@place",
    "https://registry.npmjs.org/@types/node/-/node-20.1.0.tgz",
    "https://unpkg.com/react@18.2.0/umd/react.production.min.js",
    "https://cdn.jsdelivr.net/npm/vue@3:latest",
    "https://ada@example.com/private",
    "https://user@bitbucket.org/team/repo.git",
    "ssh://git@github.com:22/ada/repo.git",
    "git+ssh://git@github.com/ada/repo.git@main",
    "git@github.com:ada/repo.git",
    "ada@host.example.com:/srv/data",
    "mailto:ada@example.com",
    "mailto:ada@example.com?subject=a:b",
    "sip:ada@example.com:5060",
    "xmpp://ada@example.com/phone",
    "redis://localhost:6379/0",
    "redis://cache:6379,cache2:6379/0",
    "rediss://default@cache.example.com:6380",
    "postgres://localhost:5432/db",
    "postgresql://ada@localhost:5432/db",
    "postgresql://ada:@localhost/db",
    "mongodb://a.example.com:27017,b.example.com:27017/?replicaSet=rs0",
    "amqp://mq:5672/%2F",
    "kafka://a:9092;b:9092",
    "jdbc:sqlserver://sql.example.com:1433;databaseName=db;user=ada@sql",
    "s3://bucket/key:with@signs",
    "docker://alpine:3.18@sha256:" + 64 * "0",
    "oci://registry:5000@sha256:" + 64 * "1",
    "docker.io/library/redis:7@sha256:" + 64 * "2",
    "file:///srv/a@b:c",
    "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "arn:aws:iam::123456789012:role/reader",
    "data:text/plain,a:b@c",
    "ws://localhost:3000/socket?x=@y",
    "http://[::1]:8000/",
    "http://[fe80::1%25eth0]:8000/a@b",
    "//cdn.example.com:80/a@b",
    "http://host:8080,ada@example.com,42",
    "http://host:8080|ada@example.com",
    "{'url':'http://host:8080','mail':'ada@example.com'}",
    '{"url":"http://host:8080","mail":"ada@example.com"}',
    r'"http:\/\/host:8080\/","ada@example.com"',
    r"http://host:8080\nada@example.com",
    "next=http%3A%2F%2Fhost%3A8080%2Fa%40b",
    "next=http%3A%2F%2Fhost%3A8080&mail=ada%40example.com",
)
_MASKS = (
    "* *** ******** x xxxxx XXXXXXXX ... ------ ____ ??? •••••• … ab*** ***yz [REDACTED] [Filtered] (hidden) "
    "{password} {{password}} ${PASSWORD} ${DB_PASS:-none} $(DB_PASS) $PASSWORD $1 %(password)s %s %d %DB_PASSWORD% "
    "%{password} {os.environ['X']} redacted REDACTED __MASKED__ *removed* -scrubbed- %2A%2A%2A "
    "%5BREDACTED%5D <password> [YOUR-PASSWORD]"
).split()
_IDS = (
    "pi_3MtwBwLkdIwHu7ix28a3tqPa cus_NffrFeUfNV2Hib price_1MoBy5LkdIwHu7ixZhnattbh evt_1NG8Du2eZvKYlo2CUI79vXWy "
    "pk_test_TYooMQauvdEDq54NiTphI7jx pk_live_abcdefghij0123456789ABCD acct_1032D82eZvKYlo2C req_8RpVHN0ztoYMV9 "
    "chatcmpl-9kQz1T2b3C4d5E6f7G8h9I0jKlMnO asst_abc123DEF456 thread_abc123DEF456ghi789 run_abc123DEF456ghi789 "
    "call_a1B2c3D4e5F6g7H8i9J0k1L2 toolu_01A09q90qw90lq917835lq9 msg_01XFDUDYJgAACzvnptvVoYEL "
    "org-a1B2c3D4e5F6g7H8i9J0k1L2 proj_a1B2c3D4e5F6g7H8 file-a1B2c3D4e5F6g7H8i9J0 ft:gpt-4o-mini:org::a1B2c3D4 "
    "pk-lf-6ba7b810-9dad-11d1-80b4-00c04fd430c8 AC0123456789abcdef0123456789abcdef SM0123456789abcdef0123456789abcdef "
    "i-0123456789abcdef0 ami-0abcdef1234567890 vpc-0123456789abcdef0 projects/12/locations/eu/keyRings/r/cryptoKeys/k "
    "01ARZ3NDEKTSV4RRFFQ69G5FAV 507f1f77bcf86cd799439011 dQw4w9WgXcQ AIzaShort hf_hub_download hf_transfer "
    "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 npm_config_registry npm_lifecycle_event npm_package_json_engines_node "
    "gsk_annual_report_2023 xai-grok-vision-beta r8_unorm_block_compressed pplx-7b-online tvly-search ya29.py hvs.com "
    "task-sk-1 disk-a1B2c3D4e5F6g7H8i9J0k1L2 risk-0123456789abcdef0123456789abcdef ask-a1B2c3D4e5F6g7H8i9J0k1L2 "
    "1.2.3-rc.1+build.20240229 v18.2.0 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 2001:db8::8a2e:370:7334 "
    "00:1A:2B:3C:4D:5E Bearer basic Basic"
).split()


def _random(rng: random.Random, alphabet: str, size: int) -> str:
    return "".join(rng.choices(alphabet, k=size))


def _drawn(rng: random.Random) -> Iterator[Pair]:
    """Hashes, ids and encoded data, as random as any secret."""
    hexes = string.digits + "abcdef"
    for _ in range(12):
        yield "id", str(uuid.UUID(int=rng.getrandbits(128), version=4))
        yield "request_id", f"req_{_random(rng, string.ascii_letters + string.digits, 24)}"
        yield "commit", _random(rng, hexes, 40)
        yield "commit", _random(rng, hexes, 7)
        yield "etag", f'W/"{_random(rng, hexes, 32)}"'
        yield "digest", f"sha256:{_random(rng, hexes, 64)}"
        yield "checksum", _random(rng, hexes, 128)
        yield "fingerprint", f"SHA256:{_random(rng, string.ascii_letters + string.digits + '+/', 43)}"
        yield "integrity", f"sha512-{base64.b64encode(rng.randbytes(64)).decode()}"
        yield "image", f"data:image/png;base64,{base64.b64encode(rng.randbytes(rng.randrange(300, 3000))).decode()}"
        yield "embedding", base64.b64encode(rng.randbytes(512)).decode()
        yield "ssh_public", f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5{base64.b64encode(rng.randbytes(35)).decode()} ada@laptop"
        yield "cursor", base64.urlsafe_b64encode(b'{"page":%d,"after":"%d"}' % (rng.randrange(9), rng.getrandbits(64)))
        yield "phone", f"+49 30 {rng.randrange(10**7)}"
        yield "isbn", f"978-{rng.randrange(10)}-{rng.randrange(100):02}-{rng.randrange(10**6):06}-{rng.randrange(10)}"
        for label in ("CERTIFICATE", "PUBLIC KEY", "RSA PUBLIC KEY", "PGP PUBLIC KEY BLOCK", "PGP SIGNATURE"):
            lines = "\n".join(_random(rng, string.ascii_letters + string.digits + "+/", 64) for _ in range(6))
            yield "pem", f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def lookalikes() -> list[Pair]:
    """Innocent names, each with an innocent value: a str, bytes or a number. The same ones every time."""
    rng = random.Random(29)
    pairs: list[Pair] = [(f"{kind}_tokens", rng.randrange(10**6)) for kind in _USAGE]
    pairs += [(name, rng.randrange(10**6)) for name in _COUNTERS]
    pairs += [(name, value) for name, values in _WORDS.items() for value in values.split(" ")]
    pairs += [("text", text) for text in _PROSE]
    pairs += [("css_class", f"sk-{name}") for name in _CSS]
    pairs += [("html", f'<div id="sk-{name}" class="sk-{name} sk-top">') for name in _CSS]
    pairs += [("url", url) for url in _URLS]
    pairs += [("message", f"see {url} for more") for url in _URLS]
    pairs += [("dsn", f"postgresql://ada:{mask}@db.example.com/x") for mask in _MASKS]
    pairs += [("next_url", f"redis%3A%2F%2F%3A{mask}%40db%3A6379") for mask in ("%2A%2A%2A", "xxxxx", "%7Bpassword%7D")]
    pairs += [("ref", value) for value in _IDS]
    return pairs + list(_drawn(rng))
