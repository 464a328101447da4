"""What can be read of a chat whose stored items do not all open."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from chatproxy.sessions import legible
from chatproxy.sessions.legible import UNREADABLE
from chatproxy.sessions.models import ChatSession
from tests.unit.sessions.conftest import MakeSession, say, sealed_with_a_lost_key

pytestmark = pytest.mark.django_db


def read(chat: ChatSession) -> list[dict[str, Any]]:
    return legible.read(str(chat.pk))


def test_a_message_that_does_not_open_stands_in_its_place_and_says_so(
    make_session: MakeSession,
) -> None:
    chat = make_session()
    said = [say(chat, text, minute=minute) for minute, text in enumerate(["one", "two", "three"])]
    sealed_with_a_lost_key(said[1])
    assert read(chat) == [
        said[0],
        {
            "Id": said[1]["Id"],
            "AbsoluteTime": said[1]["AbsoluteTime"],
            "Type": "MESSAGE",
            "ContentType": "text/plain",
            "Content": UNREADABLE,
            "ParticipantRole": "CUSTOMER",
            "Unreadable": True,
        },
        said[2],
    ]


def test_a_file_that_does_not_open_is_a_message_that_says_so(make_session: MakeSession) -> None:
    chat = make_session()
    sealed_with_a_lost_key(say(chat, "", Type="ATTACHMENT", Attachments=[{"AttachmentId": "a"}]))
    (item,) = read(chat)
    assert (item["Type"], item["Content"]) == ("MESSAGE", UNREADABLE)


def test_an_event_that_does_not_open_still_says_what_happened(make_session: MakeSession) -> None:
    chat = make_session()
    ended = "application/vnd.amazonaws.connect.event.chat.ended"
    sealed_with_a_lost_key(say(chat, "", Type="EVENT", ContentType=ended))
    (item,) = read(chat)
    assert (item["Type"], item["ContentType"], "Content" in item) == ("EVENT", ended, False)


def test_the_log_says_how_many_do_not_open_and_nothing_of_what_was_said(
    make_session: MakeSession, caplog: pytest.LogCaptureFixture
) -> None:
    chat = make_session()
    say(chat, "my card number is 4711")
    with caplog.at_level(logging.WARNING):
        read(chat)
        assert caplog.records == []
        sealed_with_a_lost_key(say(chat, "my card number is 4711", minute=1))
        read(chat)
    (line,) = caplog.records
    assert line.__dict__["unreadable"] == 1
    assert "4711" not in str(line.__dict__)
