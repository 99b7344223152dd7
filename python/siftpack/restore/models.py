"""pydantic models: rebuilt by their own validation, by field name, which is the one listed class whose code runs."""

import sys
from typing import Any

from siftpack.adapters.records import Mro
from siftpack.errors import PolicyError
from siftpack.restore.making import ABSTRACT, Maker, missing, refusal, shown, unknown
from siftpack.restore.records import pydantic_row, required
from siftpack.storage import class_attribute, flags, inherits, module_attribute, mro, type_dict, type_name

ERRORS = 1000
"""Errors of one validation beyond which the error does not say which field: listing them costs memory."""
_ROOT = "root"
_CORE = "pydantic_core._pydantic_core"


class Model:
    """A model class. Aliases are of no matter; what is done with unknown fields is the model's own setting."""

    __slots__ = ("_make", "_root", "cls", "names", "required")

    def __init__(self, cls: type) -> None:
        """Raises ``PolicyError`` for a pydantic that cannot validate by name."""
        validate = module_attribute(sys.modules, _CORE, "SchemaValidator.validate_python")
        if "by_name" not in (validate.__text_signature__ or ""):
            raise PolicyError(f"{type_name(cls)} cannot be listed: models need pydantic 2.11 or later")
        declared = _fields(mro(cls))
        self.cls = cls
        self.names = frozenset(declared)
        self.required = required(pydantic_row(name, info) for name, info in declared.items())
        root = module_attribute(sys.modules, "pydantic.root_model", "RootModel")
        self._root = root is not None and inherits(cls, root)
        self._make = Maker(cls)

    def build(self, fields: dict[str, Any]) -> Any:
        """The model that validates these fields. Raises ``ValueError`` naming the first field refused."""
        data: Any = fields
        if self._root:
            for name in fields:
                if name != _ROOT:
                    raise unknown(self.cls, name)
            if fields:
                data = fields[_ROOT]
            elif _ROOT in self.required:
                raise missing(self.cls, _ROOT)
            else:
                data = module_attribute(sys.modules, _CORE, "PydanticUndefined")
        validate = self._validator()
        options: dict[str, Any] = {"by_name": True, "by_alias": False}
        if class_attribute(mro(self.cls), "__pydantic_custom_init__") is True or flags(self.cls) & ABSTRACT:
            # An ``__init__`` of its own would be handed the data, and knows aliases only.
            options["self_instance"] = self._make()
        try:
            made = validate(data, **options)
        except MemoryError:
            raise
        except Exception as raised:  # noqa: BLE001 - validators are the class's own code and may raise anything
            refused = self._refusal(raised)
        else:
            if type(made) is self.cls:
                return made
            refused = refusal(self.cls, "its validation made something else")
        raise refused

    def _validator(self) -> Any:
        """What validates, the model's schema completed first if that is still to be done."""
        found = _validate(self.cls)
        if found is None:
            model = module_attribute(sys.modules, "pydantic.main", "BaseModel")
            try:
                type_dict(model)["model_rebuild"].__func__(self.cls, raise_errors=False, _types_namespace={})
            except MemoryError:
                raise
            except Exception:  # noqa: BLE001 - annotations are the class's own code and may raise anything
                found = None
            else:
                found = _validate(self.cls)
        if found is None:
            raise refusal(self.cls, "its schema cannot be completed: not all its annotations can be resolved")
        return found

    def _refusal(self, raised: Exception) -> ValueError:
        if type(raised) is not module_attribute(sys.modules, _CORE, "ValidationError"):
            return refusal(self.cls, f"its validation raised {type_name(type(raised))}")
        error: Any = raised
        if error.error_count() > ERRORS:
            return refusal(self.cls, "refused by its validation")
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = _ROOT if self._root else next(iter(first["loc"]), None)
        if first["type"] == "extra_forbidden" and type(name) is str and name not in self.names:
            return unknown(self.cls, name)
        if type(name) is not str or name not in self.names:
            return refusal(self.cls, "refused by its validation")
        if first["type"] == "missing" and len(first["loc"]) == 1:
            return missing(self.cls, name)
        return refusal(self.cls, f"field {shown(name)} refused by its validation")


def _validate(cls: type) -> Any:
    """``validate_python`` of the class's own validator; None while there is none."""
    found = type_dict(cls).get("__pydantic_validator__")
    if type(found) is module_attribute(sys.modules, _CORE, "SchemaValidator"):
        return type_dict(type(found))["validate_python"].__get__(found)
    if type(found) is module_attribute(sys.modules, "pydantic.plugin._schema_validator", "PluggableSchemaValidator"):
        return found.validate_python
    return None


def _fields(order: Mro) -> dict[str, Any]:
    """Declared fields, those that are excluded from the data among them."""
    info = module_attribute(sys.modules, "pydantic.fields", "FieldInfo")
    for each in order:
        found = type_dict(each).get("__pydantic_fields__")
        if type(found) is dict:
            return {name: own for name, own in found.items() if type(name) is str and inherits(type(own), info)}
    return {}
