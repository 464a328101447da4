"""What a proxy says of itself: its metrics, read as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Mapping

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.processes import METRICS_TOKEN

Labels = frozenset[tuple[str, str]]
Readings = Mapping[tuple[str, Labels], float]


def read(url: str) -> Readings:
    """All samples of the process at ``url``, by name and labels."""
    answer = requests.get(
        f"{url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}, timeout=30
    )
    answer.raise_for_status()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def summed(readings: Readings, name: str, **labels: str) -> float:
    """A metric's samples with these labels, over all values of others."""
    wanted = labels.items()
    return sum(
        value for (found, its), value in readings.items() if found == name and wanted <= set(its)
    )


def metric(url: str, name: str, **labels: str) -> float:
    """The same, read now."""
    return summed(read(url), name, **labels)
