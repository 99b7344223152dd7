"""``@cache.cached``: a function whose answers are kept by its arguments."""

import functools
import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple, ParamSpec, Protocol

from siftpack.cache.arguments import Key, key_of, module_name
from siftpack.cache.engine import log
from siftpack.cache.fresh import WAIT, Terms, terms_of
from siftpack.errors import PolicyError
from siftpack.policy import Limits
from siftpack.report import Finding

P = ParamSpec("P")

UNSET: Final = "(unset)"
"""Stands for a variable of an enclosing function that had no value when the function was decorated."""


class Cached(Protocol[P]):
    """A decorated function, which is a function still: it has the arguments it had, and two words more."""

    def __call__(self, *args: P.args, **options: P.kwargs) -> Any:
        """The answer, as ``get`` gives it; of a coroutine function to be awaited."""
        ...

    def __get__(self, instance: Any, owner: Any = None, /) -> Any:
        """A method, bound as functions are."""
        ...

    def key_for(self, *args: P.args, **options: P.kwargs) -> str | None:
        """The key of a call; None for one that goes past the cache."""
        ...

    def forget(self, *args: P.args, **options: P.kwargs) -> Any:
        """Delete the answer of a call; True if there was one, to be awaited with ``AsyncCache``."""
        ...


class Question(NamedTuple):
    """One call: whose, under which key, or why there is none."""

    user: Any
    key: str | None
    lost: tuple[Finding, ...] = ()


class Recipe:
    """How the calls of one function become keys. Decides only; ``decorator`` says what the options mean."""

    def __init__(  # noqa: PLR0913 - one argument an option
        self, function: Any, *, key: Any, ignore: Any, name: Any, user: Any, limits: Limits
    ) -> None:
        self.function = function
        self.limits = limits
        self._signature = inspect.signature(function)
        self._cells = _free(function)
        known = {*self._signature.parameters, *self._cells}
        self._ignored = _names(ignore, known)
        self._key = _callable(key, "key")
        self._user = user if user is None or callable(user) else _parameter(user, self._signature)
        self.of_users = user is not None
        """True if each call says whose it is."""
        self.name = _called(function, name)
        self._held = self._closure()

    def question(self, args: tuple[Any, ...], options: Mapping[str, Any]) -> Question:
        """The question a call asks. Raises ``TypeError`` for arguments that the function does not take."""
        bound = self._signature.bind(*args, **options)
        bound.apply_defaults()
        user = None
        if self._user is not None:
            user = self._user(*args, **options) if callable(self._user) else bound.arguments[self._user]
        if self._key is not None:
            return Question(user, self._given(self._key(*args, **options)))
        if self._held.text is None:
            return Question(user, None, self._held.lost)
        counted = {name: value for name, value in bound.arguments.items() if name not in self._ignored}
        found = key_of(counted, self.limits)
        if found.text is None:
            return Question(user, None, found.lost)
        return Question(user, f"{self.name}:{self._held.text}{found.text}")

    def _given(self, key: Any) -> str | None:
        if key is not None and type(key) is not str:
            raise PolicyError("key gives a str, or None to go past the cache")
        return None if key is None else f"{self.name}:{key}"

    def _closure(self) -> Key:
        """What the variables of an enclosing function hold, now, as part of every key; nothing if there are none."""
        held = {name: value for name, value in self._cells.items() if name not in self._ignored}
        if not held or self._key is not None:
            return Key("")
        found = key_of(held, self.limits)
        return found if found.text is None else Key(f"{found.text}:")


def decorator(  # noqa: PLR0913 - one argument an option
    face: Any,
    ttl: Any,
    *,
    awaits: bool,
    key: Callable[..., str | None] | None = None,
    ignore: str | Iterable[str] = (),
    name: str | None = None,
    user: str | Callable[..., str] | None = None,
    early: float | None = None,
    stale: float | None = None,
    lock: float | None = None,
    wait: float = WAIT,
) -> Callable[[Callable[P, Any]], Cached[P]]:
    """What ``cached`` gives.

    - ``ttl``, ``early``, ``stale``, ``lock``, ``wait``: as for ``get_or_compute``
    - ``key``: called with the arguments, gives the key; None goes past the cache
    - ``ignore``: arguments that do not count, such as ``self``; variables of an enclosing function too
    - ``name``: what keys begin with; without it module and qualname of the function
    - ``user``: on a cache of many users, the argument that names the user, or a function of the arguments that does

    The function has ``key_for(...)``, the key of a call or None, and ``forget(...)``, which deletes its answer. A call
    that has no key goes past the cache: counted, and logged once for each function. Raises ``PolicyError`` for options
    that make no sense, and for functions that have no name of their own or are of the other kind.
    """
    engine = face._engine  # noqa: SLF001 - the face's own other half
    terms = terms_of(engine.ttl(ttl), early, stale, lock, wait)
    if user is None:
        face._owner  # noqa: B018, SLF001 - refused here and not at the first call
    elif not hasattr(face, "for_user"):
        raise PolicyError("user= is for a cache of many users; these are the entries of one")

    def decorate(function: Callable[P, Any]) -> Cached[P]:
        _check(function, awaits=awaits)
        recipe = Recipe(function, key=key, ignore=ignore, name=name, user=user, limits=engine.limits)
        return (_waiting if awaits else _calling)(Memo(face, recipe, terms))

    return decorate


class Memo:
    """One decorated function of one cache."""

    def __init__(self, face: Any, recipe: Recipe, terms: Terms) -> None:
        self.recipe = recipe
        self.terms = terms
        self._face = face
        self._said = False

    def ask(self, args: tuple[Any, ...], options: Mapping[str, Any]) -> tuple[Any, str | None]:
        """The face a call belongs to and its key; None for one that goes past the cache, which is counted."""
        face, question = self._asked(args, options)
        if question.key is None:
            self._passed(face, question.lost)
        return face, question.key

    def place(self, args: tuple[Any, ...], options: Mapping[str, Any]) -> tuple[Any, str | None]:
        """The same, counting nothing."""
        face, question = self._asked(args, options)
        return face, question.key

    def _asked(self, args: tuple[Any, ...], options: Mapping[str, Any]) -> tuple[Any, Question]:
        question = self.recipe.question(args, options)
        return (self._face.for_user(question.user) if self.recipe.of_users else self._face), question

    def _passed(self, face: Any, lost: tuple[Finding, ...]) -> None:
        labels = face._owner.labels  # noqa: SLF001 - the face's own other half
        name = self.recipe.name
        face._engine.stats.computing(labels, "bypass", name, findings=lost)  # noqa: SLF001 - as above
        if lost and not self._said:
            self._said = True
            first = f"{lost[0].path} ({lost[0].kind.value} {lost[0].type_name})"
            advice = "say key= or ignore=, or pass data instead"
            log.warning("calls of %s go past the cache: %s does not count in a key; %s", name, first, advice)


def _calling(memo: Memo) -> Cached[Any]:
    from siftpack.cache.compute import get_or_compute

    function = memo.recipe.function

    @functools.wraps(function)
    def cached(*args: Any, **options: Any) -> Any:
        face, key = memo.ask(args, options)
        if key is None:
            return function(*args, **options)
        return get_or_compute(face, key, functools.partial(function, *args, **options), memo.terms)

    def forget(*args: Any, **options: Any) -> bool:
        face, key = memo.place(args, options)
        return key is not None and bool(face.delete(key))

    return _finished(cached, memo, forget)


def _waiting(memo: Memo) -> Cached[Any]:
    from siftpack.cache.aiocompute import get_or_compute

    function = memo.recipe.function

    @functools.wraps(function)
    async def cached(*args: Any, **options: Any) -> Any:
        face, key = memo.ask(args, options)
        if key is None:
            return await function(*args, **options)
        return await get_or_compute(face, key, functools.partial(function, *args, **options), memo.terms)

    async def forget(*args: Any, **options: Any) -> bool:
        face, key = memo.place(args, options)
        return key is not None and bool(await face.delete(key))

    return _finished(cached, memo, forget)


def _finished(cached: Any, memo: Memo, forget: Callable[..., Any]) -> Cached[Any]:
    cached.key_for = lambda *args, **options: memo.recipe.question(args, options).key
    cached.forget = forget
    return cached  # type: ignore[no-any-return]  # a function with two words more


# What a function is, and what its options say.


def _check(function: Any, *, awaits: bool) -> None:
    if type(function) is not types.FunctionType:
        raise PolicyError("cached takes a plain function, or a method where it is defined")
    flags = function.__code__.co_flags
    if flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        raise PolicyError(f"{function.__qualname__} is a generator: what it yields is gone when it was read")
    if bool(flags & inspect.CO_COROUTINE) is not awaits:
        raise PolicyError("Cache caches functions, and AsyncCache coroutine functions")


def _called(function: Any, name: Any) -> str:
    """What keys begin with."""
    if name is not None:
        if type(name) is not str or not name:
            raise PolicyError("name is a str, and not empty")
        return name
    if function.__name__ == "<lambda>":
        raise PolicyError("a lambda has no name of its own: say name=")
    return f"{module_name(function.__module__)}:{function.__qualname__}"


def _free(function: Any) -> dict[str, Any]:
    """The variables of enclosing functions, as they are now, of a function that is made anew with them.

    One at the top of a module or class is made once, under its name; its variables are those of its decorators. Of
    decorators that say what they wrap, what is wrapped is looked at, too.
    """
    held: dict[str, Any] = {}
    layer = function if "<locals>" in function.__qualname__ else None
    while type(layer) is types.FunctionType:
        inner = layer.__dict__.get("__wrapped__")
        for name, cell in zip(layer.__code__.co_freevars, layer.__closure__ or (), strict=True):
            try:
                content = cell.cell_contents
            except ValueError:  # not set yet, as the function's own name
                content = UNSET
            if content is not inner or inner is None:
                held[name if name not in held else f"{name} {len(held)}"] = content
        layer = inner
    return held


def _names(ignore: Any, known: set[str]) -> frozenset[str]:
    listed = frozenset((ignore,) if type(ignore) is str else ignore)
    unknown = sorted(map(str, listed - known))
    if unknown:
        raise PolicyError(f"ignore names {unknown[0]!r}, which is no argument of the function")
    return listed


def _parameter(user: Any, signature: inspect.Signature) -> str:
    if type(user) is not str or user not in signature.parameters:
        raise PolicyError("user names an argument of the function, or is a function of its arguments")
    return user


def _callable(found: Any, what: str) -> Any:
    if found is not None and not callable(found):
        raise PolicyError(f"{what} is a function of the arguments")
    return found
