"""Log lines: what must not be in them is taken out, wherever a library put it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import structlog
from django.test import Client

from chatproxy.logs import logging_config

KEY = "sk1.11111111-2222-4333-8444-555555555555.a-secret-of-43-characters"
VIEW = "a-view-token-of-amazons"


def written(record: logging.LogRecord) -> str:
    """The line that is written for ``record``."""
    facts = {**logging_config(level="INFO", as_json=True)["formatters"]["line"]}
    del facts["()"]
    return structlog.stdlib.ProcessorFormatter(**facts).format(record)


def line(message: str, *args: Any, **extra: Any) -> dict[str, Any]:
    record = logging.makeLogRecord(
        {"name": "a.library", "levelname": "INFO", "msg": message, "args": args, **extra}
    )
    found: dict[str, Any] = json.loads(written(record))
    return found


@pytest.mark.parametrize(
    "text",
    [
        f"X-Amz-Bearer: {KEY}",
        "/ws/chat/1?ticket=a-secret.1.2",
        f"Forbidden: /participant/views/{VIEW}",
        f"<ASGIRequest: GET '/participant/views/{VIEW}/of-two-parts'>",
    ],
)
def test_what_looks_like_a_secret_is_hidden_in_the_text_of_a_line(text: str) -> None:
    event = line("%s", text)["event"]
    assert "[hidden]" in event
    assert not any(secret in event for secret in ("a-secret", VIEW, "of-two-parts"))


def test_a_secret_is_hidden_in_facts_that_are_no_text_too() -> None:
    class Request:
        def __repr__(self) -> str:
            return f"<Request: GET '/ws/chat/1?ticket={KEY}'>"

    found = line("x", request=Request(), seen=[{"key": KEY}], status=403, known=None)
    assert "a-secret" not in json.dumps(found)
    assert found["request"] == "<Request: GET '/ws/chat/1?ticket=[hidden]'>"
    assert (found["status"], found["known"]) == (403, None)


@pytest.mark.django_db
def test_a_view_token_that_was_refused_is_not_in_the_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert (
        client.get(f"/participant/views/{VIEW}", headers={"Host": "127.0.0.1"}).status_code == 403
    )
    lines = [written(record) for record in caplog.records if record.name.startswith("django")]
    assert lines
    assert VIEW not in "".join(lines)
