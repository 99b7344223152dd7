"""How an agent of any shape is called: as its framework does, or by the signature of its function or method."""

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final

from siftpack.agents import frameworks
from siftpack.agents.frameworks.call import Call
from siftpack.errors import PolicyError
from siftpack.report import shown_type
from siftpack.storage import awaitable, class_attribute, inherits, mro

METHODS: Final = ("arun", "ainvoke", "execute", "run", "invoke", "kickoff", "run_sync")
"""Methods that execute an agent, in the order in which they are looked for."""

_CONTEXT: Final = ("context", "ctx", "execution_context", "run_context")
_POSITIONAL: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


async def run(agent: Any, context: Any, input_data: Any) -> Any:
    """What the agent returns. Raises what it raises, and ``PolicyError`` for what is no agent."""
    call = frameworks.call(agent, context, input_data) or _generic(agent, context, input_data)
    given = await in_thread(call.run) if call.blocking else call.run()
    return await given if awaitable(given) else given


def method_of(agent: Any) -> str | None:
    """The method that executes an object, looked up in its class alone; None for a function."""
    if inspect.isroutine(agent):
        return None
    order = mro(type(agent))
    return next((name for name in METHODS if callable(class_attribute(order, name))), None)


def _generic(agent: Any, context: Any, input_data: Any) -> Call:
    if inherits(type(agent), type):
        raise PolicyError(f"an agent is an object or a function, not the class {shown_type(agent)}")
    name = method_of(agent)
    function = agent if name is None else getattr(agent, name)
    if not callable(function):
        raise PolicyError(f"an instance of {shown_type(type(agent))} is no agent: it has none of {', '.join(METHODS)}")
    args, options = _arguments(function, context, input_data)
    return Call(lambda: function(*args, **options), blocking=not _awaits(function))


def _awaits(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        class_attribute(mro(type(function)), "__call__")
    )


def _arguments(function: Any, context: Any, input_data: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments: context and input in this order, each where its name says, or the input alone for one."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return (context, input_data), {}
    places = [each for each in parameters if each.kind in _POSITIONAL]
    keyword = next((e.name for e in parameters if e.kind is e.KEYWORD_ONLY and e.name in _CONTEXT), None)
    given = {} if keyword is None else {keyword: context}
    named = next((at for at, each in enumerate(places) if each.name in _CONTEXT), None)
    if named is not None:
        if len(places) == 1:
            return (context,), {}
        return ((context, input_data), {}) if named == 0 else _with_context(places, named, context, input_data)
    needed = sum(each.default is inspect.Parameter.empty for each in places)
    if keyword is None and (needed >= 2 or any(each.kind is each.VAR_POSITIONAL for each in parameters)):
        return (context, input_data), {}
    return ((input_data,) if places else ()), given


def _with_context(
    places: list[inspect.Parameter], named: int, context: Any, input_data: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if places[named].kind is inspect.Parameter.POSITIONAL_ONLY:
        return (input_data, context), {}
    return (input_data,), {places[named].name: context}


async def in_thread(function: Callable[[], Any]) -> Any:
    """What a function gives that blocks, run in a thread of its own.

    A thread cannot be stopped: when the caller is cancelled, or its time is over, the function goes on to its end, and
    what it gives is dropped.
    """
    return await asyncio.shield(asyncio.wrap_future(begun(function, "siftpack-agent")))


def begun(function: Callable[[], Any], name: str) -> "Future[Any]":
    """What a function will give, in a thread of that name with the caller's context variables.

    The thread does not keep the process alive.
    """
    future: Future[Any] = Future()
    variables = contextvars.copy_context()

    def work() -> None:
        try:
            outcome = variables.run(function)
        except StopIteration as raised:  # which no future can carry
            future.set_exception(RuntimeError(f"StopIteration: {raised}"))
        except BaseException as raised:  # noqa: BLE001 - raised again where it is awaited
            future.set_exception(raised)
        else:
            future.set_result(outcome)

    threading.Thread(target=work, name=name, daemon=True).start()
    return future
