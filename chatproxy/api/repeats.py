"""What became of the messages sent lately, for those that are sent again on another token.

Repeated on the same connection token, the service tells: it knows the ClientToken. A token that it
refuses meanwhile makes the repeat go out on another, where the ClientToken means nothing to it.
Then it is we who know: the answer to the earlier try, which the client did not get; or that it has
none yet; or, where the service's answer was lost, that its transcript has to be looked at.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chatproxy.conf import conf
from chatproxy.sessions import messaging
from chatproxy.sessions.errors import Overloaded
from chatproxy.sessions.instances import governor, spending
from chatproxy.sessions.models import aware
from chatproxy.sessions.opened import OpenedSession
from chatproxy.upstream.errors import UpstreamError
from chatproxy.upstream.governor import Group, Priority
from chatproxy.upstream.inputs import OutgoingMessage, TranscriptQuery
from chatproxy.upstream.shapes import Accepted
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


@dataclass(slots=True)
class Try:
    """A message on its way, or the answer to it, or neither: then nobody knows."""

    generation: int
    at: float
    is_under_way: bool = True
    answer: dict[str, Any] | None = None


_tries: OrderedDict[tuple[str, str], Try] = OrderedDict()
_lock = threading.Lock()


def said_once(
    chat: OpenedSession, message: OutgoingMessage, generation: int, send: Callable[[], Accepted]
) -> dict[str, Any]:
    """``send()`` on the token of this generation, unless an earlier try on another arrived.

    Returns:
        The service's answer: to this try or to that.

    Raises:
        Overloaded: not known yet whether it has arrived.
        UpstreamError: as SendMessage; or as GetTranscript, where that has to tell.
    """
    key = (chat.id, message.client_token)
    with _lock:
        earlier = _tries.get(key)
        if earlier is None:
            mine = _tries[key] = Try(generation, time.time())
            if len(_tries) > MOST:
                _tries.popitem(last=False)
    if earlier is None:
        return _first(key, mine, send)
    if earlier.generation != generation and (found := _answer(chat, message, earlier)):
        return found
    earlier.answer = send().wire
    return earlier.answer


def _first(key: tuple[str, str], mine: Try, send: Callable[[], Accepted]) -> dict[str, Any]:
    try:
        mine.answer = send().wire
    except UpstreamError as err:
        if not err.may_have_arrived:
            with _lock:
                _tries.pop(key, None)
        raise
    finally:
        mine.is_under_way = False
    return mine.answer


def _answer(chat: OpenedSession, message: OutgoingMessage, earlier: Try) -> dict[str, Any] | None:
    """The service's answer to an earlier try on another token; ``None``: it did not arrive."""
    if earlier.answer is not None:
        return earlier.answer
    if earlier.is_under_way:
        raise Overloaded("This message is on its way. Try again in a moment.", 1.0)
    since = datetime.fromtimestamp(earlier.at, UTC) - CLOCKS_DIFFER
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
