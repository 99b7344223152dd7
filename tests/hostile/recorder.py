"""Objects that write down every time they are asked anything."""

from typing import Any

CALLS: list[str] = []
"""Everything that was called since the last ``clear``."""

_UNARY = "repr str bytes hash bool len iter next reversed int float index complex neg pos abs invert dir sizeof del"
_UNARY += " reduce fspath await aiter anext enter exit copy getstate length_hint buffer"
_BINARY = "eq ne lt le gt ge getitem delitem contains add radd mul sub or and xor get getattr format deepcopy missing"
_BINARY += " reduce_ex instancecheck subclasscheck call"
_TERNARY = "setitem set"


def _recorded(name: str, result: Any) -> Any:
    def method(*args: Any, **kwargs: Any) -> Any:
        CALLS.append(name)
        return result

    return method


def _body(prefix: str) -> dict[str, Any]:
    results = {
        "hash": 99_991,
        "bool": True,
        "len": 3,
        "eq": True,
        "repr": "r",
        "str": "s",
        "format": "f",
        "iter": iter(()),
        "del": None,
    }
    names = f"{_UNARY} {_BINARY} {_TERNARY}".split()
    body = {f"__{name}__": _recorded(f"{prefix}.{name}", results.get(name)) for name in names}
    for lying in ("__class__", "_value_", "_fields", "maps", "model_fields", "value"):
        body[lying] = property(_recorded(f"{prefix}.{lying}", dict))
    for asked in ("model_dump", "dict", "to_dict", "items", "keys", "values", "isoformat", "tolist", "__json__"):
        body[asked] = _recorded(f"{prefix}.{asked}", {})
    for iteration in ("__next__", "__anext__", "__await__"):
        del body[iteration]
    return body


class Meta(type):
    """A metaclass that records what its classes are asked, and lies."""

    locals().update(
        {name: made for name, made in _body("meta").items() if name not in ("__class__", "__del__", "__call__")}
    )

    def __getattribute__(cls, name: str) -> Any:
        CALLS.append(f"meta.getattribute {name}")
        return type.__getattribute__(cls, name)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        CALLS.append("meta.call")
        return type.__call__(cls, *args, **kwargs)

    __mro__ = property(_recorded("meta.__mro__", (object,)))
    __dict__ = property(_recorded("meta.__dict__", {}))
    __name__ = property(_recorded("meta.__name__", "lie"))
    __module__ = property(_recorded("meta.__module__", "lie"))
    __bases__ = property(_recorded("meta.__bases__", ()))


def _getattribute(self: Any, name: str) -> Any:
    CALLS.append(f"getattribute {name}")
    return object.__getattribute__(self, name)


_BODY = {**_body("instance"), "__getattribute__": _getattribute}


class Base:
    """Gives its subclasses an instance dict that their own names cannot hide."""


Hostile = type.__new__(type, "Hostile", (Base,), {**_BODY, "__dict__": property(_recorded("instance.__dict__", {}))})
"""Records every protocol and every attribute; its real dict stays reachable through its base alone."""
Sealed = type.__new__(type, "Sealed", (), {**_BODY, "__slots__": ()})
"""The same without any storage."""
HostileMeta = Meta.__new__(Meta, "HostileMeta", (Base,), dict(_BODY))
"""The same under a metaclass that records and lies too."""
CLASSES: tuple[Any, ...] = (Hostile, Sealed, HostileMeta)


def subclass_of(base: Any, *args: Any) -> Any:
    """An instance of a hostile subclass of a builtin, its storage filled through the builtin's own methods."""
    body = {name: made for name, made in _BODY.items() if name != "__del__"}
    cls = type.__new__(type, f"Hostile{base.__name__.title()}", (base,), body)
    made = base.__new__(cls, *args)
    if base in (list, set, dict):
        base.__init__(made, *args)
    CALLS.clear()
    return made


def hostile(cls: Any, **fields: Any) -> Any:
    """A hostile object with fields in its storage, the recorder empty."""
    made = object.__new__(cls)
    if fields:
        Base.__dict__["__dict__"].__get__(made).update(fields)
    CALLS.clear()
    return made
