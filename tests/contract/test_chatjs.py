"""A whole chat with unmodified ChatJS, in Node: the library most front ends bring along."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict

import pytest

from tests.chatjs import VERSIONS, ChatJs, chatjs, needs_chatjs
from tests.contract.ground import DELIVERED, READ, TYPING, Chat, Ground, Wire

pytestmark = needs_chatjs


@contextmanager
def joined(version: str, chat: Chat) -> Iterator[ChatJs]:
    with chatjs(version, chat.ground.url, **asdict(chat.started)) as session:
        yield session


@pytest.mark.parametrize("version", VERSIONS)
def test_chatjs_goes_through_a_whole_chat(ground: Ground, version: str) -> None:
    chat = ground.start(display_name="Jane")
    with joined(version, chat) as session:
        session.connect()
        sent = session.do("sendMessage", contentType="text/plain", message="Hello ✓")
        assert session.hear("onMessage", Id=sent["Id"])["Content"] == "Hello ✓"
        chat.say("Hi Jane")
        said = session.hear("onMessage", Content="Hi Jane")
        chat.act("typing", role="AGENT")
        session.hear("onTyping", ParticipantRole="AGENT")
        session.do("sendEvent", contentType=TYPING)
        page = session.do("getTranscript", maxResults=5, sortOrder="ASCENDING")
        assert [each["Id"] for each in page["Transcript"]][-1] == said["Id"]
        session.do("sendAttachment", name="note.txt", type="text/plain", text="remember")
        (file,) = session.hear("onMessage", Type="ATTACHMENT")["Attachments"]
        assert (file["AttachmentName"], file["Status"]) == ("note.txt", "APPROVED")
        assert session.do("downloadAttachment", attachmentId=file["AttachmentId"]) == "remember"
        session.do("disconnectParticipant")
        if version == "5":  # earlier ones close their socket at once
            session.hear("onEnded")
        _wait_for(chat, lambda contact: contact["ended_by"] == "customer")


def test_chatjs_exchanges_receipts_and_outlives_its_socket(ground: Ground) -> None:
    chat = ground.start()
    with joined("5", chat) as session:
        session.connect()
        sent = session.do("sendMessage", contentType="text/plain", message="read this")
        said = chat.say("and this")
        session.hear("onMessage", Id=said["Id"])
        content = json.dumps({"messageId": said["Id"]})
        for kind in (DELIVERED, READ):
            session.do("sendEvent", contentType=kind, content=content)
        chat.act("receipt", message_id=sent["Id"], role="AGENT")
        heard = session.hear("onReadReceipt")
        assert heard["MessageMetadata"]["MessageId"] == sent["Id"]
        _wait_for(chat, lambda contact: _is_read(contact, said["Id"]))
        opened = ground.sandbox.state()["sockets_opened"]
        chat.act("drop-sockets")
        _wait_for(chat, lambda _: ground.sandbox.state()["sockets_opened"] > opened)
        _wait_for(chat, lambda contact: contact["subscribed"] == 1)
        again = chat.say("after")
        session.hear("onMessage", Id=again["Id"])


def _wait_for(chat: Chat, wanted: Callable[[Wire], bool], within_s: float = 15.0) -> None:
    """Until the sandbox sees the chat so. ChatJS sends receipts some time after it resolves."""
    end = time.monotonic() + within_s
    while not wanted(contact := chat.ground.sandbox.control("GET", f"contacts/{chat.contact_id}")):
        assert time.monotonic() < end, contact
        time.sleep(0.02)


def _is_read(contact: Wire, message_id: str) -> bool:
    (item,) = (each for each in contact["transcript"] if each["Id"] == message_id)
    receipts = item.get("MessageMetadata", {}).get("Receipts", [])
    return any("ReadTimestamp" in each for each in receipts)
