"""What a proxy says of itself while a show runs: its metrics, asked for now and then."""

from __future__ import annotations

import asyncio

from tests.metrics import Readings, read, summed


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
        return max(summed(one, name, **labels) for one in self.readings)
