"""A downloaded transcript: what was said in words, and nothing in it that a browser would run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from chatproxy.api.downloads import FORMATS
from chatproxy.api.schemas import TranscriptAnswer

EVENT = "application/vnd.amazonaws.connect.event."
PICKER = {
    "templateType": "ListPicker",
    "data": {"content": {"title": "Which size?", "elements": [{"title": "42"}, {"title": "43"}]}},
}


def item(minute: int, **members: Any) -> dict[str, Any]:
    at = f"2026-11-22T10:{minute:02}:00.000Z"
    return {"Id": str(minute), "AbsoluteTime": at, "Type": "MESSAGE"} | members


def message(minute: int, content: str, content_type: str = "text/plain") -> dict[str, Any]:
    return item(minute, Content=content, ContentType=content_type, DisplayName="Ada")


ITEMS = [
    item(0, Type="EVENT", ContentType=EVENT + "participant.joined", DisplayName="Ada"),
    message(1, "Hello <b>you</b>"),
    message(2, "**bold**", "text/markdown"),
    item(
        3,
        Content=json.dumps(PICKER),
        ContentType="application/vnd.amazonaws.connect.message.interactive",
        ParticipantRole="SYSTEM",
    ),
    item(
        4,
        Type="ATTACHMENT",
        Attachments=[{"AttachmentName": "shoe.png", "Status": "APPROVED"}],
        DisplayName="Ada",
    ),
    item(5, Type="EVENT", ContentType=EVENT + "chat.ended"),
]


def downloaded(form: str, *, incomplete_since: datetime | None = None) -> str:
    transcript = TranscriptAnswer(
        session="s",
        started_at=None,
        ended_at=None,
        incomplete_since=incomplete_since,
        items=ITEMS,
    )
    answer = FORMATS[form](transcript)
    assert answer["Content-Disposition"] == f'attachment; filename="chat.{form}"'
    return answer.content.decode()


def test_text_reads_as_it_was_said() -> None:
    assert downloaded("txt").splitlines() == [
        "2026-11-22 10:00:00  Ada: joined",
        "2026-11-22 10:01:00  Ada: Hello <b>you</b>",
        "2026-11-22 10:02:00  Ada: **bold**",
        "2026-11-22 10:03:00  System: [List] Which size?",
        "- 42",
        "- 43",
        "2026-11-22 10:04:00  Ada: [File] shoe.png",
        "2026-11-22 10:05:00  The chat ended",
    ]


def test_html_holds_nothing_a_browser_would_run() -> None:
    page = downloaded("html")
    assert "Hello &lt;b&gt;you&lt;/b&gt;" in page
    assert "[List] Which size?<br>- 42<br>- 43" in page


def test_json_keeps_the_services_own_spelling() -> None:
    assert json.loads(downloaded("json"))["items"] == ITEMS


def test_what_may_be_missing_is_said_where_people_read() -> None:
    unseen = datetime(2026, 11, 22, 10, 6, tzinfo=UTC)
    assert "2026-11-22 10:06 may be missing" in downloaded("txt", incomplete_since=unseen)
    assert "may be missing" in downloaded("html", incomplete_since=unseen)
