"""The lines of a session's timeline in words, for the operator."""

from __future__ import annotations

from typing import Any

from chatproxy.sessions.spoken import spaced

NOTES = {
    "asked_for": "Asked for by the page",
    "started": "Contact started",
    "start_failed": "Failed to start",
    "start_unknown": "Start with unknown outcome",
    "link_up": "Upstream connected",
    "link_lost": "Upstream lost",
    "link_failed": "Upstream connection failed",
    "gap_filled": "Missed items fetched",
    "token_renewed": "Connection token renewed",
    "renewal_failed": "Renewal failed",
    "connection_denied": "Connection denied: chat over",
    "customer_left": "Customer left",
    "stopped": "Chat stopped from outside",
    "ended": "Chat ended",
    "keys_revoked": "Keys revoked",
}
_BAD_NOTES = frozenset({"start_failed", "link_failed", "renewal_failed"})


def noted(kind: str, detail: dict[str, Any]) -> tuple[str, bool]:
    """A timeline's line in words, and whether it tells of something that went wrong."""
    return NOTES.get(kind, spaced(kind)), "error" in detail or kind in _BAD_NOTES
