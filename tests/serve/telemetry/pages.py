"""What a page of metrics says, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from wsgiref.util import setup_testing_defaults

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from engine.serve.telemetry.metrics import App, Metrics


def page(app: App) -> str:
    """The whole page as Prometheus gets it."""
    environment: dict[str, object] = {}
    setup_testing_defaults(environment)
    statuses: list[str] = []
    text = b"".join(app(environment, lambda status, headers: statuses.append(status))).decode()
    assert statuses == ["200 OK"]
    return text


def samples(app: App) -> Iterator[Sample]:
    """Every value on the page."""
    for family in text_string_to_metric_families(page(app)):
        yield from family.samples


def value(source: Metrics | App, name: str, **labels: str) -> float | None:
    """One value; None where there is no such series."""
    app = source.app() if isinstance(source, Metrics) else source
    return next((each.value for each in samples(app) if (each.name, each.labels) == (name, labels)), None)
