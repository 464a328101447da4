"""SendEvent: checked and answered here, sent on when there is room (``relay/signals.py``).

Typing and receipts would use up the quota that messages need, so a browser never waits for them.
What upstream would have refused is refused here where we can know it; the rest is lost silently, as
it is for everybody who does not look at SendEvent's answer.
"""

from __future__ import annotations

import asyncio
import json
import uuid

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from chatproxy.api.access import Visitor, door
from chatproxy.api.participant import CONNECTED, answer, body_as, when_connected
from chatproxy.relay import runtime
from chatproxy.sessions.errors import SessionEnded
from chatproxy.sessions.models import State
from chatproxy.upstream.errors import ValidationException
from chatproxy.upstream.inputs import OutgoingEvent
from chatproxy.upstream.shapes import wire_time
from chatproxy.upstream.vocabulary import RECEIPT_EVENT_TYPES, EventType


@door(CONNECTED)
def send_event(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """SendEvent: typing, delivered, read. Answered at once."""
    event = body_as(OutgoingEvent, request)
    if visitor.chat.state == State.LEAVING:
        raise SessionEnded("You have left the chat.")
    if event.content_type in RECEIPT_EVENT_TYPES:
        _check_receipt(visitor, event)
    if event.content_type != EventType.CONNECTION_ACKNOWLEDGED:
        return when_connected(visitor, lambda ready: _offered(ready, event))
    return _accepted(visitor, event)


def _offered(visitor: Visitor, event: OutgoingEvent) -> HttpResponseBase:
    # Without a connection by now, it is lost: nobody at the other end is waiting for it.
    if visitor.chat.token(visitor.generation) is not None:
        hub = runtime.hub()
        loop: asyncio.AbstractEventLoop = hub.loop
        loop.call_soon_threadsafe(hub.signals.offer, visitor.chat, visitor.generation, event)
    return _accepted(visitor, event)


def _accepted(visitor: Visitor, event: OutgoingEvent) -> HttpResponseBase:
    # The same client token on the same connection gets the same id, as with the service.
    name = f"{visitor.chat.id}:{visitor.generation}:{event.client_token}"
    return answer(
        {
            "Id": str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
            "AbsoluteTime": wire_time(timezone.now()),
        }
    )


def _check_receipt(visitor: Visitor, event: OutgoingEvent) -> None:
    try:
        content = json.loads(event.content or "")
    except (ValueError, RecursionError):
        content = None
    message_id = content.get("messageId") if isinstance(content, dict) else None
    if not isinstance(message_id, str) or not message_id:
        raise ValidationException(
            event.operation,
            message='Content must be a JSON string with a messageId: "{\\"messageId\\":\\"…\\"}".',
        )
    hub = runtime.running_hub()
    place = hub.place(visitor.chat.id) if hub is not None else None
    if place is not None and place.link.connected.is_set():
        transcript = place.stream.transcript
        if transcript.is_complete and message_id not in transcript:
            raise ValidationException(
                event.operation,
                message="messageId is not a message of this chat. Take the Id of one.",
            )
