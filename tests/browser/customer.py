"""A customer of the sandbox without a page: the Participant API in as few lines as it takes."""

import json
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

CONTENT_TYPES = [
    "text/plain",
    "text/markdown",
    "application/json",
    "application/vnd.amazonaws.connect.message.interactive",
    "application/vnd.amazonaws.connect.message.interactive.response",
]
PATIENCE_S = 15.0
EVENTS = "application/vnd.amazonaws.connect.event."


class Customer:
    """Starts a chat, stays connected, and keeps the frames it gets."""

    def __init__(self, url: str, name: str, **wanted: object) -> None:
        self.url = url
        self.name = name
        self.frames: list[dict[str, Any]] = []
        self._heard = threading.Condition()
        started = self._call("PUT", "/contact/chat", _start(name) | wanted)
        self.contact_id = str(started["ContactId"])
        self.participant_id = str(started["ParticipantId"])
        self._bearer = str(started["ParticipantToken"])
        wanted_types = {"Type": ["WEBSOCKET", "CONNECTION_CREDENTIALS"]}
        connection = self.post("connection", wanted_types)
        self._bearer = str(connection["ConnectionCredentials"]["ConnectionToken"])
        self._open = ExitStack()
        self._socket = self._open.enter_context(connect(connection["Websocket"]["Url"], proxy=None))
        threading.Thread(target=self._listen, daemon=True).start()
        subscribe = {"topic": "aws/subscribe", "content": {"topics": ["aws/chat"]}}
        self._socket.send(json.dumps(subscribe))
        self.wait_for(ContentType=f"{EVENTS}participant.joined")

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Call one operation of the Participant Service; the parsed answer."""
        return self._call("POST", f"/participant/{path}", body)

    def say(self, text: str, content_type: str = "text/plain") -> str:
        """Send a message; its item id."""
        answer = self.post("message", {"ContentType": content_type, "Content": text})
        return str(answer["Id"])

    def event(self, name: str, content: dict[str, Any] | None = None) -> None:
        body = {"ContentType": EVENTS + name}
        self.post("event", body | ({"Content": json.dumps(content)} if content else {}))

    def send_file(self, name: str, content_type: str, data: bytes) -> None:
        """Upload and share a file, in the service's three steps."""
        begun = self.post(
            "start-attachment-upload",
            {
                "ContentType": content_type,
                "AttachmentSizeInBytes": len(data),
                "AttachmentName": name,
                "ClientToken": "upload-" + name,
            },
        )
        upload = begun["UploadMetadata"]
        headers = {
            header: value
            for header, value in upload["HeadersToInclude"].items()
            if header.lower() != "content-length"
        }
        done = requests.put(upload["Url"], data=data, headers=headers, timeout=30)
        assert done.ok, done.text
        ids = {"AttachmentIds": [begun["AttachmentId"]], "ClientToken": "done-" + name}
        self.post("complete-attachment-upload", ids)

    def wait_for(self, **members: object) -> dict[str, Any]:
        """The newest frame with these members, once it is here."""
        return self._wait(lambda frame: members.items() <= frame.items(), str(members))

    def wait_until_read(self, message_id: str) -> None:
        """Until somebody has read one's message."""

        def tells_so(frame: dict[str, Any]) -> bool:
            receipts = frame.get("MessageMetadata", {}).get("Receipts", [])
            return frame["Id"] == message_id and any("ReadTimestamp" in each for each in receipts)

        self._wait(tells_so, f"{message_id} read")

    def _wait(self, is_it: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def is_here() -> bool:
            found[:] = [frame for frame in self.frames if is_it(frame)]
            return bool(found)

        with self._heard:
            assert self._heard.wait_for(is_here, PATIENCE_S), (what, self.frames)
        return found[-1]

    def close(self) -> None:
        self._open.close()

    def _listen(self) -> None:
        try:
            for text in self._socket:
                frame = json.loads(text)
                if frame.get("topic") == "aws/chat":
                    with self._heard:
                        self.frames.append(json.loads(frame["content"]))
                        self._heard.notify_all()
        except ConnectionClosed:
            pass

    def _call(self, method: str, path: str, body: dict[str, Any]) -> Any:
        headers = {"X-Amz-Bearer": self._bearer} if hasattr(self, "_bearer") else {}
        answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=30)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()


def _start(name: str) -> dict[str, Any]:
    return {
        "InstanceId": "11111111-1111-4111-8111-111111111111",
        "ContactFlowId": "22222222-2222-4222-8222-222222222222",
        "ParticipantDetails": {"DisplayName": name},
        "SupportedMessagingContentTypes": CONTENT_TYPES,
        "Attributes": {"page": "/shoes/trail-runner", "language": "en"},
    }
