"""How an instance of each listed class is made again from its fields: one room per family of classes.

A plan is made once per class and knows its fields, their storage and their defaults. Building runs no code of the
class but what the class itself declared for the purpose: default factories and the validation of a pydantic model.
"""

from enum import StrEnum
from typing import Any, Protocol

from siftpack.adapters.records import library, namedtuple_fields
from siftpack.classify import Shape, Spec
from siftpack.restore.enums import Members
from siftpack.restore.exceptions import Failure
from siftpack.restore.records import Named, attrs_record, dataclass_record
from siftpack.restore.subclasses import Opaque, Subclass
from siftpack.storage import mro


class Flavour(StrEnum):
    """What family a listed class is of, and so which fields its instances are written with."""

    DATACLASS = "dataclass"
    ATTRS = "attrs"
    STRUCT = "struct"
    NAMEDTUPLE = "namedtuple"
    MODEL = "model"
    ENUM = "enum"
    """The value under the empty name."""
    SUBCLASS = "subclass"
    """Base storage under the empty name, attributes beside it."""
    EXCEPTION = "exception"
    OPAQUE = "opaque"
    """Slots and instance dict, private names too."""


class Plan(Protocol):
    """How to make instances of one class."""

    cls: type

    @property
    def required(self) -> frozenset[str]:
        """The names of fields without any default."""

    def build(self, fields: dict[str, Any]) -> Any:
        """An instance of these fields, whose names are plain strings. Raises ``ValueError``."""


def plan_of(cls: type, spec: Spec) -> tuple[Flavour, Plan]:
    """The plan of a class that ``classify`` finds to be data. Raises ``PolicyError`` where none is possible."""
    if spec.shape is Shape.ENUM:
        return Flavour.ENUM, Members(cls)
    if spec.shape is Shape.EXCEPTION:
        return Flavour.EXCEPTION, Failure(cls)
    if spec.shape is Shape.NAMEDTUPLE:
        return Flavour.NAMEDTUPLE, Named(cls, namedtuple_fields(mro(cls)) or ())
    if spec.shape is Shape.RECORD:
        return _record(cls)
    if spec.shape in (Shape.OPAQUE, Shape.LEAF, Shape.WRAPPER):
        return Flavour.OPAQUE, Opaque(cls)
    return Flavour.SUBCLASS, Subclass(cls, spec.shape)


def _record(cls: type) -> tuple[Flavour, Plan]:
    found = library(mro(cls))
    assert found is not None
    name, declared = found
    if name == "pydantic":
        from siftpack.restore.models import Model

        return Flavour.MODEL, Model(cls)
    if name == "msgspec":
        from siftpack.restore.structs import Struct

        return Flavour.STRUCT, Struct(cls, declared.names)
    if name == "attrs":
        return Flavour.ATTRS, attrs_record(cls, declared.names)
    return Flavour.DATACLASS, dataclass_record(cls, declared.names)
