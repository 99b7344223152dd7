"""Passwords in URLs: ``scheme://user:password@host``, also percent-encoded inside another URL.

What stands in the place of the password may be a mask or a name to be filled in (``***``, ``${PASSWORD}``); that is no
secret. An ``@`` after the authority has ended is part of a path, and a digest after it is part of an image's name.
"""

import re
from urllib.parse import unquote_to_bytes

from siftpack.redact.keys import holds_key

# Separators between the scheme and the authority: as they are, as JSON may escape them, percent-encoded.
_PLAIN = re.compile(rb"(?<=[A-Za-z0-9]):(?://|\\/\\/)")
_ENCODED = re.compile(rb"(?<=[A-Za-z0-9])%3[Aa](?://|%2[Ff]%2[Ff])")
_ENDS = bytes(range(0x21)) + b"\"#',/;<>?\\`|\x7f"
"""Bytes that end an authority, in URLs or in the text around them."""
_END = re.escape(_ENDS)
# Ideographic and fullwidth punctuation ends a URL in text that has no spaces.
_AUTHORITY = re.compile(rb"(?:[^\xe3\xef" + _END + rb"]|\xe3(?!\x80)|\xef(?!\xbc))*+")
_ENCODED_AUTHORITY = re.compile(
    rb"(?:[^\x80-\xff&+%" + _END + rb"]|%(?!(?i:" + b"|".join(b"%02x" % end for end in _ENDS) + rb")))*+"
)
# A colon inside braces belongs to what is to be filled in there: ${USER:-nobody}.
_USER = re.compile(rb"(?:[^:{]|\{[^}]*+\}?+)*+:")
# What follows the @ of an image pinned to its content, and of [user:password@], which says that it may be left out.
_NO_HOST = re.compile(rb"sha(?:256|384|512):|\]")
_WHOLE = re.compile(rb"(?:[A-Za-z][A-Za-z0-9+.-]*+:)++//[^\x00-\x20\"<>\x7f]*+")

_LONGEST_MASK = 128
_MASK = re.compile(
    rb"\*+|x+|X+|\.+|-+|_+|\?+|(?:\xe2\x80[\xa2\xa6])+"
    rb"|[{\[(<].*[}\])>]|\$[{(].*[})]|%[{(].*[})][a-z]?|%.*%|\$[A-Z0-9_]+|%[a-z]"
    rb"|[*_\[-]*(?i:redacted|masked|hidden|filtered|removed|scrubbed|omitted|sanitized|censored)[*_\]-]*",
    re.DOTALL,
)


def _is_mask(password: bytes) -> bool:
    return b"***" in password or _MASK.fullmatch(password) is not None


def _has_password(authority: bytes) -> bool:
    user, sign, host = authority.rpartition(b"@")
    named = _USER.match(user)
    if not sign or named is None or _NO_HOST.match(host):
        return False
    password = user[named.end() :]
    if not 0 < len(password) <= _LONGEST_MASK:
        return password != b""
    return not _is_mask(password) and not _is_mask(unquote_to_bytes(password))


def holds_password(data: bytes) -> bool:
    """True if a URL with a password in its authority is anywhere in the data."""
    plain = (_AUTHORITY.match(data, found.end()) for found in _PLAIN.finditer(data))
    encoded = (_ENCODED_AUTHORITY.match(data, found.end()) for found in _ENCODED.finditer(data))
    return any(found is not None and _has_password(found[0]) for found in plain) or any(
        found is not None and _has_password(unquote_to_bytes(found[0])) for found in encoded
    )


def is_url(data: bytes) -> bool:
    """True if the data is one URL with a password, or a key in the place of its user, and nothing else."""
    if not _WHOLE.fullmatch(data):
        return False
    at = data.index(b"://")
    found = _AUTHORITY.match(data, at + 3)
    if found is None or not data[at - 1 : at].isalnum():
        return False
    return _has_password(found[0]) or holds_key(found[0].rpartition(b"@")[0])
