"""``cached``: functions and methods of both kinds whose answers are kept by their arguments."""

import functools
import inspect
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from siftpack import PolicyError
from siftpack.cache import AsyncCache, Cache
from tests.cache.crowd import World

calls: list[Any] = []


@pytest.fixture(autouse=True)
def _nothing_called() -> None:
    calls.clear()


def double(x: Any, *rest: Any, y: int = 2, **more: Any) -> list[Any]:
    """A function at the top of a module."""
    calls.append(x)
    return [x, *rest, y, *sorted(more)]


async def double_later(x: Any, *rest: Any, y: int = 2, **more: Any) -> list[Any]:
    """Its twin."""
    return double(x, *rest, y=y, **more)


def kinds(world: World) -> Callable[..., list[Any]]:
    return double if world.kind == "sync" else double_later  # type: ignore[return-value]


def test_answers_are_kept_by_arguments(world: World) -> None:
    """However the arguments are given they are one question, and each other one is another."""
    cache = world.make()
    ask = cache.for_user("u").cached(ttl=60)(kinds(world))
    for _ in range(3):
        for call in (
            lambda: ask(1),
            lambda: ask(x=1),
            lambda: ask(1, y=2),
            lambda: ask(1, 5),
            lambda: ask(1, z=1),
            lambda: ask(1, y=3),
            lambda: ask(True),
            lambda: ask("1"),
        ):
            world.one(call)
    assert calls == [1, 1, 1, 1, True, "1"]
    assert world.one(lambda: ask(1, z=1)) == [1, 2, "z"]
    assert world.one(lambda: cache.shared().cached()(kinds(world))(1)) == [1, 2]
    assert len(calls) == 7


def test_what_a_caller_does_to_an_answer_no_other_sees(world: World) -> None:
    """Every call gives a value of its own."""
    ask = world.make().for_user("u").cached()(kinds(world))
    first, second = world.one(lambda: ask(1)), world.one(lambda: ask(1))
    first.append("changed")
    assert second == world.one(lambda: ask(1)) == [1, 2]


def test_many_calls_at_once_compute_once(world: World) -> None:
    """Calls that miss at once share one computation."""
    cache = world.make()
    started: list[int] = []
    slow = world.loader(lambda: started.append(1) or "answer", 0.2)
    if world.kind == "sync":

        def named(x: int) -> Any:
            return slow()
    else:

        async def named(x: int) -> Any:
            return await slow()

    ask = cache.for_user("u").cached(ignore=("slow",))(named)
    assert world.ask(*[lambda: ask(1)] * 50) == ["answer"] * 50
    assert started == [1]


@pytest.mark.parametrize("argument", [lambda: 0, functools.partial(double), SecretStr("s"), threading.Lock()])
def test_ambiguous_calls_go_past_the_cache(world: World, argument: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Such a call is computed each time, counted each time, and logged once: path and type, no value."""
    cache = world.make()
    user = cache.for_user("u")
    ask = user.cached()(kinds(world))
    for _ in range(3):
        assert world.one(lambda: ask(argument))[0] is argument
    assert calls == [argument] * 3
    assert cache.stats()["computing"] == {"bypass": 3}
    assert cache.stats()["misses"] == cache.stats()["sets"] == 0
    told = [record.getMessage() for record in caplog.records if record.name == "siftpack.cache"]
    assert len(told) == 1
    assert "$.x" in told[0]
    assert type(argument).__name__ in told[0]
    assert "ignore=" in told[0]
    assert ask.key_for(argument) is None


def test_key_and_ignore_say_what_counts(world: World) -> None:
    """``ignore`` leaves arguments out of the key; ``key`` makes it, or gives None to go past the cache."""
    user = world.make().for_user("u")
    ask = user.cached(ignore="x")(kinds(world))
    assert world.one(lambda: ask(print)) == world.one(lambda: ask(2)) is not None
    assert len(calls) == 1
    keyed = user.cached(key=lambda x, **_: None if x is None else f"k{x}")(kinds(world))
    for x in (1, 1, 2, None, None):
        world.one(lambda x=x: keyed(x, hook=print))
    assert calls[1:] == [1, 2, None, None]
    assert keyed.key_for(7).endswith(":k7")
    wrong = user.cached(key=lambda x: 5)(kinds(world))
    with pytest.raises(PolicyError):
        world.one(lambda: wrong(1))


def test_wrong_arguments_are_a_type_error(world: World) -> None:
    """What the function would not take, its cached form does not take either."""
    ask = world.make().for_user("u").cached()(kinds(world))
    with pytest.raises(TypeError, match="'x'"):
        world.one(ask)


def test_forget_and_key_for(world: World) -> None:
    """``key_for`` gives the key of a call and ``forget`` deletes its answer."""
    user = world.make().for_user("u")
    ask = user.cached()(kinds(world))
    world.one(lambda: ask(1))
    key = ask.key_for(x=1)
    assert key.startswith(f"tests.cache.test_memo:{kinds(world).__name__}:")
    assert world.one(lambda: user.get(key)) == [1, 2]
    assert world.one(lambda: ask.forget(1)) is True
    assert world.one(lambda: ask.forget(1)) is False
    assert world.one(lambda: ask.forget(print, hook=lambda: 0)) is False
    world.one(lambda: ask(1))
    assert calls == [1, 1]
    assert inspect.signature(ask) == inspect.signature(kinds(world))
    assert ask.__doc__ == kinds(world).__doc__
    assert inspect.iscoroutinefunction(ask) is (world.kind == "async")


def test_each_user_has_answers_of_his_own(world: World) -> None:
    """On a cache of many users ``user`` says whose the answer is; without it there is none."""
    cache = world.make()
    with pytest.raises(PolicyError, match="for_user"):
        cache.cached()(kinds(world))
    for user in ("x", lambda x, **_: x["id"]):
        calls.clear()
        ask = cache.cached(user=user, ignore="x")(kinds(world))
        ids = ("a", "b", "a", "b") if type(user) is str else ({"id": "a"}, {"id": "b"}, {"id": "a"}, {"id": "b"})
        found = world.ask(*[functools.partial(ask, each) for each in ids])
        assert [each[0] for each in found] == list(ids)
        assert len(calls) == 2
        world.one(cache.clear_namespace)
    assert sorted(cache.stats()["users"]) == ["a", "b"]
    for nobody in (None, "", 5):
        with pytest.raises(PolicyError):
            world.one(lambda nobody=nobody: cache.cached(user="x")(kinds(world))(nobody))
    for wrong in ("nobody", 5):
        with pytest.raises(PolicyError):
            cache.cached(user=wrong)(kinds(world))
    with pytest.raises(PolicyError):
        cache.for_user("u").cached(user="x")(kinds(world))


def test_a_cache_of_one_user(world: World) -> None:
    """With ``multi_user=False`` the cache itself can be used."""
    ask = world.make(multi_user=False).cached()(kinds(world))
    assert world.one(lambda: ask(1)) == world.one(lambda: ask(1)) == [1, 2]
    assert calls == [1]


class Plain:
    """An object that is data."""

    def __init__(self, name: str) -> None:
        self.name = name


class Guarded(Plain):
    """An object that is more than its data."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.lock = threading.Lock()


@pytest.mark.parametrize("base", [Plain, Guarded])
@pytest.mark.parametrize("ignore", [(), ("self",)])
def test_methods(world: World, base: type, ignore: tuple[str, ...]) -> None:
    """``self`` counts like every argument, and is left out only if told."""
    cache = world.make()
    method = cache.for_user("u").cached(ignore=ignore, name="ask")

    def plain(self: Any, x: int) -> Any:
        calls.append(self.name)
        return [self.name, x]

    async def later(self: Any, x: int) -> Any:
        calls.append(self.name)
        return [self.name, x]

    base.ask = method(plain if world.kind == "sync" else later)  # type: ignore[attr-defined]
    try:
        one, twin, other = base("one"), base("one"), base("other")
        found = [world.one(lambda each=each: each.ask(1)) for each in (one, twin, other, one)]
    finally:
        del base.ask  # type: ignore[attr-defined]
    if ignore:
        assert found == [["one", 1]] * 4
        assert calls == ["one"]
    else:
        assert found == [["one", 1], ["one", 1], ["other", 1], ["one", 1]]
        assert calls == (["one", "other"] if base is Plain else ["one", "one", "other", "one"])


def test_methods_of_classes() -> None:
    """The class counts by its name in a classmethod; a staticmethod has only its arguments."""
    user = Cache().for_user("u")

    class Local(Plain):
        @classmethod
        @user.cached()
        def local(cls) -> Any:
            calls.append(cls)
            return "local"

        @staticmethod
        @user.cached()
        def static(x: int) -> Any:
            calls.append(x)
            return x

    Plain.known = classmethod(user.cached(name="known")(lambda cls: calls.append(cls) or cls.__name__))  # type: ignore[attr-defined]
    try:
        assert [Plain.known(), Plain.known(), Guarded.known(), Local.known(), Local.known()] == [
            *("Plain", "Plain", "Guarded", "Local", "Local")
        ]
    finally:
        del Plain.known  # type: ignore[attr-defined]
    assert calls == [Plain, Guarded, Local, Local]  # a local class has no name of its own
    calls.clear()
    assert [Local.static(1), Local.static(1), Local("x").static(1)] == [1, 1, 1]
    assert calls == [1]


def test_closures_with_other_contents_are_other_functions() -> None:
    """Variables of an enclosing function count, as they are when the function is decorated."""
    user = Cache().for_user("u")

    def make(factor: Any) -> Any:
        @user.cached()
        def times(x: int) -> Any:
            calls.append(x)
            return x * (factor if type(factor) is int else 10)

        return times

    assert [make(2)(1), make(3)(1), make(2)(1), make([1])(1)] == [2, 3, 2, 10]
    assert len(calls) == 3
    assert make(lambda: 1).key_for(1) is None

    @user.cached()
    def fib(n: int) -> int:
        calls.append(n)
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    calls.clear()
    assert fib(20) == 6765
    assert len(calls) == 21


def around(said: Any) -> Any:
    """A decorator with something to say."""

    def decorate(function: Any) -> Any:
        @functools.wraps(function)
        def wrapped(*args: Any) -> Any:
            return [said, function(*args)]

        return wrapped

    return decorate


@around(threading.Lock)
def outermost(x: int) -> int:
    """A function that is another under its name."""
    calls.append(x)
    return x


def test_other_decorators_may_be_below() -> None:
    """What decorators below hold does not count where the name says which function it is; elsewhere it does."""
    user = Cache().for_user("u")
    ask = user.cached()(outermost)
    assert [ask(1)[-1], ask(1)[-1]] == [1, 1]
    assert calls == [1]

    def make(said: Any, factor: int) -> Any:
        @user.cached()
        @around(said)
        def times(x: int) -> int:
            calls.append(x)
            return x * factor

        return times

    calls.clear()
    assert [make("a", 2)(1), make("b", 2)(1), make("a", 3)(1), make("a", 2)(1)] == [
        *(["a", 2], ["b", 2], ["a", 3], ["a", 2])
    ]
    assert len(calls) == 3


def test_functions_that_cannot_be_cached() -> None:
    """Generators, functions of the other kind, and what is no plain function or has no name are refused."""
    sync, later = Cache().for_user("u"), AsyncCache().for_user("u")

    def generator() -> Any:
        yield 1

    async def agenerator() -> Any:
        yield 1

    for face, wrong in (
        *((sync, double_later), (sync, generator), (sync, agenerator), (later, double), (later, agenerator)),
        *((sync, print), (sync, functools.partial(double)), (sync, Plain), (sync, Plain("x")), (sync, lambda x: x)),
    ):
        with pytest.raises(PolicyError):
            face.cached()(wrong)
    for options in ({"ignore": "nobody"}, {"key": "x"}, {"name": ""}, {"name": 5}, {"ttl": 0}, {"early": -1}):
        with pytest.raises(PolicyError):
            sync.cached(**options)(double)
    assert sync.cached(name="it")(lambda x: x)(1) == 1


def test_keys_are_the_same_in_every_process() -> None:
    """The key of a call is the same in another process, in a script as with ``python -m``."""
    program = (
        "from siftpack.cache import Cache\n"
        "import tests.cache.test_memo as it\n"
        "print(Cache().for_user('u').cached()(it.double).key_for({'b': {1, 2}, 'a': it.Plain('x')}))"
    )
    told = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert told == {f"{Cache().for_user('u').cached()(double).key_for({'b': {1, 2}, 'a': Plain('x')})}\n"}


def test_logging_is_once_for_each_function(caplog: pytest.LogCaptureFixture) -> None:
    """Two functions that go past the cache are two messages."""
    caplog.set_level(logging.WARNING, "siftpack.cache")
    user = Cache().for_user("u")
    for name in ("one", "two"):
        ask = user.cached(name=name)(double)
        ask(print, hook=lambda: 0)
        ask(lambda: 0)
    assert [record.args[0] for record in caplog.records if record.args] == ["one", "two"]
