"""What must hold for every agent framework, with the real package and a model that needs no network.

A framework's file subclasses ``FrameworkSuite`` and builds a ``Scene``. Its name begins with ``with_``, so that no
ordinary run collects it: ``make test-frameworks`` brings the packages, each group in an environment of its own.
"""

import asyncio
import dataclasses
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import redis

import siftpack
from siftpack import JSON, LOGGING
from siftpack.agents import ExecutionContext, execute_agent_pipeline, extract
from siftpack.cache import AsyncCache, Cache
from siftpack.policy import MACHINERY_KINDS, Kind
from siftpack.testing import same, servers
from tests.faults.busy import patient

KEY = "sk-proj-Zk3Qp81xVb7Lm5Rt9Yw2Nc6Hd4Js0Fg"
"""The API key that agents, models and clients are given, and that must be in no output."""


@dataclasses.dataclass
class Scene:
    """A run that was made: what it gave, what stood beside it, and what must come of both."""

    result: Any
    """What the framework's agent returned."""
    context: dict[str, Any]
    """Agent, model, client, tools and callbacks by name; the result is added to them."""
    output: Any
    """The business result, exact."""
    usage: dict[str, Any] | None
    """Counts that ``metadata["usage"]`` has."""
    ids: dict[str, Any]
    """Entries that the metadata has."""
    agent: Any = None
    """What ``execute_agent_pipeline`` is given; None where the framework has no agents."""
    question: Any = "Where is my order?"
    words: tuple[str, ...] = ()
    """Texts of messages and results that must be in what is written of the result."""
    beneath: dict[str, Kind] = dataclasses.field(default_factory=dict)
    """Where something is left out inside the result, and what: these places, and no others."""
    agent_name: str | None = None


def outputs(value: Any) -> list[Any]:
    """Everything that siftpack makes of a value."""
    made = extract(value)
    return [
        *(siftpack.packb(value), siftpack.dumps(value), siftpack.sanitize(value), siftpack.inspect(value)),
        *(
            siftpack.sanitize(value, policy=JSON),
            siftpack.sanitize(value, policy=LOGGING),
            str(siftpack.inspect(value)),
        ),
        *(made, made.to_dict(), made.report, pickle.dumps(made), siftpack.packb(made)),
        *(ExecutionContext("ada", data={"held": value}).snapshot(), siftpack.fingerprint(value)),
    ]


def through_caches(value: Any, url: str) -> list[Any]:
    """What comes back of a value from a cache in memory, from one on the server, and from an asyncio one there.

    It was set as it is, its bytes are on the server, and the key is not in them.
    """
    options: dict[str, Any] = {"client": patient(url), "fallback": False}

    async def asynchronous() -> Any:
        async with AsyncCache.from_url(url, namespace="async", **options) as cache:
            user = cache.for_user("ada")
            assert await user.set("k", value)
            return await user.get("k")

    back = []
    with Cache() as memory, Cache.from_url(url, namespace="plain", **options) as remote:
        for cache in (memory, remote):
            user = cache.for_user("ada")
            assert user.set("k", value)
            back.append(user.get("k"))
    back.append(asyncio.run(asynchronous()))
    with redis.Redis.from_url(url) as client:
        for name in ("plain:ada:k", "async:ada:k"):
            assert KEY.encode() not in client[name]  # type: ignore[operator]  # a synchronous client
            client.delete(name)
    return back


class FrameworkSuite:
    """The tests."""

    @pytest.fixture(scope="class")
    @classmethod
    def url(cls) -> Iterator[str]:
        """Where a real server is."""
        with servers.single() as server:
            yield server.url

    @pytest.fixture(scope="class")
    @classmethod
    def scene(cls) -> Scene:
        """The run of this framework."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def whole(cls, scene: Scene) -> dict[str, Any]:
        """The context that holds everything."""
        return {**scene.context, "question": "why", "result": scene.result}

    def test_the_business_result_is_exact(self, scene: Scene) -> None:
        """Output, usage and ids are those of the framework, and the run is a success."""
        made = extract(scene.result)
        assert same(made.result_data["output"], scene.output)
        assert made.ok, made
        if scene.usage is not None:
            assert {name: made.metadata["usage"].get(name) for name in scene.usage} == scene.usage
        assert {name: made.metadata.get(name) for name in scene.ids} == scene.ids
        assert made.agent_name == scene.agent_name
        assert made.raw is scene.result

    def test_the_result_is_data(self, scene: Scene, url: str) -> None:
        """Written, copied and cached as it is, the result keeps its messages: it is never taken for machinery."""
        clean = siftpack.sanitize({"result": scene.result})
        assert "result" in clean
        assert siftpack.unpackb(siftpack.packb(scene.result)) is not None
        for back in through_caches(scene.result, url):
            assert same({"result": back}, clean)
        for word in scene.words:
            assert word in str(clean)
        assert not [each for each in siftpack.inspect({"result": scene.result}) if each.path == "$.result"]

    def test_the_whole_context_passes(self, scene: Scene, whole: dict[str, Any], url: str) -> None:
        """A context that holds agent, model, client, tools and result is written, copied and cached as it is."""
        clean = siftpack.sanitize(whole)
        assert same(siftpack.unpackb(siftpack.packb(whole)), clean)
        assert siftpack.inspect(clean).clean
        assert clean["question"] == "why"
        assert "result" in clean
        for back in through_caches(whole, url):
            assert same(back, clean)
        assert extract(whole).result_data["question"] == "why"

    def test_everything_that_is_left_out_is_named(self, scene: Scene, whole: dict[str, Any]) -> None:
        """Agent, model, client, tools and callbacks are left out, each reported as machinery with its path.

        Inside the result exactly what the scene says is left out, and an extraction reports the same.
        """
        found = {finding.path: finding.kind for finding in siftpack.inspect(whole)}
        missing = [name for name in scene.context if found.get(f"$.{name}") not in MACHINERY_KINDS]
        assert missing == []
        assert not scene.context.keys() & siftpack.sanitize(whole).keys()
        inside = {path: kind for path, kind in found.items() if path.removeprefix("$.") not in scene.context}
        assert inside == {f"$.result{path}": kind for path, kind in scene.beneath.items()}
        reported = {finding.path: finding.kind for finding in extract(scene.result).report}
        assert reported == {f"${path}": kind for path, kind in scene.beneath.items()}

    def test_machinery_is_no_result(self, scene: Scene) -> None:
        """An agent that returned itself, its model, its client or a tool has failed, and nothing of it is opened."""
        for value in scene.context.values():
            made = extract(value)
            assert (made.status, made.result_data) == ("failed", {})
            assert made.error is not None
            assert "which is not data" in made.error["message"]

    def test_no_key_in_any_output(self, scene: Scene, whole: dict[str, Any]) -> None:
        """The API key is in nothing that is made of the result, of the context, or of any one thing in it."""
        for value in (scene.result, whole, *scene.context.values()):
            for output in outputs(value):
                text = output if isinstance(output, bytes) else str(output).encode("utf-8", "surrogatepass")
                assert KEY.encode() not in text

    def test_the_agent_runs_behind_a_cache(self, scene: Scene) -> None:
        """Run as its framework runs it, the agent gives the same result; the second call is a hit on a real server."""
        if scene.agent is None:
            return
        agent = scene.agent

        async def twice(url: str) -> list[Any]:
            with Cache.from_url(url, namespace="frameworks") as cache:
                made = []
                for number in range(2):
                    context = ExecutionContext("ada", f"thread-{number}", live=scene.context)
                    options: dict[str, Any] = {"cache": cache, "agent_name": "tested", "timeout": 60}
                    made.append(
                        await execute_agent_pipeline(agent(), context, scene.question, raise_on_error=True, **options)
                    )
                return made

        with servers.single() as server:
            first, second = asyncio.run(twice(server.url))
            with server.client() as client:
                stored = b"".join(client.get(name) for name in client.keys("frameworks:*"))  # type: ignore[union-attr]
        assert same(first.result_data["output"], scene.output)
        assert first.ok
        assert (first.cached, second.cached) == (False, True)
        assert second.result_data == first.result_data
        assert KEY.encode() not in stored
