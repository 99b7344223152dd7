"""Exceptions: ``args``, what the instance dict and slots hold, and the chain. No ``__init__`` of a class runs.

Fields are ``args`` (a tuple), ``__cause__`` and ``__context__``, and every entry of the instance dict, ``__notes__``
among them. The exception types of the interpreter keep some data in C (an exit code, the file of an ``OSError``);
their own C code sets it from ``args``.
"""

import types
from typing import Any

from siftpack.errors import PolicyError
from siftpack.restore.making import Maker, Storage, is_builtin_exception, missing, refusal, unknown
from siftpack.storage import base, flags, inherits, mro, type_dict, type_name

_set_args: Any = BaseException.__dict__["args"].__set__
_CHAIN = ("__cause__", "__context__")
_HEAP = 1 << 9


def constructor_args(obj: BaseException) -> tuple[Any, ...]:
    """What the type's own ``__new__`` makes the exception from again.

    That is ``args``, with the files of an ``OSError`` behind them; of a group whose ``args`` are something else, its
    message and exceptions.
    """
    args: tuple[Any, ...] = BaseException.__dict__["args"].__get__(obj)
    if inherits(type(obj), BaseExceptionGroup):
        group = BaseExceptionGroup.__dict__
        return args if _is_group(args) else (group["message"].__get__(obj), group["exceptions"].__get__(obj))
    if len(args) != 2 or not inherits(type(obj), OSError):
        return args
    own = OSError.__dict__
    file, other = own["filename"].__get__(obj), own["filename2"].__get__(obj)
    if file is None:
        return args
    return (*args, file) if other is None else (*args, file, None, other)


class Failure:
    """An exception class."""

    __slots__ = ("_group", "_make", "_start", "_storage", "cls")
    required: frozenset[str] = frozenset()

    def __init__(self, cls: type) -> None:
        """Raises ``PolicyError`` for a class that only C code of its own can make."""
        self.cls, self._make, self._storage = cls, Maker(cls), Storage(cls)
        self._group = inherits(cls, BaseExceptionGroup)
        if not is_builtin_exception(self._make.owner):
            raise PolicyError(f"{type_name(cls)} cannot be listed: its instances cannot be made")
        self._start = _genuine_init(cls)

    def build(self, fields: dict[str, Any]) -> Any:
        """An exception of these fields; a cause or context that is none any more is left out. Raises ``ValueError``."""
        if "args" not in fields:
            raise missing(self.cls, "args")
        args = fields["args"]
        if type(args) is not tuple:
            raise refusal(self.cls, "field 'args' is no tuple")
        own = [(name, value) for name, value in fields.items() if name != "args" and name not in _CHAIN]
        for name, _ in own:
            if self._storage.lacks(name):
                raise unknown(self.cls, name)
        made = self._grouped(args) if self._group else self._single(args)
        self._storage.fill(made, own)
        for name in _CHAIN:
            linked = fields.get(name)
            if linked is not None and inherits(type(linked), BaseException):
                BaseException.__dict__[name].__set__(made, linked)
        return made

    def _single(self, args: tuple[Any, ...]) -> Any:
        # An object of a listed class could be asked something by the C code that takes arguments apart.
        inert = not any(flags(type(each)) & _HEAP for each in args)
        if inert:
            try:
                made = self._make(*args)
                self._start(made, *args)
            except (ValueError, TypeError, ArithmeticError):
                inert = False
        if not inert:
            made = self._make()
            _set_args(made, args)
        return made

    def _grouped(self, args: tuple[Any, ...]) -> Any:
        if not _is_group(args):
            raise refusal(self.cls, "field 'args' is no message and exceptions")
        for each in args[1]:
            if not inherits(type(each), Exception) and (inherits(self.cls, Exception) or _answers(type(each))):
                raise refusal(self.cls, f"field 'args' holds {type_name(type(each))}")
        return self._make(*args)


def _is_group(args: tuple[Any, ...]) -> bool:
    """Whether these are a message and exceptions, at least one."""
    if len(args) != 2 or type(args[0]) is not str or not (type(args[1]) is list or type(args[1]) is tuple):
        return False
    return bool(args[1]) and all(inherits(type(each), BaseException) for each in args[1])


def _answers(cls: type) -> bool:
    """Whether looking up ``__class__`` in an instance, as the C code of groups does, could run code of the class."""
    hooks = ("__class__", "__getattribute__", "__getattr__")
    return any(name in type_dict(each) for each in mro(cls) if flags(each) & _HEAP for name in hooks)


def _genuine_init(cls: type) -> Any:
    """The nearest ``__init__`` written in C along ``tp_base``."""
    each = cls
    while True:
        found = type_dict(each).get("__init__")
        if type(found) is types.WrapperDescriptorType and found.__objclass__ is each and is_builtin_exception(each):
            return found
        each = base(each)
