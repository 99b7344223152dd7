"""Metrics for OpenTelemetry: ``Cache(..., on_event=OtelMetrics())``. Needs the extra ``otel``."""

from typing import Any

from siftpack.cache.events import CacheEvent
from siftpack.cache.watch.measures import ALL, TIMES, Measures
from siftpack.errors import PolicyError


class OtelMetrics:
    """Counters ``siftpack.cache.*``, histograms ``siftpack.cache.compute_seconds`` and ``...store_seconds``.

    ``provider`` is a meter provider, the global one without. Spans are the business of whoever calls the cache, and of
    the client's own instrumentation. Raises ``PolicyError`` without the package.
    """

    def __init__(self, provider: Any = None) -> None:
        try:
            from opentelemetry import metrics
        except ImportError:
            raise PolicyError("this needs the package opentelemetry-api: pip install 'siftpack[otel]'") from None
        meter = metrics.get_meter("siftpack.cache", meter_provider=provider)
        self._measures = Measures()
        self._counters = {
            each: meter.create_counter(f"siftpack.cache.{each.name}", description=each.text) for each in ALL
        }
        self._histograms = {
            each: meter.create_histogram(
                f"siftpack.cache.{each.name}", "s", each.text, explicit_bucket_boundaries_advisory=each.bounds
            )
            for each in TIMES
        }

    def __call__(self, event: CacheEvent, /) -> None:
        """Count an event."""
        for series, words, amount in self._measures.steps(event):
            self._counters[series].add(amount, dict(zip(("namespace", *series.labels), words, strict=True)))
        timed = self._measures.timed(event)
        if timed is not None and event.seconds is not None:
            times, words = timed
            self._histograms[times].record(event.seconds, dict(zip(("namespace", times.label), words, strict=True)))
