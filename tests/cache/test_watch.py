"""Observers that are ready to use: Prometheus, OpenTelemetry, logs."""

import logging
import subprocess
import sys
import threading
from typing import Any

import prometheus_client
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from siftpack.cache import Cache
from siftpack.cache.events import DISTINCT, OTHERS, CacheEvent
from siftpack.cache.watch.logs import SHOWN, LogEvents, told
from siftpack.cache.watch.measures import ALL, LOADERS, TIMES, Measures
from siftpack.cache.watch.otel import OtelMetrics
from siftpack.cache.watch.prometheus import PrometheusMetrics

VALUE = {"n": 1, "hook": print, "lock": threading.Lock(), "password": "hushhush"}


def used(on_event: Any) -> Any:
    """A cache after a little of everything."""
    cache = Cache(namespace="app", on_event=on_event)
    user = cache.for_user("u-123", agent="planner")
    user.set("secret-key", VALUE)
    user.get("secret-key")
    user.get("other")
    user.get_or_compute("c", lambda: [1])
    user.delete("c")
    with pytest.raises(ZeroDivisionError):
        user.get_or_compute("d", lambda: 1 / 0)
    user.cached(name="it")(lambda x: x)(print).__call__("")
    user.cached(name="it")(lambda x: x)(lambda: 0)
    return cache


EXPECTED = {
    ("reads", ("app", "hit", "msgpack")): 1,
    ("reads", ("app", "miss", "absent")): 4,
    ("writes", ("app", "lossy")): 1,
    ("writes", ("app", "data")): 1,
    ("writes", ("app", "refused")): 1,
    ("deletes", ("app",)): 1,
    ("findings", ("app", "function", "builtin_function_or_method")): 2,
    ("findings", ("app", "sync", "_thread.lock")): 1,
    ("computing", ("app", "compute_done")): 2,
    ("computing", ("app", "compute_failed")): 1,
    ("computing", ("app", "bypass")): 1,
}


def test_prometheus(capsys: pytest.CaptureFixture[str]) -> None:
    """Counters and a histogram hold what was counted, in a registry of the caller's."""
    registry = prometheus_client.CollectorRegistry()
    metrics = PrometheusMetrics(registry)
    cache = used(metrics)
    found = {
        (
            sample.name.removeprefix("siftpack_cache_").removesuffix("_total"),
            tuple(sample.labels.values()),
        ): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    }
    sizes = {words: found.pop(("bytes", words)) for words in (("app", "in"), ("app", "out"))}
    assert found == EXPECTED
    stats = cache.stats()
    assert sizes == {("app", "in"): stats["bytes_in"], ("app", "out"): stats["bytes_out"]}
    counts = {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name.endswith("_seconds_count")
    }
    assert counts == {
        ("siftpack_cache_compute_seconds_count", ("app", "done")): 2,
        ("siftpack_cache_compute_seconds_count", ("app", "failed")): 1,
        ("siftpack_cache_store_seconds_count", ("app", "read")): 5,
        ("siftpack_cache_store_seconds_count", ("app", "write")): 3,
    }
    assert stats["latency"]["reads"]["count"] == 5
    assert stats["latency"]["writes"]["count"] == 3
    page = prometheus_client.generate_latest(registry).decode()
    for word in ("u-123", "secret-key", "hushhush", "planner"):
        assert word not in page
    with pytest.raises(ValueError, match="Duplicated"):
        PrometheusMetrics(registry)


def test_otel() -> None:
    """The same, as OpenTelemetry's."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    used(OtelMetrics(provider))
    data = reader.get_metrics_data()
    assert data is not None
    (scope,) = data.resource_metrics[0].scope_metrics
    assert scope.scope.name == "siftpack.cache"
    found: dict[Any, Any] = {}
    for metric in scope.metrics:
        for point in metric.data.data_points:
            words = tuple(dict(point.attributes or {}).values())
            if metric.name.endswith("seconds"):
                assert tuple(point.explicit_bounds) in [times.bounds for times in TIMES]
            found[metric.name.removeprefix("siftpack.cache."), words] = getattr(point, "value", None) or point.count
    assert found.pop(("compute_seconds", ("app", "done"))) == 2
    assert found.pop(("compute_seconds", ("app", "failed"))) == 1
    assert found.pop(("store_seconds", ("app", "read"))) == 5
    assert found.pop(("store_seconds", ("app", "write"))) == 3
    assert found.pop(("bytes", ("app", "in"))) > 0
    assert found.pop(("bytes", ("app", "out"))) > 0
    assert found == EXPECTED
    provider.shutdown()


def test_series_are_bounded() -> None:
    """However many namespaces and types there are, the words of a label are ``DISTINCT`` and one for the rest."""
    from siftpack.policy import Action, Kind
    from siftpack.report import Finding

    measures = Measures()
    seen: dict[str, set[tuple[str, ...]]] = {}
    for number in range(3 * DISTINCT):
        finding = Finding("$.x", Kind.AGENT, f"m.Made{number}", Action.DROP)
        event = CacheEvent("write", f"space {number}", "u", None, "lossy", findings=(finding,) * 3)
        for series, words, amount in measures.steps(event):
            seen.setdefault(series.name, set()).add(words[:1] if series.name == "writes" else words[2:])
            assert amount == (3 if series.name == "findings" else 1)
    assert len(seen["writes"]) == len(seen["findings"]) == DISTINCT + 1
    assert (OTHERS,) in seen["findings"]
    assert all(len(series.labels) <= 2 for series in ALL)
    assert measures.timed(CacheEvent("compute", "app", None, None, "done", seconds=1.0)) == (LOADERS, (OTHERS, "done"))
    assert measures.timed(CacheEvent("delete", "app", None, None)) is None


def test_logs(caplog: pytest.LogCaptureFixture) -> None:
    """Each event is a line: losses are information with path and type, alarms warnings; no key, user or value."""
    caplog.set_level(logging.DEBUG, "siftpack.cache.events")
    used(LogEvents())
    lines = [(record.levelname, record.getMessage()) for record in caplog.records if record.name.endswith("events")]
    assert len(lines) == 13
    assert lines[0][0] == "INFO"
    assert "cache app: write lossy" in lines[0][1]
    assert "$.hook (function builtin_function_or_method), $.lock (sync _thread.lock)" in lines[0][1]
    assert lines[1] == ("DEBUG", lines[1][1])
    for word in ("u-123", "secret-key", "hushhush", "planner"):
        assert word not in str(lines)
    other = logging.getLogger("other")
    caplog.clear()
    LogEvents(other)(CacheEvent("miss", "app", "u", None, "moved", alarm=True))
    assert [(record.name, record.levelname) for record in caplog.records] == [("other", "WARNING")]


def test_a_line_is_short() -> None:
    """A line names a few findings and counts the rest, and cuts long paths."""
    from siftpack.policy import Action, Kind
    from siftpack.report import Finding

    findings = tuple(Finding("$." + "x" * 1000, Kind.AGENT, "m.Made", Action.DROP) for _ in range(500))
    line = told(CacheEvent("write", "app", "u", None, "lossy", size=12, findings=findings))
    assert line.endswith(f"{500 - SHOWN} more")
    assert len(line) < 1000
    assert told(CacheEvent("delete", "app", "u", None, entries=7)) == "delete, 7 entries"
    assert told(CacheEvent("compute", "app", "u", None, "done", seconds=1.25)) == "compute done, 1.250 s"


def test_nothing_is_imported_before_it_is_used() -> None:
    """The modules of the observers import neither library; without one, making its observer says what to install."""
    program = (
        "import sys\n"
        "from siftpack.cache.watch import logs, otel, prometheus\n"
        "assert not {'prometheus_client', 'opentelemetry'} & sys.modules.keys()\n"
        "sys.modules['prometheus_client'] = sys.modules['opentelemetry'] = None\n"
        "from siftpack import PolicyError\n"
        "for make in (otel.OtelMetrics, prometheus.PrometheusMetrics):\n"
        "    try: make()\n"
        "    except PolicyError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert [line.rpartition("pip install ")[2] for line in done.stdout.splitlines()] == [
        *("'siftpack[otel]'", "'siftpack[prometheus]'")
    ]
