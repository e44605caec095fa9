"""What the service counts, for Prometheus.

With several worker processes the figures are summed over all of them, by way of small files in the folder that
``PROMETHEUS_MULTIPROC_DIR`` names. `classify serve` sets it up; it must be set before this module is used.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import MissingExtraError
from ..tagging import ModelInfo, Tagging

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Counters of one service."""

    def __init__(self, model: ModelInfo) -> None:
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
        except ImportError as error:
            raise MissingExtraError("prometheus-client", "service") from error
        own = CollectorRegistry()
        self._registry = own
        self.several = bool(os.environ.get(MULTIPROCESS))
        self._requests = Counter(
            "classifier_requests", "Requests answered.", ("route", "method", "status"), registry=own
        )
        self._seconds = Histogram(
            "classifier_request_seconds", "Time to answer a request.", ("route",), buckets=_SECONDS, registry=own
        )
        self._in_hand = Gauge(
            "classifier_requests_in_hand",
            "Requests worked on or waiting.",
            multiprocess_mode="livesum",
            registry=own,
        )
        self._texts = Counter("classifier_texts", "Texts tagged.", registry=own)
        self._characters = Counter("classifier_text_characters", "Characters of the texts tagged.", registry=own)
        self._tags = Counter("classifier_tags", "Tags given.", ("term",), registry=own)
        self._silences = Counter("classifier_texts_without_term", "Texts without a term.", ("reason",), registry=own)
        Gauge(
            "classifier_model",
            "The model that answers.",
            ("version", "digest"),
            multiprocess_mode="livemax",
            registry=own,
        ).labels(model.version, model.digest).set(1)
        if not self.several:
            from prometheus_client import ProcessCollector

            ProcessCollector(registry=own)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request. ``route`` is a pattern of the service's own, never what a client wrote."""
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def in_hand(self, requests: int) -> None:
        """So many requests are worked on or waiting."""
        self._in_hand.set(requests)

    def tagged(self, tagging: Tagging) -> None:
        """Count a text."""
        self._texts.inc()
        self._characters.inc(len(tagging.text))
        for term in tagging.ids:
            self._tags.labels(term).inc()
        if tagging.reason is not None:
            self._silences.labels(tagging.reason.id).inc()

    def render(self) -> tuple[bytes, str]:
        """The page that Prometheus reads, and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return generate_latest(self._all()), CONTENT_TYPE_LATEST

    def _all(self) -> CollectorRegistry:
        if not self.several:
            return self._registry
        from prometheus_client import CollectorRegistry
        from prometheus_client.multiprocess import MultiProcessCollector

        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]
        return everyone
