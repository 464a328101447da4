"""A visitor's client for flow tests: plain requests and a websocket that keeps what it sees."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.hearing import Hearing

Wire = dict[str, Any]
EVENT = "application/vnd.amazonaws.connect.event."
ENDED = EVENT + "chat.ended"


class Visitor:
    """One visitor of a proxy at ``url``: starts a chat and holds its keys."""

    def __init__(
        self,
        url: str,
        *,
        widget: str = "demo",
        origin: str | None = None,
        continues: str | None = None,
    ) -> None:
        self.url = url
        self.origin = origin
        answer = requests.post(
            f"{url}/api/v1/sessions",
            json={
                "widget": widget,
                "clientToken": str(uuid.uuid4()),
                **({"continue": continues} if continues else {}),
            },
            headers=self._page(),
            timeout=30,
        )
        assert answer.status_code == 201, answer.text
        started = answer.json()
        self.session: str = started["session"]
        self.key: str = started["key"]
        self.contact_id: str = started["startChatResult"]["ContactId"]
        self.participant_id: str = started["startChatResult"]["ParticipantId"]
        self.connection_key = ""

    def _page(self) -> dict[str, str]:
        return {"Origin": self.origin} if self.origin else {}

    def call(self, operation: str, body: Wire, key: str | None = None) -> requests.Response:
        return requests.post(
            f"{self.url}/participant/{operation}",
            json=body,
            headers={"X-Amz-Bearer": key or self.connection_key, **self._page()},
            timeout=30,
        )

    def connect(self) -> str:
        """CreateParticipantConnection; the websocket URL."""
        kinds = {"Type": ["WEBSOCKET", "CONNECTION_CREDENTIALS"]}
        answer = self.call("connection", kinds, self.key)
        assert answer.status_code == 200, answer.text
        made = answer.json()
        self.connection_key = made["ConnectionCredentials"]["ConnectionToken"]
        return str(made["Websocket"]["Url"])

    def send(self, text: str, client_token: str | None = None) -> Wire:
        body = {
            "ContentType": "text/plain",
            "Content": text,
            "ClientToken": client_token or str(uuid.uuid4()),
        }
        answer = self.call("message", body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def open_tab(self, after: str | None = None) -> Tab:
        return Tab(self.connect(), after=after, origin=self.origin)

    def get(self, path: str) -> requests.Response:
        return requests.get(
            f"{self.url}/api/v1/{path}",
            headers={"X-Amz-Bearer": self.key, **self._page()},
            timeout=30,
        )

    def state(self) -> str:
        return str(self.get("session").json()["state"])

    def transcript(self) -> list[Wire]:
        """GetTranscript, all pages, oldest first."""
        items: list[Wire] = []
        body: Wire = {"MaxResults": 100, "SortOrder": "DESCENDING"}
        while True:
            answer = self.call("transcript", body)
            assert answer.status_code == 200, answer.text
            items += answer.json()["Transcript"]
            if "NextToken" not in answer.json():
                return items[::-1]
            body["NextToken"] = answer.json()["NextToken"]


class Tab:
    """One browser socket that asks for the session topic and replays after a position."""

    def __init__(self, url: str, *, after: str | None = None, origin: str | None = None) -> None:
        page = {"Origin": origin} if origin else {}
        self._open = ExitStack()
        self.socket: ClientConnection = self._open.enter_context(
            # All that comes is read at once: a client that stops reading is not told of the close.
            connect(
                url,
                proxy=None,
                open_timeout=30,
                additional_headers=page,
                max_queue=None,
                create_connection=Hearing,
            )
        )
        self.frames: list[Wire] = []
        self.close_code: int | None = None
        self.close_reason = ""
        content: Wire = {"topics": ["aws/chat", "chatproxy/session"]}
        if after is not None:
            content["after"] = after
        self.socket.send(json.dumps({"topic": "aws/subscribe", "content": content}))
        self.wait(lambda frame: frame.get("topic") == "aws/subscribe")

    @property
    def position(self) -> str:
        """The last position seen."""
        positions = [frame["position"] for frame in self.frames if "position" in frame]
        positions += [
            frame["content"]["position"]
            for frame in self.frames
            if isinstance(frame.get("content"), dict) and "position" in frame["content"]
        ]
        return str(positions[-1]) if positions else ""

    def items(self) -> list[Wire]:
        return [
            json.loads(frame["content"])
            for frame in self.frames
            if frame.get("topic") == "aws/chat"
        ]

    def texts(self) -> list[str]:
        """What was said, in the order it arrived here."""
        return [item["Content"] for item in self.items() if item.get("Type") == "MESSAGE"]

    def told(self) -> list[Wire]:
        """Contents of our own topic's frames."""
        return [f["content"] for f in self.frames if f.get("topic") == "chatproxy/session"]

    def wait(self, wanted: Callable[[Wire], bool], within_s: float = 20.0) -> Wire:
        """Read until a frame that is ``wanted``; earlier frames count too."""
        end, looked = time.monotonic() + within_s, 0
        while True:
            for frame in self.frames[looked:]:
                if wanted(frame):
                    return frame
            looked = len(self.frames)
            left = end - time.monotonic()
            assert left > 0, f"not seen within {within_s} s; last frames: {self.frames[-3:]}"
            assert self.close_code is None, f"closed with {self.close_code}"
            self._read(left)

    def wait_text(self, text: str, within_s: float = 20.0) -> None:
        self.wait(lambda _: text in self.texts(), within_s)

    def wait_item(self, content_type: str, within_s: float = 20.0) -> None:
        self.wait(
            lambda _: any(item.get("ContentType") == content_type for item in self.items()),
            within_s,
        )

    def read_for(self, seconds: float) -> None:
        """Collect whatever comes."""
        end = time.monotonic() + seconds
        while self.close_code is None and (left := end - time.monotonic()) > 0:
            self._read(left)

    def wait_closed(self, within_s: float = 20.0) -> int:
        end = time.monotonic() + within_s
        while self.close_code is None:
            assert time.monotonic() < end, "still open"
            self._read(max(0.01, end - time.monotonic()))
        return self.close_code

    def _read(self, timeout_s: float) -> None:
        try:
            self.frames.append(json.loads(self.socket.recv(timeout=timeout_s)))
        except TimeoutError:
            pass
        except ConnectionClosed as err:
            self.close_code = err.rcvd.code if err.rcvd else 1006
            self.close_reason = err.rcvd.reason if err.rcvd else ""

    def close(self) -> None:
        self._open.close()


def eventually(
    condition: Callable[[], bool], within_s: float = 20.0, what: str = "", *, every_s: float = 0.1
) -> None:
    """Look again until it is so."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, what or "it never came to be"
        time.sleep(every_s)
