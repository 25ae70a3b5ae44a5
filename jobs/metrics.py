"""Prometheus metrics of the queues, read from the dispatch table when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db import Error
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs import selectors


class JobCollector(Collector):
    """Depth and age of the queues by tenant, and how many jobs ended how. Every web process gives the same answer."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        labels = ["tenant", "queue", "state"]
        jobs = GaugeMetricFamily("rmn_jobs", "Jobs that wait, run or lie dead", labels=labels)
        ages = GaugeMetricFamily(
            "rmn_jobs_oldest_age_seconds", "Seconds since the oldest of them was accepted", labels=labels
        )
        ended = CounterMetricFamily("rmn_jobs_ended", "Jobs that ended in a state", labels=labels)
        try:
            for depth in selectors.queue_depths():
                jobs.add_metric([depth.tenant, depth.queue, depth.state], depth.jobs)
                ages.add_metric([depth.tenant, depth.queue, depth.state], depth.age_seconds)
            for tally in selectors.ended_counts():
                ended.add_metric([tally.tenant.slug, tally.queue, tally.state], tally.jobs)
        except Error:
            return  # the database is away; the other metrics say so, and are to be seen all the same
        yield from (jobs, ages, ended)


def register_collector() -> None:
    """Add the collector to the process's metrics, once."""
    if not any(isinstance(collector, JobCollector) for collector in REGISTRY._collector_to_names):
        REGISTRY.register(JobCollector())
