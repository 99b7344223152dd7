"""STUB until the room arrives."""
from typing import Any, NamedTuple
class Listed(NamedTuple):
    cls: type
    name: str
    required: frozenset
class Types:
    def __init__(self, types=()):
        rows = types.items() if isinstance(types, dict) else [(c.__qualname__, c) for c in types]
        import dataclasses
        self.by_name, self.names = {}, {}
        for n, c in rows:
            req = frozenset(f.name for f in dataclasses.fields(c) if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING) if dataclasses.is_dataclass(c) else frozenset()
            l = Listed(c, n, req)
            self.by_name[n] = l
            self.names.setdefault(id(c), l)
        from siftpack._core import Names
        self.lowered = Names([(l.cls, l.name, sorted(l.required), l) for l in self.names.values()])
_CACHE = {}
def types_of(types):
    if type(types) is Types: return types
    return Types(types)
def restore(listed, fields):
    import enum
    c = listed.cls
    if issubclass(c, enum.Enum):
        return c(fields[""])
    if "" in fields:
        o = c.__mro__[1].__new__(c, fields[""])
        if isinstance(o, list): o.extend(fields[""])
        for k, v in fields.items():
            if k: object.__setattr__(o, k, v)
        return o
    o = object.__new__(c) if not issubclass(c, BaseException) else c.__new__(c, *fields.pop("args", ()))
    for k, v in fields.items():
        object.__setattr__(o, k, v)
    return o
