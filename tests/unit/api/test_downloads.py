"""A downloaded transcript: what was said in words, and nothing in it that a browser would run."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chatproxy.api.downloads import FORMATS
from chatproxy.api.schemas import TranscriptAnswer
from chatproxy.sessions import items as store
from chatproxy.sessions import lifecycle
from chatproxy.sessions.models import ChatSession, State, StoredItem
from chatproxy.widgets.models import Widget

NESTED = "[" * 10_000
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


def downloaded(
    form: str,
    *,
    items: list[dict[str, Any]] = ITEMS,
    incomplete_since: datetime | None = None,
) -> str:
    transcript = TranscriptAnswer(
        session="s",
        started_at=None,
        ended_at=None,
        incomplete_since=incomplete_since,
        items=items,
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


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("interactive", "[Message with choices] (not in a shape we know)"),
        ("interactive.response", f"[Answer to a message with choices] {NESTED}"),
    ],
)
def test_json_nested_without_end_is_no_choice_and_spoils_nothing(kind: str, words: str) -> None:
    content_type = f"application/vnd.amazonaws.connect.message.{kind}"
    text = downloaded("txt", items=[message(0, NESTED, content_type), message(1, "Hello")])
    assert text.splitlines() == [
        f"2026-11-22 10:00:00  Ada: {words}",
        "2026-11-22 10:01:00  Ada: Hello",
    ]


INTERACTIVE = "application/vnd.amazonaws.connect.message.interactive"


@pytest.mark.parametrize(
    ("template", "content", "lines"),
    [
        (
            "TimePicker",
            {
                "title": "When?",
                "timeslots": [
                    {"date": "2026-11-27T09:30+00:00", "duration": 3600},
                    {"date": "2026-11-27T10:30-05:00", "duration": 3600},
                    {"date": "soon"},
                ],
            },
            [
                "[Times to choose from] When?",
                "- 2026-11-27 09:30 UTC",
                "- 2026-11-27 10:30 UTC-05:00",
                "- soon",
            ],
        ),
        ("ViewResource", {"viewToken": "v-1"}, ["[Form or page] (shown in the chat)"]),
    ],
)
def test_choices_read_as_people_say_them(
    template: str, content: dict[str, Any], lines: list[str]
) -> None:
    sent = json.dumps({"templateType": template, "data": {"content": content}})
    first, *rest = downloaded("txt", items=[message(0, sent, INTERACTIVE)]).splitlines()
    assert [first.removeprefix("2026-11-22 10:00:00  Ada: "), *rest] == lines


def test_html_holds_nothing_a_browser_would_run() -> None:
    page = downloaded("html")
    assert "Hello &lt;b&gt;you&lt;/b&gt;" in page
    assert "[List] Which size?<br>- 42<br>- 43" in page


def test_json_keeps_the_services_own_spelling() -> None:
    assert json.loads(downloaded("json"))["items"] == ITEMS


def test_what_may_be_missing_is_said_where_people_read() -> None:
    unseen = datetime(2026, 11, 22, 10, 6, 7, 890_123, tzinfo=UTC)
    for form in ("txt", "html"):
        said = downloaded(form, incomplete_since=unseen)
        assert "after 2026-11-22 10:06:07 may be missing" in said


@pytest.mark.parametrize("microsecond", [0, 5, 890_123])
def test_json_spells_its_own_times_as_the_service_does(microsecond: int) -> None:
    unseen = datetime(2026, 11, 22, 10, 6, 7, microsecond, tzinfo=UTC)
    found = json.loads(downloaded("json", incomplete_since=unseen))["incompleteSince"]
    assert found == f"2026-11-22T10:06:07.{microsecond // 1000:03d}Z"


# --- a chat of which one message does not open any more ------------------------------------------

CANNOT = "(This message cannot be read any more.)"


@pytest.fixture
def key(db: None) -> str:
    """Session key of an ended chat: its second message is sealed with a key that was removed."""
    now = timezone.now()
    chat = ChatSession.objects.create(
        widget=Widget.objects.create(key="shop", name="Shop"),
        state=State.ENDED,
        contact_id="c-1",
        started_at=now,
        ended_at=now,
        expires_at=now + timedelta(days=1),
    )
    store.append((str(chat.pk), item) for item in ITEMS)
    StoredItem.objects.filter(item_id="2").update(sealed="of another key")
    return lifecycle.issue_key(chat)


def download(client: Client, key: str, form: str) -> str:
    where = f"/api/v1/session/transcript?format={form}"
    answer = client.get(where, headers={"X-Amz-Bearer": key})
    assert answer.status_code == 200
    return answer.content.decode()


def test_text_has_a_line_for_a_message_that_does_not_open(client: Client, key: str) -> None:
    lines = download(client, key, "txt").splitlines()
    assert lines[1:3] == [
        "2026-11-22 10:01:00  Ada: Hello <b>you</b>",
        f"2026-11-22 10:02:00  {CANNOT}",
    ]
    assert lines[-1].endswith("The chat ended")


def test_html_has_a_line_for_a_message_that_does_not_open(client: Client, key: str) -> None:
    page = download(client, key, "html")
    assert f"<dd>{CANNOT}</dd>" in page
    assert "Hello &lt;b&gt;you&lt;/b&gt;" in page


def test_json_marks_a_message_that_does_not_open(client: Client, key: str) -> None:
    found = json.loads(download(client, key, "json"))["items"]
    assert [item["Id"] for item in found if item.get("Unreadable")] == ["2"]
    assert found[2]["Content"] == CANNOT
    assert [item["Id"] for item in found] == [item["Id"] for item in ITEMS]
