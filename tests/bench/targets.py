"""What the proxy is to reach, beside what it reached: one row for each target, met or not."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.figures import Asking, Found, Load, median, percentile_ms
from tests.bench.plan import Plan
from tests.bench.report import table
from tests.bench.tables import cpu_us, per_second

OURS = "chatproxy"
RELAY_ONLY = "chatproxy, nothing stored"
PLAIN = "chatproxy, nothing stored, plain sends"
SITE = "chatproxy, a cluster"
UVICORN = "chatproxy on uvicorn, nothing stored"


@dataclass(frozen=True)
class Target:
    """One figure and its bound, which it may reach. ``reached`` is not a number if not measured."""

    what: str
    reached: float
    bound: float
    unit: str
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the figure is within its bound."""
        return self.reached >= self.bound if self.at_least else self.reached <= self.bound

    @property
    def is_measured(self) -> bool:
        """Whether there is a figure at all."""
        return self.reached == self.reached

    def row(self) -> list[str]:
        """Its line of the table."""
        sign, digits = ("≥" if self.at_least else "≤"), (2 if self.bound < 10 else 1)
        reached = f"{self.reached:,.{digits}f}{self.unit}"
        bound = f"{sign} {self.bound:,g}{self.unit}"
        return [self.what, bound, reached, "met" if self.is_met else "**not met**"]


def targets(found: Found, plan: Plan) -> list[str]:
    """The table, under its heading; nothing where nothing of it was measured."""
    rows = [target.row() for target in _all(found, plan) if target.is_measured]
    head = ["target", "bound", "reached", ""]
    return ["### Targets", table(head, rows)] if rows else []


def _all(found: Found, plan: Plan) -> Iterator[Target]:
    yield from _relay(found, plan)
    yield from _latency(found, plan.few)
    yield from _messages(found, plan)
    yield from _lookup(found)
    yield from _idle(found)


def _relay(found: Found, plan: Plan) -> Iterator[Target]:
    def cpu(name: str, load: Load) -> float:
        return median(found.saturated.get((name, load), []), cpu_us)

    for name in (RELAY_ONLY, OURS):
        for load, peer, bound in (
            (plan.many, "Node", 0.8),
            (plan.many, "nginx", 1.6),
            (plan.fan, "Node", 0.7),
        ):
            what = f"CPU per frame, {_told(load)}, of {peer}'s: {name}"
            yield Target(what, cpu(name, load) / cpu(peer, load), bound, " x")
    for name in (PLAIN, UVICORN):
        what = f"CPU per frame, {_told(plan.many)}, of Node's: {name}"
        yield Target(what, cpu(name, plan.many) / cpu("Node", plan.many), 4, " x")


def _latency(found: Found, load: Load) -> Iterator[Target]:
    def ms(name: str, share: float) -> float:
        return percentile_ms(found.paced.get((name, load), []), share)

    for name in (RELAY_ONLY, OURS):
        for title, share, bound in (("p50", 0.5, 0.2), ("p99", 0.99, 1.0)):
            added = ms(name, share) - ms("direct", share)
            yield Target(f"added latency at 200 frames/s, {title}: {name}", added, bound, " ms")
    added = ms(SITE, 0.99) - ms("direct", 0.99)
    yield Target(f"added latency at 200 frames/s, p99: {SITE}", added, 5, " ms")


def _messages(found: Found, plan: Plan) -> Iterator[Target]:
    def cpu(name: str, asking: Asking) -> float:
        return median(found.messages.get((name, asking), []), cpu_us)

    def p50(name: str) -> float:
        return percentile_ms(found.messages.get((name, plan.alone), []), 0.5)

    for asking in (plan.busy, plan.alone):
        for peer, title, bound in (
            ("stock Django view", "the stock Django view's", 0.25),
            ("Node", "Express and undici's", 3),
        ):
            what = f"CPU per message, {asking.connections} connections, of {title}"
            yield Target(what, cpu(OURS, asking) / cpu(peer, asking), bound, " x")
    added = p50(OURS) - p50("direct")
    yield Target("a message's added p50 at one connection", added, 1, " ms")
    far = found.messages.get((OURS, plan.far), [])
    title = f"upstream at {1e3 * plan.far.upstream_s:.0f} ms, {plan.far.connections} connections"
    yield Target(f"{title}: messages", median(far, per_second), 450, " /s", at_least=True)
    yield Target(f"{title}: failed", median(far, lambda one: one.failed), 0, "")


def _lookup(found: Found) -> Iterator[Target]:
    us = found.lookup_us.get("with the token", [])
    reached = statistics.median(us) if us else float("nan")
    yield Target("CPU of finding a session and its token, warm", reached, 20, " µs")


def _idle(found: Found) -> Iterator[Target]:
    for idle in found.idle.get(OURS, []):
        yield Target("an idle tab with its own link", idle.pair_kb, 60, " kB")
        yield Target("each further tab", idle.tab_kb, 25, " kB")
        yield Target(f"{idle.tabs:,} tabs come back", idle.back_s, 12, " s")
        yield Target(f"{idle.tabs:,} tabs come back: lost", float(idle.lost), 0, "")


def _told(load: Load) -> str:
    if load.tabs > 1:
        return f"{load.chats} chat with {load.tabs} tabs"
    return f"{load.chats:,} chats"
