"""The servers of the cache's tests."""

from tests.cache.conftest import cluster_url, sentinel_url, server, url

__all__ = ["cluster_url", "sentinel_url", "server", "url"]
