"""Metrics for Prometheus: ``Cache(..., on_event=PrometheusMetrics())``. Needs the extra ``prometheus``."""

from typing import Any

from siftpack.cache.events import CacheEvent
from siftpack.cache.watch.measures import ALL, TIMES, Measures
from siftpack.errors import PolicyError


class PrometheusMetrics:
    """Counters ``siftpack_cache_*_total``, histograms ``siftpack_cache_compute_seconds`` and ``..._store_seconds``.

    ``registry`` is one of ``prometheus_client``, its own without. One object serves any number of caches, and a
    registry takes one object: ``ValueError`` of a registry that has them already. ``PolicyError`` without the package.
    """

    def __init__(self, registry: Any = None) -> None:
        try:
            import prometheus_client as prometheus
        except ImportError:
            raise PolicyError("this needs the package prometheus-client: pip install 'siftpack[prometheus]'") from None
        into = prometheus.REGISTRY if registry is None else registry
        self._measures = Measures()
        self._counters = {
            each: prometheus.Counter(
                f"siftpack_cache_{each.name}", each.text, ("namespace", *each.labels), registry=into
            )
            for each in ALL
        }
        self._histograms = {
            each: prometheus.Histogram(
                f"siftpack_cache_{each.name}", each.text, ("namespace", each.label), registry=into, buckets=each.bounds
            )
            for each in TIMES
        }

    def __call__(self, event: CacheEvent, /) -> None:
        """Count an event."""
        for series, words, amount in self._measures.steps(event):
            self._counters[series].labels(*words).inc(amount)
        timed = self._measures.timed(event)
        if timed is not None and event.seconds is not None:
            self._histograms[timed[0]].labels(*timed[1]).observe(event.seconds)
