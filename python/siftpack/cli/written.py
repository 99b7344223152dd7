r"""Keys as text for people and scripts, and back: any bytes, on one line.

What is printable stands for itself, a backslash is written twice, and everything else is ``\xNN`` for a byte or
``\uNNNN`` for a character that cannot be printed.
"""

import re
from typing import Final

from siftpack.cli.stores import Trouble

SHOWN: Final = 72
"""Characters of a key in a table."""
_ESCAPED: Final = re.compile(rb"\\(\\|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})|\\")


def written(key: bytes) -> str:
    """The key as text, unambiguous."""
    return "".join(map(_letter, key.decode("utf-8", "surrogateescape")))


def shortened(key: bytes, longest: int = SHOWN) -> str:
    """The key as text, its middle left out if it is long."""
    text = written(key[: 4 * longest]) if len(key) > 8 * longest else written(key)
    if len(text) <= longest and len(key) <= 8 * longest:
        return text
    return f"{text[: longest - 20]}... ({len(key)} bytes)"


def _letter(char: str) -> str:
    if char == "\\":
        return "\\\\"
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unwritten(text: str) -> bytes:
    """The key that ``written`` made this of. Raises ``Trouble`` for a backslash that begins nothing."""

    def letter(found: "re.Match[bytes]") -> bytes:
        word = found[1]
        if word is None:
            raise Trouble(r"in an escaped key a backslash is followed by another one, xNN, uNNNN or UNNNNNNNN")
        if word == b"\\":
            return word
        code = int(word[1:], 16)
        if word[:1] != b"x" and code > 0x10FFFF:
            raise Trouble("there is no such character")
        return bytes((code,)) if word[:1] == b"x" else chr(code).encode("utf-8", "surrogatepass")

    return _ESCAPED.sub(letter, text.encode("utf-8", "surrogateescape"))
