"""A cache for what agents make: it never fails a run on a value, never mixes users, and tells formats apart.

``Cache`` and ``AsyncCache`` keep MessagePack, sifted, in Redis or in this process; ``docs/cache.md`` says what they
guarantee. Clients of Redis are imported only when one is asked for.
"""

from siftpack.cache.aio import AsyncCache, AsyncUserCache
from siftpack.cache.backends import AsyncBackend, Backend
from siftpack.cache.backends.aioredis import AsyncRedisBackend
from siftpack.cache.backends.aiotiered import AsyncTieredBackend
from siftpack.cache.backends.memory import AsyncMemoryBackend, MemoryBackend
from siftpack.cache.backends.redis import RedisBackend
from siftpack.cache.backends.tiered import TieredBackend
from siftpack.cache.core import Cache, UserCache
from siftpack.cache.entries import MISSING, Entry, Missing, Reason, SizeEstimate
from siftpack.cache.events import CacheEvent, OnEvent
from siftpack.cache.legacy import Legacy, Pickles
from siftpack.cache.seal import Seal

__all__ = [
    "MISSING",
    "AsyncBackend",
    "AsyncCache",
    "AsyncMemoryBackend",
    "AsyncRedisBackend",
    "AsyncTieredBackend",
    "AsyncUserCache",
    "Backend",
    "Cache",
    "CacheEvent",
    "Entry",
    "Legacy",
    "MemoryBackend",
    "Missing",
    "OnEvent",
    "Pickles",
    "Reason",
    "RedisBackend",
    "Seal",
    "SizeEstimate",
    "TieredBackend",
    "UserCache",
]
