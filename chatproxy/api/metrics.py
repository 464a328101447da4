"""``/metrics``: what this process does, in Prometheus' text format.

Most of it is read when asked, from counters that the parts keep anyway; nothing is added to the
path of a frame. Only upstream calls and HTTP answers report here as they happen. Off unless
``CHAT_METRICS_TOKEN`` is set. What each metric tells is in ``docs/operations.md``.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter as Tally
from collections.abc import Iterator

from django.db import DatabaseError
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from chatproxy import __version__
from chatproxy.bulkheads import Bulkheads
from chatproxy.closing import Close, closed
from chatproxy.conf import conf
from chatproxy.relay import runtime
from chatproxy.relay.hub import Hub
from chatproxy.relay.stream import LinkState
from chatproxy.sessions import instances
from chatproxy.sessions.models import LIVE_STATES, ChatSession

Families = Iterator[Metric]

# A call of the service takes 20 to 200 ms; the client gives up after 10 s.
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 12.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
SESSIONS_KNOWN_S = 10.0

disable_created_metrics()  # type: ignore[no-untyped-call]
registry = CollectorRegistry()
ProcessCollector(registry=registry)

_upstream = Histogram(
    "chatproxy_upstream_call_seconds",
    "Calls of Amazon Connect: how long, and with what outcome (ok, or the error's name).",
    ["operation", "outcome"],
    buckets=_SECONDS,
    registry=registry,
)
_http = Counter(
    "chatproxy_http_requests",
    "Answers given, by route.",
    ["method", "route", "status"],
    registry=registry,
)


def count_call(operation: str, seconds: float, error: Exception | None) -> None:
    """An upstream call has ended. Any thread."""
    outcome = type(error).__name__ if error else "ok"
    _upstream.labels(str(operation), outcome).observe(seconds)


def count_answer(request: HttpRequest, response: HttpResponseBase) -> None:
    """A request has been answered. Any thread."""
    # The route's pattern, never the path: that is anybody's to choose, and may hold a view token.
    route = getattr(request.resolver_match, "route", None)
    method = request.method if request.method in _METHODS else "other"
    _http.labels(method, "none" if route is None else route, response.status_code).inc()


class _Process(Collector):
    """What the parts of this process say when asked."""

    def __init__(self) -> None:
        self.bulkheads: Bulkheads | None = None
        self._sessions: tuple[float, dict[str, int]] | None = None

    def describe(self) -> Families:
        return iter(())  # or registering would collect

    def collect(self) -> Families:
        yield InfoMetricFamily(
            "chatproxy", "The version that runs.", value={"version": __version__}
        )
        yield from self._live_sessions()
        yield from _governors()
        hub = runtime.running_hub()
        if hub is not None:
            yield from _links(hub)
            yield from _frames(hub)
        if self.bulkheads is not None:
            yield from _pools(self.bulkheads)

    def _live_sessions(self) -> Families:
        database = GaugeMetricFamily("chatproxy_database_up", "Whether the database answers.")
        sessions = GaugeMetricFamily(
            "chatproxy_sessions", "Live sessions of all processes, by state.", labels=["state"]
        )
        try:
            counts = self._counted()
        except DatabaseError:
            database.add_metric([], 0)
        else:
            database.add_metric([], 1)
            for state in LIVE_STATES:
                sessions.add_metric([str(state)], counts.get(state, 0))
            yield sessions
        yield database

    def _counted(self) -> dict[str, int]:
        """Live sessions by state; counted once in a while, however often we are asked."""
        now = time.monotonic()
        if self._sessions is None or now - self._sessions[0] > SESSIONS_KNOWN_S:
            rows = ChatSession.objects.filter(state__in=LIVE_STATES).order_by()
            counts = dict(rows.values_list("state").annotate(number=Count("pk")))
            self._sessions = (now, counts)
        return self._sessions[1]


process = _Process()
registry.register(process)


def _links(hub: Hub) -> Families:
    states = Tally(held.link_state for held in hub.held())
    links = GaugeMetricFamily(
        "chatproxy_links", "Upstream sockets this process holds, by state.", labels=["state"]
    )
    for state in LinkState:
        links.add_metric([str(state)], states[str(state)])
    yield links
    yield GaugeMetricFamily("chatproxy_tabs", "Browser sockets open here.", value=hub.tab_count)
    closes = CounterMetricFamily(
        "chatproxy_tabs_closed", "Browser sockets closed by us, by close code.", labels=["code"]
    )
    for code in Close:
        closes.add_metric([str(code.value)], closed[code])
    yield closes
    tasks = len(asyncio.all_tasks(hub.loop))
    yield GaugeMetricFamily("chatproxy_tasks", "Tasks on the event loop.", value=tasks)
    yield GaugeMetricFamily(
        "chatproxy_recorder_waiting", "Items not yet in the database.", value=hub.recorder.waiting
    )


def _frames(hub: Hub) -> Families:
    counts = hub.counts
    for name, words, value in (
        ("chatproxy_frames_in", "Chat frames from upstream, gaps filled included.", counts.taken),
        ("chatproxy_frames_out", "Chat frames handed to tabs, replays left out.", counts.delivered),
        (
            "chatproxy_frames_duplicate",
            "Frames that had been seen, and went nowhere.",
            counts.known,
        ),
        ("chatproxy_signals_sent", "Typing and receipts sent upstream.", hub.signals.sent),
        ("chatproxy_signals_shed", "Typing and receipts merged or dropped.", hub.signals.shed),
    ):
        yield CounterMetricFamily(name, words, value=value)


def _governors() -> Families:
    labels = ["instance", "group"]
    tokens = GaugeMetricFamily("chatproxy_governor_permits", "Permits at hand.", labels=labels)
    halved = GaugeMetricFamily(
        "chatproxy_governor_halved", "1 while slowed down after a 429.", labels=labels
    )
    waiting = GaugeMetricFamily(
        "chatproxy_governor_waiting", "Requests that wait.", labels=[*labels, "priority"]
    )
    granted, refused, penalties, waited = (
        CounterMetricFamily(f"chatproxy_governor_{name}", words, labels=labels)
        for name, words in (
            ("granted", "Permits given."),
            ("refused", "Requests that got none in time, typing included."),
            ("penalties", "Times the service throttled all the same."),
            ("waited_seconds", "Time spent waiting for permits."),
        )
    )
    for instance, governor in instances.governors().items():
        for group, stats in governor.stats().items():
            where = [instance, str(group)]
            tokens.add_metric(where, stats.tokens)
            halved.add_metric(where, stats.halved)
            granted.add_metric(where, stats.granted)
            refused.add_metric(where, stats.refused)
            penalties.add_metric(where, stats.penalties)
            waited.add_metric(where, stats.waited_s)
            for priority, number in enumerate(stats.waiting):
                waiting.add_metric([*where, str(priority)], number)
    yield from (tokens, halved, waiting, granted, refused, penalties, waited)
    if (store := instances.shared_redis()) is not None:
        yield GaugeMetricFamily(
            "chatproxy_governor_shared",
            "1 while processes spend the quotas together; 0: each its share.",
            value=store.is_there,
        )
        yield CounterMetricFamily(
            "chatproxy_governor_falls_back", "Times Redis was lost.", value=store.falls_back
        )


def _pools(bulkheads: Bulkheads) -> Families:
    taken, threads, paused = (
        GaugeMetricFamily(f"chatproxy_pool_{name}", words, labels=["pool"])
        for name, words in (
            ("taken", "Requests that run or queue."),
            ("threads", "Threads there are."),
            ("paused", "Requests that wait for upstream quota or a link, holding no thread."),
        )
    )
    refused = CounterMetricFamily(
        "chatproxy_pool_refused", "Requests refused for want of room.", labels=["pool"]
    )
    for name, pool in bulkheads.by_name.items():
        taken.add_metric([name], pool.taken)
        threads.add_metric([name], pool.size.threads)
        paused.add_metric([name], pool.paused)
        refused.add_metric([name], pool.refused)
    yield from (taken, threads, paused, refused)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """GET /metrics: 404 while switched off, 401 without the token."""
    if not conf.metrics_token:
        raise Http404("Metrics are off. Set CHAT_METRICS_TOKEN to switch them on.")
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    known = constant_time_compare(given.strip(), conf.metrics_token)
    if scheme.lower() != "bearer" or not known:
        response = HttpResponse(
            "Send Authorization: Bearer and the value of CHAT_METRICS_TOKEN.\n",
            status=401,
            content_type="text/plain; charset=utf-8",
        )
        response.headers["WWW-Authenticate"] = 'Bearer realm="metrics"'
    else:
        response = HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)
    response.headers["Cache-Control"] = "no-store"
    return response
