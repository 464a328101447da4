"""Messages of which nobody knows whether the service took them, because its answer was lost.

Repeated on the same connection token, the service tells: it knows the ClientToken. A token that it
refuses meanwhile makes the repeat go out on another, where the ClientToken means nothing to it.
Then the transcript tells, which the link has read by then.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any

from chatproxy.relay import runtime
from chatproxy.sessions.errors import Overloaded
from chatproxy.sessions.models import aware
from chatproxy.sessions.opened import OpenedSession
from chatproxy.upstream.inputs import OutgoingMessage
from chatproxy.upstream.vocabulary import ItemType, ParticipantRole

MOST = 10_000
#: The service's clock and ours may differ by so much.
CLOCKS_DIFFER = timedelta(seconds=60)

_tries: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()
_lock = threading.Lock()


def remember(session_id: str, message: OutgoingMessage, generation: int) -> None:
    """A try on the token of this generation may have arrived."""
    with _lock:
        _tries.setdefault((session_id, message.client_token), (generation, time.time()))
        if len(_tries) > MOST:
            _tries.popitem(last=False)


def forget(session_id: str, message: OutgoingMessage) -> None:
    """It is known what became of it."""
    if _tries:
        with _lock:
            _tries.pop((session_id, message.client_token), None)


def arrived(
    chat: OpenedSession, message: OutgoingMessage, generation: int
) -> dict[str, Any] | None:
    """The service's answer to an earlier try, if that arrived and another token is used now.

    Raises:
        Overloaded: not known yet; the link is just reading what was missed.
    """
    tried = _tries.get((chat.id, message.client_token))
    if tried is None or tried[0] == generation:
        return None
    place = runtime.hub().place(chat.id)
    if place is None or not place.link.connected.is_set():
        raise Overloaded("The connection is being renewed. Try again in a moment.", 1.0)
    since = datetime.fromtimestamp(tried[1], UTC) - CLOCKS_DIFFER
    for item in reversed(place.stream.transcript.everything()):
        if aware(str(item.get("AbsoluteTime", ""))) < since:
            break
        if _is(item, message):
            return {"Id": item["Id"], "AbsoluteTime": item["AbsoluteTime"]}
    return None


def _is(item: dict[str, Any], message: OutgoingMessage) -> bool:
    return (
        item.get("Type") == ItemType.MESSAGE
        and item.get("ParticipantRole") == ParticipantRole.CUSTOMER
        and item.get("ContentType") == message.content_type
        and item.get("Content") == message.content
    )
