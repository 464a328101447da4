"""The lines of a session's timeline in words, for the operator."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chatproxy.sessions.models import EndedBy
from chatproxy.sessions.spoken import spaced

NOTES = {
    "asked_for": "Asked for by the page",
    "started": "Contact started",
    "start_failed": "Failed to start",
    "start_unknown": "Start with unknown outcome",
    "call_failed": "Call failed",
    "link_up": "Upstream connected",
    "link_lost": "Upstream lost",
    "link_failed": "Upstream connection failed",
    "gap_not_read_yet": "Missed items not fetched yet",
    "link_was_deaf": "Upstream was deaf, and was replaced",
    "token_renewed": "Connection token renewed",
    "renewal_failed": "Renewal failed",
    "connection_denied": "Connection denied: chat over",
    "customer_left": "Customer left",
    "stopped": "Chat stopped from outside",
    "ended": "Chat ended",
    "keys_revoked": "Keys revoked",
}


def noted(kind: str) -> str:
    """A timeline's line in words."""
    return NOTES.get(kind, spaced(kind))


_FACTS = {
    "after": "missed since",
    "items": "missed items fetched",
    "incomplete_since": "may be incomplete after",
}
_TIMES = frozenset({"after", "incomplete_since"})


def facts(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """What a line knows besides: name and value, each as the rest of the page calls it."""
    return [(_FACTS.get(name, name.replace("_", " ")), _value(name, detail)) for name in detail]


def _value(name: str, detail: dict[str, Any]) -> str:
    value = str(detail[name])
    if name == "by" and value in EndedBy:
        return str(EndedBy(value).label)
    if name in _TIMES:
        return f"{datetime.fromisoformat(value):%d %b %H:%M:%S}"
    if name == "reason" and (request_id := detail.get("request_id")):
        # The id stands beside it.
        return value.replace(f" (request id {request_id})", "").replace(
            f", request id {request_id}", ""
        )
    return value
