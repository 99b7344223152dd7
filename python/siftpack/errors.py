"""Every error siftpack raises on purpose.

SiftError
├── EncodeError (TypeError)        the policy said raise, or the data changed in mid-walk
│   └── LimitExceeded              a bound of ``Limits`` was reached while writing
├── DecodeError (ValueError)       the bytes are not what they should be
│   └── FrameError                 not a siftpack frame, or one that cannot be opened
└── PolicyError (ValueError)       a policy, a limit or a registration makes no sense

All of them pickle, and none of them carries a value: messages name paths, kinds, types and offsets.
"""


class SiftError(Exception):
    """Base of all errors raised by siftpack."""


class EncodeError(SiftError, TypeError):
    """An object was not written: the policy refuses it or it changed while it was walked."""


class LimitExceeded(EncodeError):  # noqa: N818 - a public word of the design
    """A bound of ``Limits`` was reached while writing."""


class DecodeError(SiftError, ValueError):
    """The input is not valid MessagePack, or breaks a bound. The message ends with the byte offset."""


class FrameError(DecodeError):
    """The input is not a siftpack frame, or a frame this reader cannot open."""


class PolicyError(SiftError, ValueError):
    """A policy, limit or registration contradicts itself or names something unknown."""
