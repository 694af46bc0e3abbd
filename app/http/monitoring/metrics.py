"""Prometheus metrics of the service."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from app import __version__
from app.engine.directions.direction_state import State
from app.engine.events import RunFinished
from app.engine.interface import Engine
from app.http.messages.answer_cache import AnswerCache
from app.http.middleware.body_memory import BodyMemory
from app.http.problems.problems import (
    INTERNAL,
    MALFORMED_REQUEST,
    PROBLEM_KINDS,
    REQUEST_TIMEOUT,
    TOO_MANY_CONNECTIONS,
)
from app.http.server.connections import Connections

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_PICTURES: Final = (1, 2, 4, 8, 16, 32, 64)
_UNMAPPED_KINDS: Final = (INTERNAL, MALFORMED_REQUEST, REQUEST_TIMEOUT, TOO_MANY_CONNECTIONS)


class Metrics:
    """Counters and histograms of one application, and gauges read from its engine at each scrape."""

    def __init__(
        self, engine: Engine, body_memory: BodyMemory, connections: Connections, answers: AnswerCache
    ) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter(
            "ugatit_requests", "Requests answered.", ["route", "method", "status"], registry=registry
        )
        self._rejections = Counter("ugatit_rejections", "Problems answered.", ["code"], registry=registry)
        for kind in (*PROBLEM_KINDS.values(), *_UNMAPPED_KINDS):
            self._rejections.labels(kind.code)  # starts at 0: a rate would miss the first of each
        self._stages = Histogram(
            "ugatit_stage_seconds",
            "Time of each stage of a translation, and the total.",
            ["direction", "stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._runs = Histogram(
            "ugatit_run_seconds", "Time of one model run.", ["direction"], buckets=_SECONDS, registry=registry
        )
        self._batches = Histogram(
            "ugatit_batch_pictures",
            "Pictures in one model run.",
            ["direction"],
            buckets=_PICTURES,
            registry=registry,
        )
        registry.register(_EngineGauges(engine))
        registry.register(_ConnectionGauges(connections))
        registry.register(_AnswerCacheGauges(answers))
        engine.subscribe(self._run_finished)
        self._describe_process(engine, body_memory)

    def _describe_process(self, engine: Engine, body_memory: BodyMemory) -> None:
        registry = self._registry
        held = Gauge("ugatit_receiving_bytes", "Memory held by request bodies.", registry=registry)
        held.set_function(lambda: body_memory.held_bytes)
        limit = Gauge(
            "ugatit_receiving_limit_bytes", "Limit of the memory for request bodies.", registry=registry
        )
        limit.set(body_memory.limit_bytes)
        ready = Gauge("ugatit_ready", "1 when /readyz answers 200.", registry=registry)
        ready.set_function(lambda: float(engine.not_ready_reason() is None))
        build = Info("ugatit_build", "Version of the running service.", registry=registry)
        build.info({"version": __version__, "python": platform.python_version()})
        ProcessCollector(registry=registry)

    def count_answer(self, route: str, method: str, status: int, problem: str | None) -> None:
        """Count an answer, and its problem code if it has one."""
        self._requests.labels(route, method, str(status)).inc()
        if problem is not None:
            self._rejections.labels(problem).inc()

    def observe_stage(self, direction: str, stage: str, seconds: float) -> None:
        """Record the time of a stage (decode, queue, inference, encode) or of the total."""
        self._stages.labels(direction, stage).observe(seconds)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def _run_finished(self, event: RunFinished) -> None:
        self._runs.labels(event.direction).observe(event.seconds)
        self._batches.labels(event.direction).observe(event.pictures)


class _ConnectionGauges(Collector):
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily("ugatit_connections_open", "Open connections.", self._connections.open)
        yield GaugeMetricFamily(
            "ugatit_connections_limit", "Limit of open connections.", self._connections.limit
        )
        yield CounterMetricFamily(
            "ugatit_connections_displaced",
            "Connections closed to make room for others.",
            self._connections.displaced,
        )


class _AnswerCacheGauges(Collector):
    def __init__(self, answers: AnswerCache) -> None:
        self._answers = answers

    def collect(self) -> Iterable[Metric]:
        answers = self._answers
        yield CounterMetricFamily(
            "ugatit_answer_cache_hits", "Answers that were kept from an earlier request.", answers.hits
        )
        yield CounterMetricFamily(
            "ugatit_answer_cache_misses", "Answers that were looked for and not kept.", answers.misses
        )
        yield GaugeMetricFamily(
            "ugatit_answer_cache_bytes", "Memory of the kept answers.", answers.size_bytes
        )


class _EngineGauges(Collector):
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterable[Metric]:
        waiting = GaugeMetricFamily(
            "ugatit_queue_pictures", "Pictures waiting for a run.", labels=["direction"]
        )
        held = GaugeMetricFamily(
            "ugatit_permits_held", "Pictures admitted and not yet answered.", labels=["direction"]
        )
        limit = GaugeMetricFamily("ugatit_permits_limit", "Limit of admitted pictures.", labels=["direction"])
        state = GaugeMetricFamily(
            "ugatit_direction_state",
            "1 for the current state, 0 for the others.",
            labels=["direction", "state"],
        )
        provider = GaugeMetricFamily(
            "ugatit_provider",
            "1 for the provider and precision in use.",
            labels=["direction", "provider", "precision"],
        )
        model = InfoMetricFamily(
            "ugatit_model", "The bundle being served.", labels=["direction", "version", "method"]
        )
        status = self._engine.status()
        for direction in status.directions:
            waiting.add_metric([direction.name], direction.queued)
            held.add_metric([direction.name], direction.permits_held)
            limit.add_metric([direction.name], direction.permits)
            for each in State:
                state.add_metric([direction.name, each], float(direction.state is each))
            if direction.execution is not None:
                provider.add_metric([direction.name, *direction.execution], 1)
            if direction.bundle is not None:
                bundle = direction.bundle
                model.add_metric([direction.name, bundle.version, bundle.manifest.method], {})
        yield from (waiting, held, limit, state, provider, model)
        store, usage = status.store, status.store.usage
        if usage is not None:
            yield GaugeMetricFamily(
                "ugatit_attention_entries", "Translations kept in memory.", value=usage.entries
            )
            yield GaugeMetricFamily(
                "ugatit_attention_bytes", "Memory of kept translations.", value=usage.size_bytes
            )
        yield GaugeMetricFamily(
            "ugatit_store_up",
            "1 if the store of heat maps answered its last request.",
            value=float(store.available),
        )
        yield CounterMetricFamily(
            "ugatit_attention_lost", "Translations that could not be kept.", value=store.lost
        )
