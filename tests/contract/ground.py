"""What the contract suite stands on: a Participant Service, and how to begin a chat there.

The suite is written once. A ``Ground`` says where calls go, how a chat is started, and where
the sandbox's control API is (behind the proxy there is a sandbox too). ``Chat`` and ``Ear``
keep the tests short: they speak the plain protocol through ``requests`` and ``websockets``, so
that nothing of ours and nothing of an SDK's stands between a test and the wire.
"""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self

import boto3
import pytest
import requests
from botocore import UNSIGNED
from botocore.config import Config
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.hearing import Hearing
from tests.processes import RunningSandbox

Wire = dict[str, Any]

REGION = "us-west-2"
EVENT = "application/vnd.amazonaws.connect.event."
TYPING = EVENT + "typing"
DELIVERED = EVENT + "message.delivered"
READ = EVENT + "message.read"
ENDED = EVENT + "chat.ended"
JOINED = EVENT + "participant.joined"
LEFT = EVENT + "participant.left"
INTERACTIVE = "application/vnd.amazonaws.connect.message.interactive"
INTERACTIVE_RESPONSE = INTERACTIVE + ".response"
ALL_TYPES = ["text/plain", "text/markdown", "application/json", INTERACTIVE, INTERACTIVE_RESPONSE]
PATIENCE_S = 20.0
"""How long what must come may take on a loaded machine, seconds."""
SUBSCRIBE = '{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}'


def differs(ground: str, reason: str) -> pytest.MarkDecorator:
    """This behaviour is deliberately another one on ``ground``; the test does not run there."""
    return pytest.mark.differs(ground, reason=reason)


@cache
def participant_client(url: str) -> Any:
    """boto3's client of the Participant Service at ``url``; making one takes a while."""
    return boto3.client(
        "connectparticipant",
        endpoint_url=url,
        region_name=REGION,
        config=Config(signature_version=UNSIGNED, retries={"max_attempts": 0}),
    )


@cache
def connect_client(url: str) -> Any:
    """boto3's client of the Connect service at ``url``, signing with made-up keys."""
    return boto3.client(
        "connect",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="made-up",
        aws_secret_access_key="made-up",
        config=Config(retries={"max_attempts": 0}),
    )


@dataclass
class Started:
    """A chat that has begun and that nobody is connected to."""

    contact_id: str
    participant_id: str
    participant_token: str


@dataclass
class Ground:
    """A Participant Service at ``url``; ``start`` begins a chat there."""

    name: str
    url: str
    sandbox: RunningSandbox
    begin: Callable[..., Started]
    chats: list["Chat"] = field(default_factory=list)

    @property
    def lag_s(self) -> float:
        """How long a frame may be on its way after the control API has answered, seconds."""
        return 0.0 if self.name == "sandbox" else 0.3

    @property
    def page_origin(self) -> str:
        """Another origin than ours whose pages may call; the demo's own widget lists it too.

        So a preflight, which is held to all widgets' lists as they were some seconds ago, passes.
        """
        return self.url.replace("127.0.0.1", "localhost")

    def boto(self) -> Any:
        """A boto3 client for the eleven operations, unsigned, that does not retry."""
        return participant_client(self.url)

    def start(self, **wanted: Any) -> "Chat":
        """Begin a chat; ``display_name``, ``initial_message``, ``attributes`` work everywhere."""
        chat = Chat(self, self.begin(**wanted))
        self.chats.append(chat)
        return chat

    def live(self, **wanted: Any) -> "Chat":
        """A chat whose customer is connected and subscribed."""
        chat = self.start(**wanted)
        chat.connect()
        chat.listen()
        return chat

    def close(self) -> None:
        for chat in self.chats:
            chat.close()


class Chat:
    """One customer's chat over plain HTTP and websocket."""

    def __init__(self, ground: Ground, started: Started) -> None:
        self.ground = ground
        self.started = started
        self.token = ""
        self.ears: list[Ear] = []

    @property
    def contact_id(self) -> str:
        return self.started.contact_id

    @property
    def ear(self) -> "Ear":
        return self.ears[0]

    # Calls

    def post(self, path: str, body: object, token: str | None = None) -> requests.Response:
        """POST to /participant/``path``; ``body`` may be text that is no JSON."""
        data = body if isinstance(body, str | bytes) else json.dumps(body)
        return requests.post(
            f"{self.ground.url}/participant/{path}",
            data=data,
            headers={
                "Content-Type": "application/json",
                "X-Amz-Bearer": self.token if token is None else token,
            },
            timeout=PATIENCE_S,
        )

    def done(self, path: str, body: object) -> Wire:
        """POST something that must succeed; its parsed answer."""
        answer = self.post(path, body)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def connect(self, kinds: tuple[str, ...] = ("WEBSOCKET", "CONNECTION_CREDENTIALS")) -> Wire:
        """CreateParticipantConnection; keeps the connection token for the calls that follow."""
        answer = self.post("connection", {"Type": kinds}, self.started.participant_token)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        made = dict(answer.json())
        if "ConnectionCredentials" in made:
            self.token = made["ConnectionCredentials"]["ConnectionToken"]
        return made

    def new_url(self) -> str:
        return str(self.connect(("WEBSOCKET",))["Websocket"]["Url"])

    def send(self, content: str, content_type: str = "text/plain", **more: object) -> Wire:
        return self.done("message", {"ContentType": content_type, "Content": content} | more)

    def event(self, content_type: str, **more: object) -> Wire:
        return self.done("event", {"ContentType": content_type} | more)

    def receipt(self, content_type: str, message_id: str) -> Wire:
        return self.event(content_type, Content=json.dumps({"messageId": message_id}))

    def transcript(self, **wanted: object) -> Wire:
        return self.done("transcript", wanted)

    def entries(self) -> list[Wire]:
        """The whole transcript, oldest first."""
        page = self.transcript(MaxResults=100, SortOrder="ASCENDING")
        return list(page["Transcript"])

    # Listening

    def listen(self, url: str | None = None, *, subscribed: bool = True) -> "Ear":
        ear = Ear(url or self.new_url(), self.ground.lag_s)
        self.ears.append(ear)
        if subscribed:
            ear.subscribe()
        return ear

    def close(self) -> None:
        for ear in self.ears:
            ear.close()

    # The other side

    def act(self, action: str, **body: object) -> Any:
        """Do something in this chat as somebody else, through the control API."""
        return self.ground.sandbox.control("POST", f"contacts/{self.contact_id}/{action}", body)

    def say(self, content: str, **body: object) -> Wire:
        """Have the agent say something; the item."""
        item = dict(self.act("say", content=content, **body)["item"])
        self._wait_for_relay(str(item["Id"]))
        return item

    def _wait_for_relay(self, item_id: str) -> None:
        """What the control API did is on its way through a relay, if there is one in between."""
        if not self.ears:
            time.sleep(self.ground.lag_s)
        for ear in self.ears:
            ear.linger(lambda ear=ear: any(one.get("Id") == item_id for one in ear.items()))


class Ear:
    """One websocket. Keeps every frame; waits for the one a test asks for."""

    def __init__(self, url: str, lag_s: float = 0.0) -> None:
        self.lag_s = lag_s
        self._open = ExitStack()
        # All that comes is read at once: a client that stops reading is not told of the close.
        self.socket = self._open.enter_context(
            connect(
                url,
                proxy=None,
                open_timeout=PATIENCE_S,
                max_queue=None,
                create_connection=Hearing,
            )
        )
        self.frames: list[Wire] = []
        self._heard = 0
        self.close_code: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, text: str) -> None:
        self.socket.send(text)

    def subscribe(self) -> Wire:
        self.send(SUBSCRIBE)
        return self.frame(topic="aws/subscribe")

    def frame(self, within_s: float = PATIENCE_S, **members: object) -> Wire:
        """The next unheard frame whose envelope has these members."""
        return self._next(lambda frame: _has(frame, members), within_s, members)

    def item(self, within_s: float = PATIENCE_S, **members: object) -> Wire:
        """The next unheard item (content of an aws/chat frame, parsed) with these members."""
        found = self._next(lambda frame: _has(inner(frame), members), within_s, members)
        return inner(found)

    def items(self) -> list[Wire]:
        """All items so far, in the order they came."""
        return [inner(each) for each in self.frames if each.get("topic") == "aws/chat"]

    def settle(self) -> list[Wire]:
        """Everything that was sent until now has come: all items, in order."""
        self.send('{"topic":"aws/ping"}')
        self.frame(topic="aws/ping")
        self.linger(lambda: False)
        return self.items()

    def linger(self, heard: Callable[[], bool]) -> None:
        """Read on for as long as a relay in between may need, or until ``heard()``."""
        end = time.monotonic() + self.lag_s
        while not heard() and self.close_code is None and time.monotonic() < end:
            self._receive(end - time.monotonic())

    def closed(self, within_s: float = PATIENCE_S) -> int:
        """Wait for the server to close; the close code."""
        end = time.monotonic() + within_s
        while self.close_code is None and time.monotonic() < end:
            self._receive(end - time.monotonic())
        assert self.close_code is not None, "the socket is still open"
        return self.close_code

    def close(self) -> None:
        self._open.close()

    def _next(self, wanted: Callable[[Wire], bool], within_s: float, what: object) -> Wire:
        end = time.monotonic() + within_s
        while True:
            while self._heard < len(self.frames):
                frame = self.frames[self._heard]
                self._heard += 1
                if wanted(frame):
                    return frame
            assert time.monotonic() < end, f"no {what} among {self.frames}"
            assert self.close_code is None, f"closed ({self.close_code}) before {what}"
            self._receive(end - time.monotonic())

    def _receive(self, timeout_s: float) -> None:
        try:
            self.frames.append(json.loads(self.socket.recv(timeout=max(0.0, timeout_s))))
        except TimeoutError:
            pass
        except ConnectionClosed as err:
            self.close_code = err.rcvd.code if err.rcvd else 1006


def inner(frame: Wire) -> Wire:
    """The item in an aws/chat frame; an empty dict for other frames."""
    if frame.get("topic") != "aws/chat":
        return {}
    return dict(json.loads(frame["content"]))


def _has(value: Wire, members: Wire) -> bool:
    return all(value.get(name) == wanted for name, wanted in members.items())


def assert_refused(answer: requests.Response, status: int, name: str) -> str:
    """The answer is this error in the service's shape; its message."""
    assert (answer.status_code, answer.headers.get("x-amzn-ErrorType")) == (status, name), (
        answer.text
    )
    message = answer.json()["message"]
    assert isinstance(message, str)
    assert message
    assert answer.headers["x-amzn-RequestId"]
    return message
