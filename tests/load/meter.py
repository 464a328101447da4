"""What a proxy says of itself while a show runs: its metrics, asked for now and then."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping

import requests

from tests.processes import METRICS_TOKEN

_LINE = re.compile(r"^(\w+(?:\{[^}]*\})?) (\S+)$", re.MULTILINE)

Readings = Mapping[str, float]


def read(url: str) -> Readings:
    """All metrics of the process at ``url``; labels are part of the name, as they were told."""
    answer = requests.get(
        f"{url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}, timeout=30
    )
    answer.raise_for_status()
    return {name: float(value) for name, value in _LINE.findall(answer.text)}


def labelled(readings: Readings, name: str, **labels: str) -> float:
    """The sum of a metric's values over all labels but these."""
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    return sum(
        value
        for full, value in readings.items()
        if full.partition("{")[0] == name and all(one in full for one in wanted)
    )


class Meter:
    """Reads every second, on a thread, and keeps all it has read. Cancel ``run`` to end it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.readings: list[Readings] = []

    async def run(self) -> None:
        while True:
            self.readings.append(await asyncio.to_thread(read, self._url))
            await asyncio.sleep(1)

    def most(self, name: str, **labels: str) -> float:
        """The highest it was."""
        return max(labelled(one, name, **labels) for one in self.readings)

    def grown(self, name: str, **labels: str) -> float:
        """By how much a counter grew from the first reading to the last."""
        first, last = self.readings[0], self.readings[-1]
        return labelled(last, name, **labels) - labelled(first, name, **labels)
