"""Which text holds a secret: by shapes that nothing innocent has.

Private keys in PEM, JWTs, keys marked by who issued them, values of the Authorization header, passwords in URLs. Every
shape is ASCII, begins a word, and is found in time linear in the text.
"""

import re
from base64 import b64decode

from siftpack.redact.keys import LEAST, TOKEN, holds_key, is_key, looks_random, opens
from siftpack.redact.urls import holds_password, is_url

_BLANKS = b" \t\n\r\x0c"

_PART = rb"[A-Za-z0-9_-]"
_JWT_HEAD = re.compile(rb"eyJ" + _PART + rb"*+")
_JWT = re.compile(rb"eyJ" + _PART + rb"{13,}+\.eyJ" + _PART + rb"{7,}+\." + _PART + rb"{20,}+")

_AFTER = rb"(?:[ \t+]|%20)++"
# A token shows in its first characters what it is; they are looked at without being passed over.
_BEARER = re.compile(rb"(?i:bearer)(?=" + _AFTER + rb"([" + TOKEN + rb"]{0,64}+))")
_BASIC = re.compile(rb"(?i:basic)(?=" + _AFTER + rb"([A-Za-z0-9+/]{0,128}+))")
_ONLY_BEARER = re.compile(rb"(?i:bearer)" + _AFTER + rb"([" + TOKEN + rb"]*+)")
_ONLY_BASIC = re.compile(rb"(?i:basic)" + _AFTER + rb"([A-Za-z0-9+/]*+)=*+")
_USER_AND_PASSWORD = re.compile(rb"[ -9;-~]*+:[^\x00-\x1f\x7f]*+")
_LEAST_BASIC, _MOST_BASIC = 10, 128

_GAP = rb"(?:[ +]|%20)"
_PEM = re.compile(rb"-----BEGIN([A-Z0-9 +%]{0,64}+)(?=-----)")
_PRIVATE = re.compile(rb".*" + _GAP + rb"PRIVATE" + _GAP + rb"KEY(?:" + _GAP + rb"BLOCK)?")
_BREAK = rb"(?:[\r\n]|\\++[nr]|%0[AaDd])"
# Below the line of its header, or on it after blanks and quotes: a header that is only spoken of has neither.
_MATERIAL = re.compile(
    rb"-----(?:[ \t]*+" + _BREAK + rb"(?:[ \t]|" + _BREAK + rb")*+[A-Za-z0-9+/]"
    rb"|(?:[ \t\r\n\"'+,>|]|\\++[nr]?+|%0[AaDd])*+[A-Za-z0-9+/=]{40})"
)


def _holds_jwt(data: bytes) -> bool:
    at = data.find(b"eyJ")
    while at >= 0:
        end = at + 1
        if opens(data, at):
            if _JWT.match(data, at):
                return True
            # Whatever begins later in the same run of characters has a shorter first part and the same others.
            head = _JWT_HEAD.match(data, at)
            end = end if head is None else head.end()
        at = data.find(b"eyJ", end)
    return False


def _is_bearer(token: bytes) -> bool:
    return len(token) >= LEAST and looks_random(token, doubtful=True)


def _is_basic(token: bytes) -> bool:
    """True if the token is the base64 of a user, a colon and a password."""
    token = token[:_MOST_BASIC]
    size = len(token)
    if size < _LEAST_BASIC or size % 4 == 1:
        return False
    return _USER_AND_PASSWORD.fullmatch(b64decode(token + b"=" * (-size % 4))) is not None


def _holds_authorization(data: bytes) -> bool:
    return any(_is_bearer(found[1]) and opens(data, found.start()) for found in _BEARER.finditer(data)) or any(
        _is_basic(found[1]) and opens(data, found.start()) for found in _BASIC.finditer(data)
    )


def _is_authorization(data: bytes) -> bool:
    bearer, basic = _ONLY_BEARER.fullmatch(data), _ONLY_BASIC.fullmatch(data)
    return (bearer is not None and _is_bearer(bearer[1])) or (basic is not None and _is_basic(basic[1]))


def _is_header(data: bytes, header: re.Match[bytes]) -> bool:
    """True if a line that begins a PEM block begins one with a private key, and the key follows."""
    return _PRIVATE.fullmatch(header[1]) is not None and _MATERIAL.match(data, header.end()) is not None


def _holds_pem(data: bytes) -> bool:
    return any(_is_header(data, header) for header in _PEM.finditer(data))


def _is_pem(data: bytes) -> bool:
    header = _PEM.match(data)
    if header is None or not _is_header(data, header):
        return False
    last = b"-----END" + header[1] + b"-----"
    return data.find(b"-----END", header.end()) == len(data) - len(last) and data.endswith(last)


def holds_secret_bytes(data: bytes) -> bool:
    """True if a secret is anywhere in the data: text in UTF-8 or any other encoding that leaves ASCII as it is."""
    data = bytes.__getitem__(data, slice(None))
    return holds_key(data) or _holds_jwt(data) or holds_password(data) or _holds_authorization(data) or _holds_pem(data)


def is_secret_bytes(data: bytes) -> bool:
    """True if the data is one secret and nothing else but ASCII whitespace around it.

    A URL counts as a whole, and so do a PEM block and a value of the Authorization header.
    """
    data = bytes.__getitem__(data, slice(None)).strip(_BLANKS)
    return is_key(data) or _JWT.fullmatch(data) is not None or is_url(data) or _is_authorization(data) or _is_pem(data)


def holds_secret(text: str) -> bool:
    """True if a secret is anywhere in the text."""
    return holds_secret_bytes(str.encode(text, "utf-8", "surrogatepass"))


def is_secret(text: str) -> bool:
    """True if the text is one secret and nothing else, see ``is_secret_bytes``."""
    return is_secret_bytes(str.encode(text, "utf-8", "surrogatepass"))
