"""Which field names say that their value is a secret.

Names are split into words (``apiKey``, ``API-KEY`` and ``api_key`` are the same two) and matched by whole words at
the end, so ``openai_api_key`` is one and ``input_tokens``, ``tokenizer`` and ``secretary`` are not.
"""

import re

ENDINGS = (
    "password passwd passphrase pwd secret apikey api_key api_keys access_key secret_key private_key signing_key "
    "encryption_key access_token refresh_token auth_token bearer_token session_token id_token api_token "
    "client_secret credential credentials authorization cookie cookies"
).split()
WHOLE = ("token", "bearer", "jwt")

_SECRET = re.compile(rf"(?:.*_)?(?:{'|'.join(ENDINGS)})|{'|'.join(WHOLE)}")


def words(name: str) -> str:
    """The words of an ASCII name, lower case, joined by underscores."""
    out: list[str] = []
    for at, char in enumerate(name):
        if not ("a" <= char <= "z" or "A" <= char <= "Z" or "0" <= char <= "9"):
            out.append("_")
            continue
        if "A" <= char <= "Z" and at:
            before, after = name[at - 1], name[at + 1 : at + 2]
            if not "A" <= before <= "Z" or "a" <= after <= "z":
                out.append("_")
        out.append(char.lower())
    return "_".join(word for word in "".join(out).split("_") if word)


def secret_name(name: str) -> bool:
    """True if a field of this name holds a secret by its name alone."""
    return len(name) <= 128 and _SECRET.fullmatch(words(name)) is not None
