"""Figures as tables: medians over the rounds, and each peer's ratio to the proxy."""

from __future__ import annotations

import os
import platform
import statistics
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.flows import Figures

Results = Mapping[tuple[str, int], Sequence[Figures]]

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def machine() -> str:
    """One line on where and when the figures were taken."""
    optimised = "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS"))
    return (
        f"Taken {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {os.cpu_count()} cores "
        f"({_processor()}), Python {platform.python_version()}"
        f"{'' if optimised else ' built without optimisations'}, "
        f"load average {os.getloadavg()[0]:.1f} at the end."
    )


def relays(saturated: Results, paced: Results, sessions: Sequence[int]) -> list[str]:
    """The relay's tables: throughput and CPU, then latency."""
    names = list(dict.fromkeys(name for name, _ in saturated))
    rows, waits = [], []
    for count in sessions:
        channels = saturated["Channels group_send", count]
        base = _median(channels, lambda f: f.per_second)
        base_us = _median(channels, lambda f: f.cpu_us)
        still = _median(paced["direct", count], lambda f: f.percentile(0.5))
        still_99 = _median(paced["direct", count], lambda f: f.percentile(0.99))
        for name in names:
            full, slow = saturated[name, count], paced[name, count]
            speed = _median(full, lambda f: f.per_second)
            cpu_us = _median(full, lambda f: f.cpu_us)
            rows.append([
                f"{count:,}", name, f"{speed:,.0f}", f"{speed / base:.1f} x",
                "" if name == "direct" else f"{cpu_us:,.0f}",
                "" if name == "direct" else f"{base_us / cpu_us:.1f} x",
                f"{sum(f.lost for f in [*full, *slow])}",
                f"{sum(f.disordered for f in [*full, *slow])}",
            ])  # fmt: skip
            p50, p99 = (_median(slow, lambda f, s=s: f.percentile(s)) for s in (0.5, 0.99))
            waits.append([
                f"{count:,}", name, f"{1e3 * p50:.2f}", f"{1e3 * p99:.2f}",
                f"{1e3 * (p50 - still):+.2f}", f"{1e3 * (p99 - still_99):+.2f}",
            ])  # fmt: skip
    return [
        "### Relay, as many frames as go through",
        _table(
            ["sessions", "relay", "frames/s", "against Channels", "CPU µs per frame",
             "less than Channels", "lost", "out of order"], rows,
        ),
        "### Relay, latency at 200 frames/s",
        _table(
            ["sessions", "relay", "p50 ms", "p99 ms", "added p50 ms", "added p99 ms"], waits
        ),
    ]  # fmt: skip


def views(results: Results) -> list[str]:
    """The REST table."""
    rows = []
    for (name, connections), found in sorted(results.items(), key=lambda item: item[0][1]):
        cpu = _median(found, lambda f: f.cpu_us)
        stock = _median(results["stock Django view", connections], lambda f: f.cpu_us)
        rows.append([
            f"{connections}", name, f"{_median(found, lambda f: f.per_second):,.0f}",
            f"{cpu / 1000:.2f}", f"{cpu / stock:.2f}",
            f"{1e3 * _median(found, lambda f: f.percentile(0.5)):.1f}",
            f"{1e3 * _median(found, lambda f: f.percentile(0.99)):.1f}",
        ])  # fmt: skip
    return [
        "### POST /participant/message",
        _table(
            ["connections", "server", "requests/s", "CPU ms per request", "of the stock view's",
             "p50 ms", "p99 ms"], rows,
        ),
    ]  # fmt: skip


def write(path: Path, text: str) -> None:
    """Put ``text`` between the marks in ``path``; what stands around them is kept."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def _median(found: Sequence[Figures], figure: Callable[[Figures], float]) -> float:
    return statistics.median(figure(one) for one in found)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _processor() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return names[0] if names else platform.machine()
