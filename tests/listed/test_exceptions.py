"""Exceptions: arguments, attributes, notes and chain, and what the interpreter keeps for its own."""

import enum
import json
import subprocess
from typing import Any

import pydantic
import pytest
from hypothesis import given

from siftpack.errors import PolicyError
from siftpack.listed import Flavour, restore
from siftpack.restore.exceptions import constructor_args
from siftpack.storage import type_name
from siftpack.testing import same, zoo
from siftpack.testing.strategies import data
from tests.listed.fields import FEW, again, fields_of, listed
from tests.named import named


def never(*_: Any, **__: Any) -> Any:
    """Stands for code that must not run."""
    raise AssertionError


class GuardedError(ValueError):
    """Every hook refuses to run."""

    __slots__ = ("code",)
    __new__ = never
    __init__ = never
    __setattr__ = never
    __getattribute__ = never
    __str__ = never
    __reduce__ = never
    args = property(never)
    __cause__ = property(never)
    __notes__ = property(never)


class FileGoneError(FileNotFoundError):
    """An OSError with a constructor of its own, which makes the interpreter take arguments apart later."""

    def __init__(self, code: int, text: str, extra: Any) -> None:
        super().__init__(code, text, "file")
        self.extra = extra


class Group(ExceptionGroup[Exception]):
    """A group with a constructor of its own."""

    def __new__(cls, errors: list[Exception], code: int) -> "Group":
        made = super().__new__(cls, "group", errors)
        made.code = code
        return made

    code: int


class Base(BaseException):
    """No Exception."""


class Answers(BaseException):
    """Would be asked for its class inside a group."""

    __class__ = property(never)  # type: ignore[assignment]


class Listens:
    """An argument that C code could ask something."""

    __index__ = never
    __iter__ = never
    __hash__ = never  # type: ignore[assignment]
    __str__ = never


def raised(error: BaseException, **attributes: Any) -> Any:
    """The error with attributes, two of its notes and no traceback."""
    vars(error).update(attributes)
    error.add_note("one")
    error.add_note("two")
    return error


INSTANCES: tuple[Any, ...] = (
    *(ValueError(), ValueError("m", [1]), KeyError("k"), Base(1), zoo.failed("m", 1), raised(zoo.Failure("x"), a=1)),
    *(OSError(), OSError("m"), FileNotFoundError(2, "m"), FileNotFoundError(2, "m", "file"), SystemExit(3)),
    *(PermissionError(1, "m", "one", None, "two"), BlockingIOError(11, "m", 5), StopIteration([1]), Exception(None)),
    *(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), SyntaxError("m", ("file", 1, 2, "text", 3, 4))),
    *(FileGoneError(2, "m", [1]), subprocess.CalledProcessError(1, ["a"], b"out"), json.JSONDecodeError("m", "doc", 1)),
    *(ExceptionGroup("g", [ValueError(1), zoo.failed("x")]), BaseExceptionGroup("g", (Base(),)), Group([OSError()], 5)),
    *(ImportError("m"), AttributeError("m"), NameError("m"), MemoryError("m"), RecursionError()),
)


@pytest.mark.parametrize("obj", INSTANCES, ids=lambda obj: type(obj).__name__)
def test_an_exception_is_made_again_from_its_fields(obj: Any) -> None:
    """Class, arguments, attributes, notes and message are what they were."""
    entry = listed(type(obj))
    assert entry.flavour is Flavour.EXCEPTION
    assert entry.required == set()
    copy = again(obj)
    assert type(copy) is type(obj)
    assert copy.args == (obj.args if not isinstance(obj, Group) else ("group", obj.exceptions))
    assert vars(copy) == vars(obj)
    assert str(copy) == str(obj)
    assert repr(fields_of(entry, copy)) == repr(fields_of(entry, obj))


@pytest.mark.parametrize(
    ("obj", "names"),
    [
        (FileNotFoundError(2, "m", "file"), "errno strerror filename filename2"),
        (PermissionError(1, "m", "one", None, "two"), "errno strerror filename filename2"),
        (FileGoneError(2, "m", 1), "errno strerror filename extra"),
        (SystemExit(3), "code"),
        (StopIteration([1]), "value"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), "encoding object start end reason"),
        (SyntaxError("m", ("file", 1, 2, "text", 3, 4)), "msg filename lineno offset text end_lineno end_offset"),
        (ExceptionGroup("g", [ValueError(1)]), "message exceptions"),
        (BlockingIOError(11, "m", 5), "characters_written"),
        (ImportError("m"), "msg"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_what_the_interpreter_keeps_is_worked_out_again(obj: Any, names: str) -> None:
    """Codes, files, positions and members of a group are there again, by the C code of the type itself."""
    copy = again(obj)
    assert [getattr(copy, name) for name in names.split()] == [getattr(obj, name) for name in names.split()]


def test_the_arguments_of_an_os_error_hold_its_files() -> None:
    """Python keeps files apart from ``args``; what makes the error again has them."""
    assert constructor_args(FileNotFoundError(2, "m", "f")) == (2, "m", "f")
    assert constructor_args(PermissionError(1, "m", "f", None, "g")) == (1, "m", "f", None, "g")
    assert constructor_args(OSError(1, "m")) == (1, "m")
    assert constructor_args(OSError("m")) == ("m",)
    assert constructor_args(ValueError(1, "m")) == (1, "m")


def test_no_hook_of_the_class_runs() -> None:
    """Neither constructor, ``__setattr__`` nor a property over ``args``, cause or notes is called."""
    cause = KeyError("k")
    fields = {"args": (1,), "code": 2, "loose": 3, "__notes__": ["n"], "__cause__": cause}
    made = restore(listed(GuardedError), fields)
    assert type(made) is GuardedError
    entry = listed(GuardedError)
    assert fields_of(entry, made) == fields


def test_cause_and_context_are_chained() -> None:
    """A cause hides the context as ``raise from`` does; a context alone is shown."""
    inner = KeyError("k")
    made = again(zoo.failed("m", cause=inner))
    assert (made.__cause__, made.__suppress_context__) == (inner, True)
    made = again(zoo.failed("m", context=inner))
    assert (made.__cause__, made.__context__, made.__suppress_context__) == (None, inner, False)


@pytest.mark.parametrize("other", [{"type": "KeyError"}, "text", None, 5, KeyError])
def test_a_chain_that_is_no_exception_any_more_is_left_out(other: Any) -> None:
    """A cause whose class is not listed comes back as a map, which cannot be a cause again."""
    made = restore(listed(ValueError), {"args": ("m",), "__cause__": other, "__context__": other})
    assert (made.__cause__, made.__context__, vars(made)) == (None, None, {})


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "field 'args' missing and without a default"),
        ({"args": [1]}, "field 'args' is no tuple"),
        ({"args": None}, "field 'args' is no tuple"),
        ({"args": zoo.Tuple()}, "field 'args' is no tuple"),
    ],
)
def test_fields_of_another_type_are_refused(fields: dict[str, Any], why: str) -> None:
    """Arguments are a tuple, of exactly this type."""
    with pytest.raises(ValueError, match=f"^{type_name(zoo.Failure)}: {why}$"):
        restore(listed(zoo.Failure), fields)


@pytest.mark.parametrize(
    "name", ["", "__class__", "__dict__", "__traceback__", "__suppress_context__", "__notes__", "add_note"]
)
def test_forged_names_are_inert_entries(name: str) -> None:
    """A forged name is an entry of the instance dict that replaces nothing."""
    made = restore(listed(ValueError), {"args": (1,), name: 5})
    assert type(made) is ValueError
    assert vars(made) == {name: 5}
    assert (made.__traceback__, made.__suppress_context__, made.args) == (None, False, (1,))


@pytest.mark.parametrize(
    "args",
    [
        *((), ("g",), ("g", []), ("g", ()), (b"g", [ValueError()]), ("g", [1]), ("g", [ValueError(), {}])),
        *(("g", [ValueError], 1), ("g", zoo.List([ValueError()])), (zoo.Str("g"), [ValueError()]), ("g", [ValueError])),
        *(("g", [Base()]), ("g", [Answers()]), ("g", iter([ValueError()]))),
    ],
    ids=named,
)
@pytest.mark.parametrize("cls", [ExceptionGroup, Group])
def test_a_group_needs_exceptions(cls: type, args: tuple[Any, ...]) -> None:
    """A group whose arguments are not a message and exceptions is refused: unlisted members came back as maps."""
    with pytest.raises(ValueError, match=f"^{type_name(cls)}: field 'args' "):
        restore(listed(cls), {"args": args})


def test_a_group_asks_its_members_nothing() -> None:
    """A member that would be asked for its class is refused; a group that would become another class too."""
    with pytest.raises(ValueError, match=r"field 'args' holds tests.listed.test_exceptions.Answers"):
        restore(listed(BaseExceptionGroup), {"args": ("g", [Answers()])})
    with pytest.raises(ValueError, match="BaseExceptionGroup: "):
        restore(listed(BaseExceptionGroup), {"args": ("g", [ValueError()])})


@pytest.mark.parametrize(
    ("cls", "args"),
    [
        *((OSError, (2, "m")), (OSError, (2, "m", Listens())), (BlockingIOError, (1, "m", Listens()))),
        *((SyntaxError, ("m", Listens())), (SyntaxError, ("m", (1,))), (UnicodeDecodeError, (1, 2))),
        *((UnicodeDecodeError, ("a", b"", Listens(), 1, "m")), (BlockingIOError, (1, "m", 2**70))),
        *((SystemExit, (Listens(),)), (FileGoneError, (2, "m", Listens())), (KeyError, (Listens(), 1))),
    ],
    ids=named,
)
def test_arguments_a_type_cannot_take_apart_stay_arguments(cls: type, args: tuple[Any, ...]) -> None:
    """Arguments that do not fit, or could be asked something, are kept whole and nothing is derived from them."""
    made = restore(listed(cls), {"args": args})
    assert type(made) is cls
    assert made.args == args or made.args == args[:2]


def test_exceptions_that_cannot_be_made_are_refused_when_listed() -> None:
    """An exception of a C or Rust extension with a constructor of its own, and one that is an enum, is refused."""
    with pytest.raises(PolicyError, match="ValidationError cannot be listed"):
        listed(pydantic.ValidationError)
    with pytest.raises(PolicyError, match="an enum of exceptions"):
        listed(type("Empty", (Exception, enum.Enum), enum.EnumMeta.__prepare__("Empty", (Exception, enum.Enum))))


@FEW
@given(data(), data(), data())
def test_any_data_comes_back_in_an_exception(first: Any, second: Any, attribute: Any) -> None:
    """Whatever the arguments and attributes are, they are the same afterwards."""
    for cls in (zoo.Failure, ValueError, OSError, UnicodeDecodeError, SyntaxError, FileGoneError):
        made = restore(listed(cls), {"args": (first, second), "a": attribute})
        assert type(made) is cls
        assert same(made.args, (first, second))
        assert same(vars(made)["a"], attribute)
