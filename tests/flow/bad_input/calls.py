"""Calls of a client that may do anything wrong, at both doors."""

from __future__ import annotations

import uuid
from typing import Any

import requests

from tests.processes import RunningDemo

INVALID = "ValidationException"
DENIED = "AccessDeniedException"
CONNECTED = {
    "message": {"ContentType": "text/plain", "Content": "hi"},
    "event": {"ContentType": "application/vnd.amazonaws.connect.event.typing"},
    "transcript": {},
    "disconnect": {},
    "start-attachment-upload": {
        "ContentType": "text/plain",
        "AttachmentName": "a.txt",
        "AttachmentSizeInBytes": 3,
        "ClientToken": "a",
    },
    "complete-attachment-upload": {"AttachmentIds": ["a"], "ClientToken": "a"},
    "attachment": {"AttachmentId": "a"},
    "authentication-url": {"SessionId": str(uuid.UUID(int=1)), "RedirectUri": "https://a.test"},
    "cancel-authentication": {"SessionId": str(uuid.UUID(int=1))},
}
CONNECTION = {"Type": ["WEBSOCKET", "CONNECTION_CREDENTIALS"]}


def raw(
    demo: RunningDemo, path: str, body: bytes | str, key: str = "", **headers: str
) -> requests.Response:
    return requests.post(
        f"{demo.url}{path}",
        data=body.encode() if isinstance(body, str) else body,
        headers={"Content-Type": "application/json", "X-Amz-Bearer": key, **headers},
        timeout=20,
    )


def start(demo: RunningDemo, body: dict[str, Any], **headers: str) -> requests.Response:
    return requests.post(f"{demo.url}/api/v1/sessions", json=body, headers=headers, timeout=20)


def with_key(demo: RunningDemo, method: str, path: str, key: str | None) -> requests.Response:
    headers = {} if key is None else {"X-Amz-Bearer": key}
    return requests.request(
        method,
        f"{demo.url}{path}",
        json=None if method in ("GET", "DELETE") else {"score": 5},
        headers=headers,
        timeout=10,
    )
