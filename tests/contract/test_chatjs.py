"""A whole chat with unmodified ChatJS, in Node: the library most front ends bring along."""

import json
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chatproxy.child import ROOT
from tests.contract.ground import DELIVERED, JOINED, READ, TYPING, Chat, Ground, Wire

NODE = shutil.which("node")
DRIVER = Path(__file__).with_name("chatjs.cjs")
VERSIONS = {"5": "amazon-connect-chatjs", "3": "chatjs-3", "2": "chatjs-2"}

pytestmark = pytest.mark.skipif(
    NODE is None or not (ROOT / "node_modules" / "amazon-connect-chatjs").is_dir(),
    reason="needs Node 20 and `npm ci`",
)


class ChatJs:
    """One running ChatJS session."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[Wire] = queue.Queue()
        self._unheard: list[Wire] = []
        threading.Thread(target=self._read, daemon=True).start()

    def do(self, action: str, **argument: Any) -> Any:
        """Call a method of the session; what its promise resolved to."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"action": action, "argument": argument}) + "\n")
        self._process.stdin.flush()
        answer = self._next(lambda line: action in (line.get("done"), line.get("failed")))
        assert "done" in answer, answer
        return answer["data"]

    def connect(self) -> None:
        """Connect, and wait until the socket is subscribed: ChatJS resolves before that."""
        assert self.do("connect")["connectSuccess"] is True
        self.hear("onMessage", ContentType=JOINED)

    def hear(self, listener: str, **members: object) -> Wire:
        """Wait for a listener to be called with these members in its data."""

        def is_it(line: Wire) -> bool:
            data = line.get("data") or {}
            wanted = all(data.get(name) == value for name, value in members.items())
            return line.get("heard") == listener and wanted

        return dict(self._next(is_it).get("data") or {})

    def _next(self, wanted: Any, within_s: float = 10.0) -> Wire:
        end = time.monotonic() + within_s
        while True:
            for index, line in enumerate(self._unheard):
                if wanted(line):
                    return self._unheard.pop(index)
            try:
                self._unheard.append(self._lines.get(timeout=max(0.01, end - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f"not heard; only {self._unheard}") from None

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                self._lines.put(json.loads(line))


@contextmanager
def chatjs(version: str, chat: Chat) -> Iterator[ChatJs]:
    assert NODE is not None
    with subprocess.Popen(
        [NODE, str(DRIVER), VERSIONS[version], chat.ground.url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            session = ChatJs(process)
            session.do(
                "create",
                contactId=chat.contact_id,
                participantId=chat.started.participant_id,
                participantToken=chat.started.participant_token,
            )
            yield session
        finally:
            process.kill()


@pytest.mark.parametrize("version", VERSIONS)
def test_chatjs_goes_through_a_whole_chat(ground: Ground, version: str) -> None:
    chat = ground.start(display_name="Jane")
    with chatjs(version, chat) as session:
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
    with chatjs("5", chat) as session:
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
