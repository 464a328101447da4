"""Messages of which nobody knows whether the service took them, because its answer was lost.

Repeated on the same connection token, the service tells: it knows the ClientToken. A token that it
refuses meanwhile makes the repeat go out on another, where the ClientToken means nothing to it.
Then the service's transcript tells.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Any

from chatproxy.conf import conf
from chatproxy.sessions import messaging
from chatproxy.sessions.errors import Overloaded
from chatproxy.sessions.instances import governor, spending
from chatproxy.sessions.models import aware
from chatproxy.sessions.opened import OpenedSession
from chatproxy.upstream.governor import Group, Priority
from chatproxy.upstream.inputs import OutgoingMessage, TranscriptQuery
from chatproxy.upstream.vocabulary import (
    TRANSCRIPT_MAX_RESULTS,
    ItemType,
    ParticipantRole,
    ScanDirection,
    SortOrder,
)

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
        Overloaded: no room in the quota to find out.
        UpstreamError: as GetTranscript.
    """
    tried = _tries.get((chat.id, message.client_token))
    if tried is None or tried[0] == generation:
        return None
    since = datetime.fromtimestamp(tried[1], UTC) - CLOCKS_DIFFER
    for item in _latest(chat):
        if aware(str(item.get("AbsoluteTime", ""))) < since:
            break
        if _is(item, message):
            return {"Id": item["Id"], "AbsoluteTime": item["AbsoluteTime"]}
    return None


def _latest(chat: OpenedSession) -> list[dict[str, Any]]:
    """The newest items, by the service: our own transcript may be a frame behind."""
    query = TranscriptQuery(
        max_results=TRANSCRIPT_MAX_RESULTS,
        scan_direction=ScanDirection.BACKWARD,
        sort_order=SortOrder.DESCENDING,
    )
    if not conf.governor:
        return [item.wire for item in messaging.get_transcript(chat, query).items]
    keeper = governor(chat.instance_id)
    if not keeper.try_acquire(Group.TRANSCRIPT, Priority.READER, chat.id):
        raise Overloaded("The chat service is busy. Try again in a second.", 1.0)
    with spending(chat.instance_id, Group.TRANSCRIPT):
        return [item.wire for item in messaging.get_transcript(chat, query).items]


def _is(item: dict[str, Any], message: OutgoingMessage) -> bool:
    return (
        item.get("Type") == ItemType.MESSAGE
        and item.get("ParticipantRole") == ParticipantRole.CUSTOMER
        and item.get("ContentType") == message.content_type
        and item.get("Content") == message.content
    )
