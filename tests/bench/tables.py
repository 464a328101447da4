"""Figures as tables: medians over the rounds, and ratios to peers of the same run."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from tests.bench.figures import Figures, Found, median, percentile_ms
from tests.bench.report import table

T = TypeVar("T")


def tables(found: Found) -> list[str]:
    """All tables there are figures for, each under its heading."""
    parts = []
    if found.saturated:
        parts += ["### Relay, as many frames as go through", _saturated(found)]
        parts += ["### Relay, latency at 200 frames/s", _paced(found)]
    if found.messages:
        parts += ["### POST /participant/message", _messages(found)]
    if found.lookup_us:
        parts += ["### Finding a message's session, on a process that knows it", _lookup(found)]
    if found.idle:
        parts += ["### Tabs that do nothing", _idle(found)]
    return parts


def cpu_us(figures: Figures) -> float:
    return figures.cpu_us


def per_second(figures: Figures) -> float:
    return figures.per_second


def _saturated(found: Found) -> str:
    return table(
        ["chats", "tabs of each", "frames on their way", "relay", "frames/s", "against Channels",
         "CPU µs per frame", "of Node's", "of nginx's", "lost", "out of order"],
        list(_saturated_rows(found)),
    )  # fmt: skip


def _saturated_rows(found: Found) -> Iterator[list[str]]:
    # The rounds go through the loads relay by relay; the table compares relays load by load.
    for load in _in_order(load for _, load in found.saturated):
        of_load = {name: all_ for (name, at), all_ in found.saturated.items() if at == load}
        for name, figures in of_load.items():
            speed = median(figures, per_second)
            channels = median(of_load.get("Channels group_send", []), per_second)
            yield [
                f"{load.chats:,}", f"{load.tabs}", f"{load.window}", name,
                f"{speed:,.0f}", _ratio(speed / channels, 1),
                *_cpu(name, figures, of_load.get("Node", []), of_load.get("nginx", [])),
                *_mishaps(figures),
            ]  # fmt: skip


def _cpu(name: str, figures: Sequence[Figures], *others: Sequence[Figures]) -> list[str]:
    """CPU per frame, and its ratio to others'; nothing in between costs nothing."""
    if name == "direct":
        return ["", *("" for _ in others)]
    own = median(figures, cpu_us)
    return [f"{own:,.1f}", *(_ratio(own / median(other, cpu_us)) for other in others)]


def _paced(found: Found) -> str:
    rows = []
    for (name, load), figures in found.paced.items():
        p50, p99 = (percentile_ms(figures, share) for share in (0.5, 0.99))
        still = found.paced.get(("direct", load), [])
        more50, more99 = p50 - percentile_ms(still, 0.5), p99 - percentile_ms(still, 0.99)
        rows.append([
            f"{load.chats:,}", name, f"{p50:.2f}", f"{p99:.2f}", f"{more50:+.2f}",
            f"{more99:+.2f}", *_mishaps(figures),
        ])  # fmt: skip
    return table(
        ["chats", "relay", "p50 ms", "p99 ms", "added p50 ms", "added p99 ms", "lost",
         "out of order"], rows,
    )  # fmt: skip


def _messages(found: Found) -> str:
    rows = []
    for asking in _in_order(asking for _, asking in found.messages):
        of_asking = {name: all_ for (name, at), all_ in found.messages.items() if at == asking}
        stock, node = of_asking.get("stock Django view", []), of_asking.get("Node", [])
        for name, figures in of_asking.items():
            us, *ratios = _cpu(name, figures, stock, node)
            ms = f"{median(figures, cpu_us) / 1000:.2f}" if us else ""
            rows.append([
                f"{asking.connections}", f"{1e3 * asking.upstream_s:.0f}", name,
                f"{median(figures, per_second):,.0f}", ms, *ratios,
                f"{percentile_ms(figures, 0.5):.2f}", f"{percentile_ms(figures, 0.99):.2f}",
                f"{sum(one.failed for one in figures)}",
            ])  # fmt: skip
    return table(
        ["connections", "upstream ms", "server", "requests/s", "CPU ms per request",
         "of the stock view's", "of Node's", "p50 ms", "p99 ms", "failed"], rows,
    )  # fmt: skip


def _lookup(found: Found) -> str:
    rows = [[what, f"{statistics.median(us):.1f}"] for what, us in found.lookup_us.items()]
    return table(["what", "CPU µs"], rows)


def _idle(found: Found) -> str:
    rows = [
        [
            name, f"{statistics.median(one.pair_kb for one in all_):.1f}",
            f"{statistics.median(one.tab_kb for one in all_):.1f}", f"{all_[0].tabs:,}",
            f"{statistics.median(one.back_s for one in all_):.1f}",
            f"{statistics.median(1e3 * one.back_cpu_s / one.tabs for one in all_):.2f}",
            f"{sum(one.lost for one in all_)}",
        ]
        for name, all_ in found.idle.items()
    ]  # fmt: skip
    return table(
        ["server", "kB a tab with its own link", "kB a further tab", "tabs cut off",
         "all back after s", "CPU ms each", "lost"], rows,
    )  # fmt: skip


def _in_order(found: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(found))


def _ratio(ratio: float, digits: int = 2) -> str:
    return "" if ratio != ratio else f"{ratio:,.{digits}f} x"


def _mishaps(figures: Sequence[Figures]) -> list[str]:
    return [f"{sum(f.lost for f in figures)}", f"{sum(f.disordered for f in figures)}"]
