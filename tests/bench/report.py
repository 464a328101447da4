"""Figures as tables: medians over the rounds, and each peer's ratio to the proxy."""

from __future__ import annotations

import os
import platform
import statistics
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.flows import Figures, Load

Results = Mapping[tuple[str, int], Sequence[Figures]]
LoadResults = Mapping[tuple[str, Load], Sequence[Figures]]

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


def relays(saturated: LoadResults, paced: Results) -> list[str]:
    """The relay's tables: throughput and CPU, then latency."""
    return [
        "### Relay, as many frames as go through",
        _table(
            ["sessions", "frames of each on their way", "relay", "frames/s", "against Channels",
             "CPU µs per frame", "less than Channels", "lost", "out of order"],
            list(_throughput(saturated)),
        ),
        "### Relay, latency at 200 frames/s",
        _table(
            ["sessions", "relay", "p50 ms", "p99 ms", "added p50 ms", "added p99 ms", "lost",
             "out of order"],
            list(_latency(paced)),
        ),
    ]  # fmt: skip


def _throughput(saturated: LoadResults) -> Iterator[list[str]]:
    # The rounds go through the loads relay by relay; the table compares relays load by load.
    for (name, load), figures in sorted(saturated.items(), key=lambda item: item[0][1]):
        channels = saturated["Channels group_send", load]
        base, base_us = _median(channels, _speed), _median(channels, _cpu_us)
        speed, cpu_us = _median(figures, _speed), _median(figures, _cpu_us)
        cpu = ["", ""] if name == "direct" else [f"{cpu_us:,.0f}", f"{base_us / cpu_us:.1f} x"]
        ratio = f"{speed / base:.1f} x"
        load_is = [f"{load.chats:,}", f"{load.window}"]
        yield [*load_is, name, f"{speed:,.0f}", ratio, *cpu, *_mishaps(figures)]


def _latency(paced: Results) -> Iterator[list[str]]:
    for (name, count), figures in sorted(paced.items(), key=lambda item: item[0][1]):
        row = []
        for share in (0.5, 0.99):
            still, waited = (
                1e3 * _median(each, lambda f, s=share: f.percentile(s))
                for each in (paced["direct", count], figures)
            )
            row += [(f"{waited:.2f}", f"{waited - still:+.2f}")]
        seen, added = zip(*row, strict=True)
        yield [f"{count:,}", name, *seen, *added, *_mishaps(figures)]


def _mishaps(figures: Sequence[Figures]) -> list[str]:
    return [f"{sum(f.lost for f in figures)}", f"{sum(f.disordered for f in figures)}"]


def _speed(figures: Figures) -> float:
    return figures.per_second


def _cpu_us(figures: Figures) -> float:
    return figures.cpu_us


def views(results: Results) -> list[str]:
    """The REST table."""
    rows = []
    for (name, connections), found in sorted(results.items(), key=lambda item: item[0][1]):
        cpu = _median(found, _cpu_us)
        stock = _median(results["stock Django view", connections], _cpu_us)
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
