"""What the reference says about our own doors: notes, problems, examples.

Only words, and which problem types can happen where; shapes come from ninja, statuses and titles
from the table of problems. The Participant Service's operations are in ``participant_words.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SESSION = "3f0c9a52-7d0e-4b7c-9a2f-5a1f6a0c7b11"
CONTACT = "c3b1e2aa-0f57-4d53-8f1e-6f0b7f6d9d10"
PARTICIPANT = "8a4c2f04-2a53-4a5e-b8cf-1f6c0b8f2a77"
ITEM = "b7d3a0de-6f1b-4b43-9d53-0f7f2b6f1c05"
CLIENT_TOKEN = "5d0f7a1c-54c2-4b35-8ab5-3f9e6d1c2b90"  # noqa: S105 - an example
SESSION_KEY = f"sk1.{SESSION}.…"
CONNECTION_KEY = f"ck1.{SESSION}.…"
NOW = "2026-11-22T09:41:07.312Z"
LATER = "2026-11-23T09:41:07.312Z"


@dataclass(frozen=True)
class Words:
    """One operation in the reference.

    Args:
        id: ``operationId``; the service's own name under ``/participant/``.
        summary: One line. ``None`` where the code already says it.
        notes: More, in Markdown; above all what differs from Amazon's.
        problems: Last parts of the problem types it can answer.
        request, answer: Examples.
        also: Media types it can answer in besides JSON.
        is_open: Whether it needs no key.
    """

    id: str
    summary: str | None = None
    notes: str = ""
    problems: tuple[str, ...] = ()
    request: dict[str, Any] | None = None
    answer: Any = None
    also: tuple[str, ...] = ()
    is_open: bool = False


KEYED = ("session-key-invalid", "origin-not-allowed", "rate-limited")
OURS = ("overloaded", "storage-unavailable", "internal-error")
UPSTREAM = ("upstream-throttled", "upstream-failed", "upstream-timeout")
BODY = ("malformed-body", "message-refused", "body-too-large")
OWN_OPERATIONS: dict[tuple[str, str], Words] = {
    ("post", "/api/v1/sessions"): Words(
        "startSession",
        notes="No key is needed; the page's `Origin` must be on the widget's list. Make a "
        "`clientToken` (a UUID), keep it until the answer has come, and repeat the start with it "
        "after a failure: the same chat is answered, with a fresh key.\n\n"
        "`continue` takes the key of an earlier chat of the same widget that has ended; the new "
        "one then shows what was said before. `startChatResult` is what ChatJS wants as "
        "`chatDetails`; its `ParticipantToken` is the key again.",
        problems=(
            "malformed-body",
            "invalid-fields",
            "message-refused",
            "body-too-large",
            "origin-not-allowed",
            "widget-not-found",
            "challenge-failed",
            "session-key-invalid",
            "rate-limited",
            "quota-exceeded",
            *OURS,
            *UPSTREAM,
            "upstream-misconfigured",
        ),
        request={"widget": "demo", "displayName": "Ada", "clientToken": CLIENT_TOKEN},
        answer={
            "session": SESSION,
            "key": SESSION_KEY,
            "startChatResult": {
                "ContactId": CONTACT,
                "ParticipantId": PARTICIPANT,
                "ParticipantToken": SESSION_KEY,
            },
        },
        is_open=True,
    ),
    ("get", "/api/v1/session"): Words(
        "getSession",
        notes="Ask this first when a page was reloaded: `can` says what makes sense now. An ended "
        "chat reads for a day.",
        problems=(*KEYED, *OURS),
        answer={
            "session": SESSION,
            "widget": "demo",
            "state": "active",
            "startedAt": NOW,
            "connectedAt": NOW,
            "endedAt": None,
            "endedBy": None,
            "expiresAt": LATER,
            "incompleteSince": None,
            "contactId": CONTACT,
            "participantId": PARTICIPANT,
            "displayName": "Ada",
            "can": {
                "send": True,
                "attach": True,
                "rate": True,
                "download": True,
                "resume": True,
            },
            "rating": None,
        },
    ),
    ("delete", "/api/v1/session"): Words(
        "endSession", problems=(*KEYED, *OURS, *UPSTREAM), answer=None
    ),
    ("get", "/api/v1/session/transcript"): Words(
        "downloadTranscript",
        notes="`format=txt` for reading, `html` for printing, `json` for programs; answered as a "
        "file to save. Items are as in GetTranscript. One that cannot be opened any more has "
        "`Unreadable: true`, and a text that says so in place of what was said.",
        problems=("invalid-fields", *KEYED, *OURS),
        also=("text/plain", "text/html"),
        answer={
            "session": SESSION,
            "startedAt": NOW,
            "endedAt": NOW,
            "incompleteSince": None,
            "items": [
                {
                    "Id": ITEM,
                    "Type": "MESSAGE",
                    "ContentType": "text/plain",
                    "Content": "Hello",
                    "AbsoluteTime": NOW,
                    "ParticipantRole": "CUSTOMER",
                    "DisplayName": "Ada",
                }
            ],
        },
    ),
    ("put", "/api/v1/session/rating"): Words(
        "rateSession",
        problems=("malformed-body", "invalid-fields", "body-too-large", *KEYED, *OURS),
        request={"score": 5, "comment": "Quick and kind."},
    ),
    ("get", "/api/v1/widgets/{key}"): Words(
        "getWidget",
        notes="Send `If-None-Match` with the last ETag: 304 when nothing changed.",
        problems=("widget-not-found", *OURS),
        answer={
            "key": "demo",
            "name": "Chat with us",
            "title": "Chat with us",
            "subtitle": "We answer in a minute",
            "accent": "#0b57d0",
            "scheme": "auto",
            "position": "right",
            "storage": "local",
            "attachments": True,
            "attachmentTypes": ["application/pdf", "image/png"],
            "attachmentMaxBytes": 20971520,
            "contentTypes": ["text/plain", "text/markdown"],
            "maxLength": 1024,
            "texts": {},
            "locale": None,
        },
        is_open=True,
    ),
}

#: Path → its GET, for what neither ninja nor the service's model describes.
PLAIN_OPERATIONS: dict[str, dict[str, Any]] = {
    "/ws/chat/{session}": {
        "operationId": "openSocket",
        "tags": ["Websocket"],
        "summary": "The browser socket",
        "description": "Open exactly the URL that CreateParticipantConnection answered. Frames "
        "are Amazon's; after the handshake, subscribe with "
        '`{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}`. Positions, replay and '
        "close codes: see `/api/docs#websocket`.",
        "parameters": [
            {
                "name": "session",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "format": "uuid"},
            }
        ],
        "responses": {
            "101": {"description": "The socket is open."},
            "403": {
                "description": "The ticket is used, expired or of another session; the page's "
                "origin is another than the one that asked for it; or the chat is over. Ask for "
                "a new URL: the answer to that tells which."
            },
        },
        "security": [{"ticket": []}],
    },
    "/api/v1/openapi.json": {
        "operationId": "getReference",
        "tags": ["Operation"],
        "summary": "This document",
        "responses": {
            "200": {
                "description": "OpenAPI 3.1, with an ETag.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        },
        "security": [],
    },
    "/healthz": {
        "operationId": "isAlive",
        "tags": ["Operation"],
        "summary": "Alive",
        "description": "For restart decisions: answers while the process runs.",
        "responses": {
            "200": {
                "description": "The process runs.",
                "content": {
                    "application/json": {
                        "schema": {"type": "object"},
                        "example": {"status": "ok", "version": "1.0.0"},
                    }
                },
            }
        },
        "security": [],
    },
    "/readyz": {
        "operationId": "isReady",
        "tags": ["Operation"],
        "summary": "Ready",
        "description": "For the load balancer: the database is reachable, and the process is not "
        "draining. A slow or missing Amazon Connect, or Redis, never makes it unready.",
        "responses": {
            str(status): {
                "description": words,
                "content": {
                    "application/json": {
                        "schema": {"type": "object"},
                        "example": {
                            "status": words.lower().rstrip("."),
                            "database": database,
                            "draining": False,
                            "upstream": "ok, 3 s ago",
                            "redis": "ok",
                            "links": 12,
                            "tabs": 15,
                        },
                    }
                },
            }
            for status, words, database in (
                (200, "Ready.", "ok"),
                (503, "Not ready.", "unreachable (OperationalError)"),
            )
        },
        "security": [],
    },
    "/metrics": {
        "operationId": "getMetrics",
        "tags": ["Operation"],
        "summary": "Metrics for Prometheus",
        "description": "Off (404) unless `CHAT_METRICS_TOKEN` is set.",
        "responses": {
            "200": {
                "description": "Prometheus text.",
                "content": {"text/plain": {"schema": {"type": "string"}}},
            },
            "401": {"description": "The token is missing or wrong."},
            "404": {"description": "Metrics are switched off."},
        },
        "security": [{"metricsToken": []}],
    },
}
