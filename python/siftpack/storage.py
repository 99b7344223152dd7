"""Reading types and instances without running a line of theirs.

Everything here goes through the descriptors of ``type``, ``object`` and the genuine slots of a class, found by
identity. Nothing asks an instance: no ``getattr``, no ``isinstance`` against an ABC, no hash of a class.
"""

import sys
import types
from typing import Any

type_dict: Any = type.__dict__["__dict__"].__get__
"""The namespace of one class, as a mapping proxy over its own dict."""
mro: Any = type.__dict__["__mro__"].__get__
"""The method resolution order, whatever the metaclass says."""
base: Any = type.__dict__["__base__"].__get__
flags: Any = type.__dict__["__flags__"].__get__
_qualname: Any = type.__dict__["__qualname__"].__get__
module_dict: Any = type_dict(types.ModuleType)["__dict__"].__get__
"""The namespace of one module, whatever its class says."""
_GETSET = types.GetSetDescriptorType
_MEMBER = types.MemberDescriptorType


def inherits(cls: type, other: type) -> bool:
    """True if ``other`` itself is in the MRO of ``cls``."""
    return any(each is other for each in mro(cls))


def class_attribute(order: tuple[type, ...], name: str) -> Any:
    """What the first class of an MRO that has the name in its own dict holds there, else None."""
    for each in order:
        own = type_dict(each)
        if name in own:
            return own[name]
    return None


def awaitable(obj: Any) -> bool:
    """True for what can be awaited, by its class alone: nothing of the object runs to be asked."""
    return class_attribute(mro(type(obj)), "__await__") is not None


def type_name(cls: type) -> str:
    """``module.qualname``, without the module for builtins or where it is no plain string."""
    qualname = "".join((_qualname(cls),))
    module = type_dict(cls).get("__module__")
    if type(module) is not str and not flags(cls) & 1 << 9:
        module = type.__dict__["__module__"].__get__(cls)
    return qualname if type(module) is not str or module == "builtins" else f"{module}.{qualname}"


def module_attribute(modules: dict[str, Any], module: str, name: str) -> Any:
    """A dotted name looked up in an imported module's own dict, else None."""
    found = modules.get(module)
    if found is None or not inherits(type(found), types.ModuleType):
        return None
    first, _, rest = name.partition(".")
    value = module_dict(found).get(first)
    if rest and value is not None:
        return type_dict(value).get(rest) if inherits(type(value), type) else None
    return value


def imported(module: str) -> Any:
    """A module that the program has imported to its end, else None; never imports it to ask."""
    found = sys.modules.get(module)
    if found is None or (type(found) is not types.ModuleType and not inherits(type(found), types.ModuleType)):
        return None
    spec = module_dict(found).get("__spec__")
    return None if spec is None or getattr(spec, "_initializing", False) else found


def instance_dict(obj: Any) -> dict[Any, Any] | None:
    """The instance's own dict through the genuine ``__dict__`` slot of a class in its MRO, else None."""
    for each in mro(type(obj)):
        slot = type_dict(each).get("__dict__")
        if (type(slot) is _GETSET or type(slot) is _MEMBER) and slot.__objclass__ is each:
            found = slot.__get__(obj)
            return found if inherits(type(found), dict) else None
    return None


def slots(cls: type) -> tuple[tuple[str, Any], ...]:
    """Genuine slot descriptors over the MRO, base classes first, each name once as the most derived class has it."""
    found: dict[str, Any] = {}
    for each in reversed(mro(cls)):
        own = type_dict(each)
        if "__slots__" not in own:
            continue
        found |= {
            name: slot
            for name, slot in own.items()
            if type(slot) is _MEMBER and slot.__objclass__ is each and type(name) is str
        }
    return tuple(found.items())


def own_value(obj: Any, name: str, missing: Any) -> Any:
    """The value under a name in the instance's own dict; keys that are no plain str are never compared."""
    for key, value in dict.items(instance_dict(obj) or {}):
        if type(key) is str and key == name:
            return value
    return missing


def read_slot(slot: Any, obj: Any, missing: Any) -> Any:
    """The value in a slot, or ``missing`` while it is unset."""
    try:
        return slot.__get__(obj)
    except AttributeError:
        return missing
