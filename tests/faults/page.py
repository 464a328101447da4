"""A page with our widget in it, as far as faults matter: what it sees, and what it sends.

The same rules as ``widget_static/src``: a position is kept of what was taken in, a new socket asks
for what came after it, and where that is not to be had, or nothing was seen yet, the transcript is
read. Items count by Id, the newest version of each. A message is repeated with its ClientToken, on
the connection key of its first try, until there is an answer.
"""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

Wire = dict[str, Any]
TOPICS = ["aws/chat", "chatproxy/session"]
CONNECT = {"Type": ["WEBSOCKET", "CONNECTION_CREDENTIALS"]}
#: Faster than the widget's ten seconds, so that a schedule is over sooner.
BEAT_S = 1.5
REPLAY_PATIENCE_S = 4.0
BEHIND_S = 1.0
CALL_S = 12.0
OPEN_S = 8.0
COME_BACK, STAY_AWAY = range(4100, 4500), range(4500, 5000)


class Refused(Exception):
    """A call that got no answer, or one that says to try again."""


class Gone(Exception):
    """The chat is over: nothing more comes of asking."""


@dataclass
class Session:
    """One visitor's chat, whatever pages show it."""

    url: str
    key: str
    session_id: str
    contact_id: str
    participant_id: str
    connection_key: str = ""

    @classmethod
    def start(cls, url: str) -> Session:
        """Start a chat; repeats the start until it is answered."""
        token = str(uuid.uuid4())
        while True:
            try:
                answer = requests.post(
                    f"{url}/api/v1/sessions",
                    json={"widget": "demo", "clientToken": token},
                    timeout=CALL_S,
                )
            except requests.RequestException:
                time.sleep(0.3)
                continue
            if answer.status_code in (200, 201):
                made = answer.json()
                result = made["startChatResult"]
                ids = result["ContactId"], result["ParticipantId"]
                return cls(url, made["key"], made["session"], *ids)
            time.sleep(0.3)

    def call(self, operation: str, body: Wire, key: str) -> Wire:
        """One call of the Participant API.

        Raises:
            Refused: try again.
            Gone: do not.
        """
        try:
            answer = requests.post(
                f"{self.url}/participant/{operation}",
                json=body,
                headers={"X-Amz-Bearer": key},
                timeout=CALL_S,
            )
        except requests.RequestException as err:
            raise Refused(type(err).__name__) from err
        if answer.status_code == 200:
            return dict(answer.json())
        if answer.status_code == 429 or answer.status_code >= 500:
            raise Refused(str(answer.status_code))
        raise Gone(f"{answer.status_code} {answer.text[:200]}")

    def connection(self) -> str:
        """CreateParticipantConnection; a websocket URL."""
        made = self.call("connection", CONNECT, self.key)
        self.connection_key = made["ConnectionCredentials"]["ConnectionToken"]
        return str(made["Websocket"]["Url"])

    def transcript(self) -> list[Wire]:
        """GetTranscript, all of it."""
        items, body = list[Wire](), {"MaxResults": 100, "SortOrder": "DESCENDING"}
        while True:
            page = self.call("transcript", body, self.connection_key)
            items += page["Transcript"]
            if "NextToken" not in page:
                return items
            body["NextToken"] = page["NextToken"]


class Page(threading.Thread):
    """One open page; ``items`` is what it shows, by Id."""

    def __init__(self, session: Session) -> None:
        super().__init__(daemon=True)
        self.session = session
        self.items: dict[str, Wire] = {}
        self.is_over = False
        self.reconnects = 0
        self.rereads = 0
        self.story: deque[str] = deque(maxlen=200)
        self._position = ""
        self._newest: list[str] = []
        self._dozes_s = 0.0
        self._left = threading.Event()

    def leave(self) -> None:
        """Close the page; ``join`` it then."""
        self._left.set()

    def doze(self, seconds: float) -> None:
        """Drop the socket, and come back after so long."""
        self._dozes_s = seconds

    def run(self) -> None:
        while not self._left.is_set():
            self._left.wait(self._dozes_s)
            self._dozes_s = wait_s = 0.0
            try:
                wait_s = self._watch()
            except (Refused, WebSocketException, OSError) as err:
                self._tell(f"{type(err).__name__} {err}")
            except Gone as err:
                self._tell(f"gone: {err}")
                self.is_over = True
                return
            self.reconnects += 1
            self._left.wait(wait_s + random.random() * 0.6)

    def shown(self) -> list[str]:
        """Ids of messages in the order they are shown: by the service's time."""
        said = [item for item in self.items.values() if item.get("Type") == "MESSAGE"]
        return [str(item["Id"]) for item in sorted(said, key=lambda item: item["AbsoluteTime"])]

    def _watch(self) -> float:
        """Over one socket; how long to wait before the next."""
        url = self.session.connection()
        with connect(
            url, proxy=None, open_timeout=OPEN_S, close_timeout=0.2, ping_interval=None
        ) as socket:
            after = {"after": self._position} if self._position else {}
            socket.send(_frame("aws/subscribe", {"topics": TOPICS, **after}))
            self._newest = []
            self._tell(f"subscribes {after}")
            return self._listen(socket)

    def _listen(self, socket: ClientConnection) -> float:
        answered_at = beat_at = time.monotonic()
        catch_up_at: float | None = None
        while not (self._left.is_set() or self._dozes_s):
            now = time.monotonic()
            if catch_up_at is not None and now >= catch_up_at:
                self._read_all()
                catch_up_at = now + BEHIND_S if self._is_behind() else None
            if now - answered_at > 3 * BEAT_S:
                self._tell("hears nothing")
                return 0.0
            if now >= beat_at:
                socket.send(_frame("aws/heartbeat", None))
                beat_at = now + BEAT_S
            try:
                frame = json.loads(socket.recv(timeout=0.2))
            except TimeoutError:
                continue
            except WebSocketException:
                return self._dismissed(socket)
            answered_at = time.monotonic()
            told = self._take(frame)
            if frame.get("topic") == "aws/subscribe":
                if told.get("status") != "success":
                    return 0.0
                catch_up_at = answered_at + (REPLAY_PATIENCE_S if self._position else 0)
            elif "newest" in told and catch_up_at is None:
                catch_up_at = now + BEHIND_S if self._is_behind() else None
            if told.get("reset"):
                catch_up_at = 0.0
            elif "replayed" in told:
                catch_up_at = None
        return 0.0

    def _take(self, frame: Wire) -> Wire:
        content = frame.get("content")
        if frame.get("topic") == "aws/chat":
            self._keep(json.loads(str(content)))
        told = content if isinstance(content, dict) else {}
        self._newest = told.get("newest") or self._newest
        self._tell(str(frame)[:330])
        self._position = str(frame.get("position") or told.get("position") or self._position)
        return told

    def _keep(self, item: Wire) -> None:
        if "Id" in item and item.get("Type") != "MESSAGEMETADATA":
            self.items[str(item["Id"])] = item

    def _read_all(self) -> None:
        self.rereads += 1
        items = self.session.transcript()
        self._tell(f"reads all {len(items)}")
        for item in items:
            self._keep(item)

    def _is_behind(self) -> bool:
        """Whether what was read lacks what was there when the socket was subscribed."""
        return any(one not in self.items for one in self._newest)

    def _tell(self, what: str) -> None:
        self.story.append(f"{datetime.now(UTC):%M:%S.%f} {what}")

    def _dismissed(self, socket: ClientConnection) -> float:
        code, reason = socket.protocol.close_code, socket.protocol.close_reason or ""
        self._tell(f"closed with {code} {reason}")
        if code in STAY_AWAY:
            raise Gone(str(code))
        if code == 1012:
            return float(json.loads(reason)["retryAfterMs"]) / 1000
        return 0.0


@dataclass
class Entry:
    text: str
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    connection_key: str = ""
    tries: int = 0
    state: str = "queued"
    #: The answer that made the visitor give it up.
    reason: str = ""


class Outbox(threading.Thread):
    """Sends one message after the other, each until it is known."""

    def __init__(self, session: Session) -> None:
        super().__init__(daemon=True)
        self.session = session
        self.entries: list[Entry] = []
        self._queue: deque[Entry] = deque()
        self._left = threading.Event()

    def add(self, text: str) -> None:
        entry = Entry(text)
        self.entries.append(entry)
        self._queue.append(entry)

    @property
    def is_empty(self) -> bool:
        return not self._queue

    def leave(self) -> None:
        self._left.set()

    def run(self) -> None:
        while not self._left.is_set():
            if not self._queue:
                self._left.wait(0.02)
                continue
            entry = self._queue[0]
            try:
                self._send(entry)
            except Refused:
                self._left.wait(random.random() * min(0.2 * 2 ** min(entry.tries, 3), 1.0))
            except Gone as err:
                entry.state, entry.reason = "refused", str(err)
                self._queue.popleft()
            else:
                entry.state = "sent"
                self._queue.popleft()

    def _send(self, entry: Entry) -> None:
        entry.tries += 1
        if not entry.connection_key:
            if not self.session.connection_key:
                self.session.connection()
            entry.connection_key = self.session.connection_key
        body = {"ContentType": "text/plain", "Content": entry.text, "ClientToken": entry.token}
        self.session.call("message", body, entry.connection_key)


def _frame(topic: str, content: Any) -> str:
    return json.dumps({"topic": topic} if content is None else {"topic": topic, "content": content})
