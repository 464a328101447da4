"""What was measured, as it is measured: one object for each run, in seconds and kilobytes."""

from __future__ import annotations

import statistics
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Load(NamedTuple):
    """So many chats, with so many frames of each on their way at a time, and so many tabs each."""

    chats: int
    window: int
    tabs: int = 1


class Asking(NamedTuple):
    """So many connections, each sending one message after another; the upstream takes its time."""

    connections: int
    upstream_s: float = 0.0


@dataclass
class Figures:
    """One measurement. Times in seconds; latencies unsorted, one per frame or request."""

    done: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    lost: int = 0
    disordered: int = 0
    failed: int = 0
    #: Millions in a whole run: as numbers, not objects, they keep the collector out of the way.
    latencies: array[float] = field(default_factory=lambda: array("d"))

    @property
    def per_second(self) -> float:
        """Frames delivered, or requests answered, a second."""
        return self.done / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU of the server per frame or request, in microseconds."""
        return 1e6 * self.cpu_s / self.done if self.done else float("nan")

    def percentile(self, share: float) -> float:
        """The latency (seconds) that ``share`` of all stay within."""
        found = sorted(self.latencies)
        return found[min(len(found) - 1, int(share * len(found)))] if found else float("nan")


@dataclass
class Idle:
    """What tabs cost that do nothing, and how long they take to come back all at once.

    ``pair_kb``: RSS in kB for a tab with an upstream socket of its own; ``tab_kb``: for one more of
    the same chat. ``lost``: tabs that did not come back, or did not see a frame sent afterwards.
    """

    tabs: int
    pair_kb: float
    tab_kb: float
    back_s: float
    back_cpu_s: float
    lost: int


@dataclass
class Found:
    """All results of a run: each list has one entry for each round, by server and load."""

    saturated: dict[tuple[str, Load], list[Figures]] = field(default_factory=dict)
    paced: dict[tuple[str, Load], list[Figures]] = field(default_factory=dict)
    messages: dict[tuple[str, Asking], list[Figures]] = field(default_factory=dict)
    idle: dict[str, list[Idle]] = field(default_factory=dict)
    #: Microseconds of CPU, by what was looked up.
    lookup_us: dict[str, list[float]] = field(default_factory=dict)


def median(found: Sequence[Figures], figure: Callable[[Figures], float]) -> float:
    """The median of a figure over rounds; not a number when there are none."""
    return statistics.median(map(figure, found)) if found else float("nan")


def percentile_ms(found: Sequence[Figures], share: float) -> float:
    """The median over rounds of a percentile of the latencies, in milliseconds."""
    return 1e3 * median(found, lambda figures: figures.percentile(share))
