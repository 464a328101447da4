"""The upstream websocket's protocol without a socket: texts in, events out, texts to send back.

Whoever holds the socket sends what `opening` and `tick` return, hands each text frame's bytes to
`receive`, and calls `tick` again after `wakes_in()` seconds. Subscribing (again), heartbeats and
patience with them are kept here, on a clock that is handed in. Reading is lenient and never raises:
what makes no sense is an event too.

Source: ChatJS 5.0, whose timing this follows; the mobile SDKs' tests for the frames.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from json import JSONDecoder
from typing import Any, Final

from chatproxy.upstream.chatframes import ChatFrame, PlainFrames, decoded, item_of
from chatproxy.upstream.vocabulary import HEARTBEAT_INTERVAL_S, Topic

SUBSCRIBE: Final = '{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}'
PING: Final = '{"topic":"aws/ping"}'
HEARTBEAT: Final = '{"topic":"aws/heartbeat"}'
SUBSCRIBE_AGAIN_S: Final = 1.0  # no reply to a subscribe
REFUSED_AGAIN_S: Final = 0.5
SUBSCRIBE_ATTEMPTS: Final = 5

_FIRST_VALUE: Final = JSONDecoder()
_SPACE: Final = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Subscribed:
    """From now on ``aws/chat`` frames arrive; what was said before has to be fetched."""


@dataclass(frozen=True, slots=True)
class SubscribeRefused:
    """The service said no; it is asked again, a few times."""

    status: str


@dataclass(frozen=True, slots=True)
class HeartbeatAnswered:
    """The near end of the service is there."""


@dataclass(frozen=True, slots=True)
class PingAnswered:
    """The far end has been asked too; ``is_healthy`` is its own opinion, to be reported only."""

    is_healthy: bool


@dataclass(frozen=True, slots=True)
class GatewayError:
    """A frame without a topic: the gateway in front refused or failed.

    ``request_id`` is for a support case; ``message`` is the gateway's own text, cut to 200.
    """

    message: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing for us: empty, not JSON, or a topic we did not ask for."""

    reason: str


Event = (
    ChatFrame
    | Subscribed
    | SubscribeRefused
    | HeartbeatAnswered
    | PingAnswered
    | GatewayError
    | Ignored
)


class Failure(StrEnum):
    """Why the socket is of no use any more and another one should be opened."""

    HEARTBEAT_MISSED = "heartbeat missed"
    NOT_UTF8 = "a frame was not UTF-8"
    SUBSCRIBE_UNANSWERED = "subscribe unanswered"
    SUBSCRIBE_REFUSED = "subscribe refused"


class TopicsProtocol:
    """One upstream socket's conversation, from open to failure.

    Attributes:
        is_subscribed: The service has acknowledged the subscription.
        failure: Why to give the socket up; None while it is good. Never goes away again.
    """

    __slots__ = (
        "_attempts",
        "_clock",
        "_heartbeat_at",
        "_interval_s",
        "_is_awaiting_heartbeat",
        "_plain",
        "_subscribe_at",
        "_was_refused",
        "failure",
        "is_subscribed",
    )

    def __init__(
        self,
        *,
        heartbeat_interval_s: float = HEARTBEAT_INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.is_subscribed = False
        self.failure: Failure | None = None
        self._interval_s = heartbeat_interval_s
        self._clock = clock
        self._attempts = 0
        self._subscribe_at = 0.0
        self._heartbeat_at = 0.0
        self._is_awaiting_heartbeat = False
        self._was_refused = False
        self._plain = PlainFrames()

    def opening(self) -> tuple[str, ...]:
        """What to send as soon as the socket is open, in this order, without waiting."""
        now = self._clock()
        self._subscribe_sent(now)
        return (SUBSCRIBE, *self._beat(now))

    def wakes_in(self) -> float:
        """Seconds until `tick` has something to do; 0 if it has now."""
        due = self._heartbeat_at
        if not self.is_subscribed:
            due = min(due, self._subscribe_at)
        return max(0.0, due - self._clock())

    def tick(self) -> tuple[str, ...]:
        """What to send now, if anything; may set ``failure`` instead."""
        now = self._clock()
        if self.failure:
            return ()
        texts: tuple[str, ...] = ()
        if not self.is_subscribed and now >= self._subscribe_at:
            if self._attempts >= SUBSCRIBE_ATTEMPTS:
                self.failure = (
                    Failure.SUBSCRIBE_REFUSED if self._was_refused else Failure.SUBSCRIBE_UNANSWERED
                )
                return ()
            self._subscribe_sent(now)
            texts = (SUBSCRIBE,)
        if now >= self._heartbeat_at:
            if self._is_awaiting_heartbeat:
                self.failure = Failure.HEARTBEAT_MISSED
                return ()
            texts += self._beat(now)
        return texts

    def beat(self) -> tuple[str, ...]:
        """What to send to hear at once whether the other end is there."""
        return self._beat(self._clock())

    def receive(self, payload: bytes) -> Event:
        """Read one text frame."""
        plain = self._plain.read(payload)
        if plain is not None:
            return plain
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            self.failure = Failure.NOT_UTF8
            return Ignored("not UTF-8")
        try:
            outer = decoded(text)
        except ValueError:
            text, outer = _first_value(text)
            payload = text.encode()
        if not isinstance(outer, dict):
            return Ignored("empty" if not text.strip() else "not a JSON object")
        topic, content = outer.get("topic"), outer.get("content")
        if topic == Topic.CHAT:
            return self._chat_frame(payload, content)
        if topic == Topic.HEARTBEAT:
            self._is_awaiting_heartbeat = False
            return HeartbeatAnswered()
        if topic == Topic.SUBSCRIBE:
            return self._subscribe_answered(content)
        if topic == Topic.PING:
            return PingAnswered(
                outer.get("statusCode") == 200 and outer.get("statusContent") == "OK"
            )
        return _without_topic(outer) if topic is None else Ignored("another topic")

    def _chat_frame(self, payload: bytes, content: object) -> Event:
        try:
            item = item_of(content)
        except ValueError:
            return Ignored("a chat frame without an item")
        self._plain.learn(payload, item)
        return ChatFrame(payload, item)

    def _subscribe_answered(self, content: object) -> Event:
        status = content.get("status") if isinstance(content, dict) else None
        if status == "success":
            self.is_subscribed = True
            return Subscribed()
        self._was_refused = True
        self._subscribe_at = self._clock() + REFUSED_AGAIN_S
        return SubscribeRefused(str(status)[:50])

    def _subscribe_sent(self, now: float) -> None:
        self._attempts += 1
        self._subscribe_at = now + SUBSCRIBE_AGAIN_S

    def _beat(self, now: float) -> tuple[str, ...]:
        self._is_awaiting_heartbeat = True
        self._heartbeat_at = now + self._interval_s
        return PING, HEARTBEAT


def _first_value(text: str) -> tuple[str, Any]:
    """The first JSON value of a text that goes on after it, and the part of the text it takes."""
    start = len(text) - len(text.lstrip(_SPACE))
    try:
        value, end = _FIRST_VALUE.raw_decode(text, start)
    except (ValueError, RecursionError):
        return text, None
    return text[start:end], value


def _without_topic(outer: dict[str, Any]) -> Event:
    message = outer.get("message")
    if not isinstance(message, str):
        return Ignored("no topic")
    return GatewayError(message[:200], str(outer.get("requestId") or "")[:100])
