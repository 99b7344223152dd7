"""pydantic models: validated by field name, and refused without a word of the data."""

import abc
import datetime
from typing import Annotated, Any, Generic, TypeVar

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, ConfigDict, Field

import siftpack
from siftpack.listed import Flavour, restore
from siftpack.restore import models
from siftpack.storage import type_name
from siftpack.testing import zoo
from tests.listed.fields import again, fields_of, listed

T = TypeVar("T")


class Inner(pydantic.BaseModel):
    """A nested model with an alias."""

    model_config = ConfigDict(frozen=True)
    x: int = Field(alias="X")


class Order(pydantic.BaseModel):
    """Aliases of every kind."""

    total: int = Field(alias="Total")
    lines: list[Inner] = Field(default_factory=list, validation_alias=AliasChoices("L", "lines"))
    day: datetime.date = Field(default=datetime.date(2020, 1, 1), serialization_alias="d")
    twice: int = Field(default_factory=lambda data: data["total"] * 2)
    _seen: list[int] = pydantic.PrivateAttr(default_factory=list)


class Allows(pydantic.BaseModel, extra="allow"):
    """Keeps what it does not know."""

    a: int = Field(alias="b")


class Ignores(pydantic.BaseModel):
    """Forgets what it does not know."""

    a: int = 1


class Forbids(pydantic.BaseModel, extra="forbid"):
    """Refuses what it does not know."""

    a: int = 1


class Box(pydantic.BaseModel, Generic[T]):
    """A generic model."""

    content: T


class Excludes(pydantic.BaseModel):
    """Fields that are not in the data."""

    a: int
    secret: str = Field(default="none", exclude=True)


class ExcludesRequired(pydantic.BaseModel):
    """A field that is not in the data, without any default."""

    a: int
    secret: str = Field(exclude=True)


class Rows(pydantic.RootModel[list[int]]):
    """A root model."""


class RootDefault(pydantic.RootModel[dict[str, int]]):
    """A root model with a default."""

    root: dict[str, int] = Field(default_factory=lambda: {"made": 1})


class Custom(pydantic.BaseModel):
    """An ``__init__`` that knows aliases only and must not run."""

    a: int = Field(alias="A")

    def __init__(self, **data: Any) -> None:
        if "forced" not in data:
            raise AssertionError
        super().__init__(A=data["A"])


class Derived(Order):
    """Inherits fields and a validator."""

    note: str = "n"

    @pydantic.field_validator("note")
    @classmethod
    def short(cls, value: str) -> str:
        """At most three characters."""
        if len(value) > 3:
            raise ValueError(f"{value} is long")
        return value


class Elsewhere(pydantic.BaseModel):
    """Its validation gives something else."""

    a: int = 1

    @pydantic.model_validator(mode="wrap")
    @classmethod
    def swap(cls, value: Any, handler: Any) -> Any:
        """Another type, if told so."""
        return "else" if value["a"] == 5 else handler(value)


class Raises(pydantic.BaseModel):
    """Its validation raises what it is told."""

    a: Any = 1

    @pydantic.field_validator("a")
    @classmethod
    def check(cls, value: Any) -> Any:
        """Raise the type that is the value."""
        if isinstance(value, type):
            raise value("secret")
        return value


class Shape(pydantic.BaseModel, abc.ABC):
    """A model with an abstract method."""

    a: int

    @abc.abstractmethod
    def area(self) -> float: ...


def allowed() -> Allows:
    """A model with extras, one of them under the alias of a field."""
    made = Allows(b=1, c=[2])
    assert made.__pydantic_extra__ is not None
    made.__pydantic_extra__["b"] = 3
    return made


INSTANCES: tuple[Any, ...] = (
    *(zoo.Model(a=1), zoo.Model(a=1, more=[2]), zoo.FrozenModel(a="x"), Order(Total=1, L=[Inner(X=1)])),
    *(Order(Total=2), Derived(Total=1, note="abc"), allowed(), Ignores(), Forbids(a=2), Box[int](content=1)),
    *(Box[Inner](content=Inner(X=2)), Box(content="any"), Excludes(a=1), Rows([1, 2]), RootDefault({"a": 1})),
    *(Custom(A=1, forced=1), Elsewhere(a=2), Raises(a=None), pydantic.create_model("Made", a=(int, 1))()),
)


@pytest.mark.parametrize("obj", INSTANCES, ids=lambda obj: type(obj).__name__)
def test_an_instance_is_made_again_from_its_fields(obj: Any) -> None:
    """The copy is equal and of exactly the same class; its private attributes have their defaults."""
    entry = listed(type(obj))
    copy = again(obj)
    assert entry.flavour is Flavour.MODEL
    assert type(copy) is type(obj)
    assert copy == obj
    assert fields_of(entry, copy) == fields_of(entry, obj)


def test_nested_models_are_made_from_their_fields_too() -> None:
    """A nested model that was written as a map is validated by its field names."""
    made = restore(listed(Order), {"total": 1, "lines": [{"x": 1}, Inner(X=2)]})
    assert made == Order(Total=1, lines=[Inner(X=1), Inner(X=2)])
    assert made._seen == []
    with pytest.raises(ValueError, match="field 'lines' refused by its validation"):
        restore(listed(Order), {"total": 1, "lines": [{"X": 1}]})


def test_an_alias_is_no_field_name() -> None:
    """A field under its alias is a field the model does not have."""
    with pytest.raises(ValueError, match=rf"^{type_name(Order)}: field 'total' missing and without a default$"):
        restore(listed(Order), {"Total": 1})
    made = restore(listed(Allows), {"a": 1, "b": 3})
    assert (made.a, made.__pydantic_extra__) == (1, {"b": 3})


def test_unknown_fields_are_the_models_own_matter() -> None:
    """A model allows, ignores or forbids what it does not know, as it is configured."""
    assert restore(listed(Allows), {"a": 1, "c": 2}).c == 2
    assert restore(listed(Ignores), {"a": 1, "c": 2}).__dict__ == {"a": 1}
    with pytest.raises(ValueError, match=f"^{type_name(Forbids)}: field 'c' unknown$"):
        restore(listed(Forbids), {"a": 1, "c": "secret"})
    with pytest.raises(ValueError, match=f"^{type_name(Rows)}: field 'c' unknown$"):
        restore(listed(Rows), {"root": [], "c": 1})


def test_missing_fields_have_their_declared_defaults() -> None:
    """Defaults and factories fill what is missing, those of excluded fields and of a root among them."""
    made = restore(listed(Order), {"total": 3})
    assert (made.lines, made.day, made.twice) == ([], datetime.date(2020, 1, 1), 6)
    assert restore(listed(Excludes), {"a": 1}).secret == "none"
    assert restore(listed(RootDefault), {}).root == {"made": 1}


@pytest.mark.parametrize(
    ("cls", "names"),
    [
        *((Order, {"total"}), (Allows, {"a"}), (Ignores, set()), (Box, {"content"}), (Box[int], {"content"})),
        *((Excludes, {"a"}), (ExcludesRequired, {"a", "secret"}), (Rows, {"root"}), (RootDefault, set())),
        *((Custom, {"a"}), (Derived, {"total"}), (Shape, {"a"})),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_required_field_is_named_when_it_is_missing(cls: type, names: set[str]) -> None:
    """``required`` holds the fields without any default, excluded ones too, and the error of each names it."""
    entry = listed(cls)
    assert entry.required == names
    for name in names:
        with pytest.raises(ValueError, match=r"missing and without a default$") as raised:
            restore(entry, dict.fromkeys(names - {name}, 1))
        assert str(raised.value) == f"{type_name(cls)}: field {name!r} missing and without a default"


@pytest.mark.parametrize(
    ("cls", "fields", "why"),
    [
        (Order, {"total": "secret"}, "field 'total' refused by its validation"),
        (Order, {"total": 1, "lines": [{"x": "secret"}]}, "field 'lines' refused by its validation"),
        (Order, {"total": {"secret": 1}, "lines": "secret"}, "field 'total' refused by its validation"),
        (Derived, {"total": 1, "note": "secret"}, "field 'note' refused by its validation"),
        (Box[dict[int, int]], {"content": {"secret": 1}}, "field 'content' refused by its validation"),
        (Rows, {"root": ["secret"]}, "field 'root' refused by its validation"),
        (Rows, {"root": {"secret": 1}}, "field 'root' refused by its validation"),
        (Elsewhere, {"a": 5}, "its validation made something else"),
        (Raises, {"a": KeyError}, "its validation raised KeyError"),
        (Raises, {"a": RuntimeError}, "its validation raised RuntimeError"),
        (Raises, {"a": ValueError}, "field 'a' refused by its validation"),
        (Custom, {"a": "secret"}, "field 'a' refused by its validation"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_what_validation_refuses_is_named_without_values(cls: type, fields: dict[str, Any], why: str) -> None:
    """The error names type and field, or what was raised, never the data; nothing is chained to it."""
    with pytest.raises(ValueError, match=f"^{type_name(cls).replace('[', '.').replace(']', '.')}: {why}$") as raised:
        restore(listed(cls), fields)
    assert type(raised.value) is ValueError
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is raised.value.__context__ is None


@pytest.mark.parametrize("raised", [MemoryError, KeyboardInterrupt, SystemExit])
def test_what_is_no_error_of_a_validator_passes(raised: type[BaseException]) -> None:
    """Lack of memory and whatever ends the program is not taken for a refusal."""
    with pytest.raises(raised):
        restore(listed(Raises), {"a": raised})


def test_what_was_never_valid_is_refused() -> None:
    """A model constructed past its validation does not come back, and the error says which field."""
    garbage = Order.model_construct(total="secret", lines=5)
    with pytest.raises(ValueError, match=f"^{type_name(Order)}: field 'total' refused by its validation$"):
        again(garbage)
    with pytest.raises(ValueError, match="field 'a' missing"):
        again(Allows.model_construct())


def test_a_model_whose_schema_waits_is_completed_once_it_can_be() -> None:
    """A forward reference is resolved when the model is read; until then reading is refused with the reason."""

    class Waits(pydantic.BaseModel):
        later: "Annotated[list[Later], 1]"  # type: ignore[name-defined]  # noqa: F821 - defined below

    entry = listed(Waits)
    assert entry.required == {"later"}
    with pytest.raises(ValueError, match=f"^{type_name(Waits)}: its schema cannot be completed"):
        restore(entry, {"later": []})
    globals()["Later"] = Inner
    try:
        assert restore(entry, {"later": [{"x": 1}]}).later == [Inner(X=1)]
    finally:
        del globals()["Later"]


def test_a_model_follows_what_it_is_when_read() -> None:
    """A model that was built anew after it was listed validates as it does now."""
    cls = pydantic.create_model("Rebuilt", a=(int, ...))
    entry = listed(cls)
    cls.model_fields["a"].annotation = str
    cls.model_rebuild(force=True)
    assert restore(entry, {"a": "text"}).a == "text"


def test_a_validator_with_plugins_is_a_validator() -> None:
    """A model whose validation is wrapped by a plugin of pydantic is validated through it."""
    from pydantic.plugin import SchemaTypePath
    from pydantic.plugin._schema_validator import PluggableSchemaValidator

    cls: Any = pydantic.create_model("Plugged", a=(int, Field(alias="A")))
    place = SchemaTypePath(__name__, "Plugged")
    schema = cls.__pydantic_core_schema__
    cls.__pydantic_validator__ = PluggableSchemaValidator(schema, cls, place, "BaseModel", None, [], {})
    assert restore(listed(cls), {"a": "1"}).a == 1
    with pytest.raises(ValueError, match="field 'a' missing"):
        restore(listed(cls), {"A": 1})


def test_no_init_of_the_model_runs() -> None:
    """A model with its own ``__init__`` is validated past it, by field name."""
    assert restore(listed(Custom), {"a": 3}).a == 3


def test_an_abstract_model_is_made() -> None:
    """Abstract methods do not keep a model from coming back."""
    made = restore(listed(Shape), {"a": "1"})
    assert (type(made), made.a) == (Shape, 1)


def test_the_fields_of_the_record_count_as_set() -> None:
    """A model that is read back counts those fields as set that its record holds, and no others."""
    model = zoo.Model(a=1)
    read = siftpack.unpackb(siftpack.packb(model, types=[zoo.Model]), types=[zoo.Model])
    assert (read, read.model_fields_set) == (model, {"a", "token"})
    sifted = siftpack.sanitize(zoo.Model(a=int, token=2), types=[zoo.Model])
    assert (sifted.a, sifted.model_fields_set) == (None, {"token"})


def test_many_errors_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Data with very many errors is refused without listing them."""
    monkeypatch.setattr(models, "ERRORS", 10)
    with pytest.raises(ValueError, match=f"^{type_name(Rows)}: refused by its validation$"):
        restore(listed(Rows), {"root": ["x"] * 11})


@pytest.mark.parametrize(
    "name", ["", "__class__", "__dict__", "__pydantic_extra__", "__pydantic_fields_set__", "_seen"]
)
@pytest.mark.parametrize("cls", [Order, zoo.Model, Allows], ids=lambda cls: cls.__name__)
def test_forged_names_reach_no_storage(cls: type, name: str) -> None:
    """A forged name is an extra like any other, or is ignored: it never replaces the storage of that name."""
    made = restore(listed(cls), {"total": 1, "a": 1, name: {"forged": 1}})
    assert type(made) is cls
    assert type(made.__pydantic_fields_set__) is set
    assert "forged" not in (made.__dict__ | {"": made.__pydantic_private__ or {}}[""])


@given(st.dictionaries(st.text(max_size=5), st.integers()), st.integers())
def test_extras_come_back(extras: dict[str, int], a: int) -> None:
    """A model that allows extras comes back with all of them, whatever they are called."""
    made = Allows(b=a)
    assert made.__pydantic_extra__ is not None
    made.__pydantic_extra__.update({name: value for name, value in extras.items() if name != "a"})
    assert again(made) == made
