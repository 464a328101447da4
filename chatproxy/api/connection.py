"""CreateParticipantConnection, answered by us.

ChatJS calls it again at once whenever a handshake is refused, takes 429 or 5xx three times as the
end of the session and 403 as the end of the chat. So it is never refused for load: it mints a
connection key and a ticket, asks the service only when the session has no live link, waits for that
without holding a thread, and after three seconds answers 200 with the link still coming up. 403 is
for a bad key, or a chat known to be over.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from chatproxy.api.access import Key, Policy, Visitor, door
from chatproxy.api.limits import connection_budget
from chatproxy.api.participant import answer, body_as
from chatproxy.conf import conf
from chatproxy.onehop import Deferred
from chatproxy.relay import runtime
from chatproxy.sessions import lifecycle, opened
from chatproxy.sessions.models import State
from chatproxy.upstream.errors import ValidationException
from chatproxy.upstream.inputs import ConnectionRequest
from chatproxy.upstream.shapes import wire_time
from chatproxy.upstream.vocabulary import WEBSOCKET_LIFETIME_S, ConnectionType

LINK_WAIT_S = 3.0
LEAVING_PAUSE_S = 1.0
LONGEST_PAUSE_S = 10.0
SOCKET_LIFE = timedelta(seconds=WEBSOCKET_LIFETIME_S)


@door(Policy(Key.SESSION, limited=False))
def create_participant_connection(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """CreateParticipantConnection: a connection key, and a websocket URL that opens one socket."""
    asked = body_as(ConnectionRequest, request)
    types = asked.types or ()
    if ConnectionType.WEBRTC_CONNECTION in types:
        raise ValidationException(
            asked.operation, message="WEBRTC_CONNECTION is not offered here; chats only."
        )
    if not types and not asked.connect_participant:
        raise ValidationException(asked.operation, message="Type is required.")
    hub = runtime.hub()
    is_new_chat = visitor.chat.state == State.STARTING

    # A session that asks too fast waits a little; a refusal would end ChatJS's session.
    pause_s = min(LONGEST_PAUSE_S, connection_budget.spend(visitor.chat.id, LONGEST_PAUSE_S))

    async def connected() -> None:
        # The socket that follows is sent away, and other people's clients come back at once.
        await asyncio.sleep(max(pause_s, LEAVING_PAUSE_S) if hub.is_draining else pause_s)
        place = hub.ensure(visitor.chat.id, visitor.chat.contact_id, is_new_chat=is_new_chat)
        await hub.wait_connected(place, LINK_WAIT_S)

    def resume() -> HttpResponse:
        chat = opened.open_session(visitor.chat.id)
        chat.must_be_live()
        passes = lifecycle.issue_pass(chat, visitor.key_id, visitor.origin)
        return answer(_connection(chat.id, passes, types))

    place = hub.place(visitor.chat.id)
    is_here = place is not None and place.link.connected.is_set()
    if is_here and not pause_s and not hub.is_draining:
        return resume()
    return Deferred(wait=connected, resume=resume)


def _connection(
    session_id: str, passes: lifecycle.Pass, types: tuple[ConnectionType, ...]
) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if ConnectionType.WEBSOCKET in types:
        body["Websocket"] = {
            "Url": f"{conf.websocket_url}/ws/chat/{session_id}?ticket={passes.ticket}",
            "ConnectionExpiry": wire_time(timezone.now() + SOCKET_LIFE),
        }
    if ConnectionType.CONNECTION_CREDENTIALS in types:
        body["ConnectionCredentials"] = {
            "ConnectionToken": passes.connection_key,
            "Expiry": wire_time(passes.connection_expiry),
        }
    return body
