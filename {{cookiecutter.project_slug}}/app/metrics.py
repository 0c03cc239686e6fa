"""Prometheus metrics, right under one and under several web processes."""

import os
from functools import lru_cache
from http import HTTPMethod

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST

REQUESTS = Counter("http_requests_total", "Requests answered.", ["method", "route", "status"])
DURATION = Histogram(
    "http_request_duration_seconds",
    "Time from a request's arrival to its answer.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
CACHE_READS = Counter("cache_reads_total", "Reads of the cache.", ["result"])


def observe(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count one answered request. A route is a template such as `/items/{id}`, so that series stay few."""
    requests, duration = _series(method, route, status)
    requests.inc()
    duration.observe(seconds)


# A series is found once; to look it up by its labels costs more than to count.
@lru_cache(maxsize=1024)
def _series(method: str, route: str | None, status: int) -> tuple[Counter, Histogram]:
    method = method if method in HTTPMethod.__members__ else "unknown"
    route = route or "unknown"
    return REQUESTS.labels(method, route, status), DURATION.labels(method, route)


def render() -> bytes:
    """All metrics in the Prometheus text format, summed over the web processes.

    https://prometheus.github.io/client_python/multiprocess/
    """
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
