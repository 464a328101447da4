"""A message is said once, also where its tries go out on different connection tokens.

Repeated on the same token, the service tells: it knows the ClientToken. A token that it refuses
meanwhile makes the repeat go out on another, where the ClientToken means nothing to it. Then it is
we who find out: from the answer to an earlier try, which the client did not get; or from what the
chat's transcript has, where the answer was lost, or was given by a process that is gone.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from chatproxy.conf import conf
from chatproxy.relay import runtime
from chatproxy.sessions import messaging, sent
from chatproxy.sessions.errors import Overloaded
from chatproxy.sessions.instances import governor, spending
from chatproxy.sessions.keys import digest
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
NEWEST = TranscriptQuery(
    max_results=TRANSCRIPT_MAX_RESULTS,
    scan_direction=ScanDirection.BACKWARD,
    sort_order=SortOrder.DESCENDING,
)

Wire = dict[str, Any]


@dataclass(slots=True)
class Tries:
    """What this process knows of one message: how it tried, and the answer."""

    #: Of the tokens it may have arrived on, one for each try.
    generations: list[int] = field(default_factory=list)
    under_way: int = 0
    answer: Wire | None = None


_tries: OrderedDict[tuple[str, str], Tries] = OrderedDict()
_lock = threading.Lock()


def said_once(
    chat: OpenedSession,
    message: OutgoingMessage,
    generation: int,
    send: Callable[[], Accepted],
    *,
    is_key_outdated: bool,
) -> Wire:
    """``send()`` on the token of this generation, unless an earlier try on another has arrived.

    Args:
        is_key_outdated: the token is not that of the client's key, so that a try on that one, or on
            one between, may have been made by another process.

    Returns:
        The service's answer: to this try or to that.

    Raises:
        Overloaded: not known yet whether it has arrived.
        UpstreamError: as SendMessage; or as GetTranscript, where that has to tell.
    """
    tries = _tries_of(chat.id, message.client_token)
    on_others = set(tries.generations) - {generation}
    if on_others or (is_key_outdated and not tries.generations):
        if (found := _arrived(chat, message, tries)) is not None:
            tries.answer = found
            return found
        with _lock:
            tries.generations.clear()
    return _tried(tries, generation, send)


def _tries_of(session_id: str, client_token: str) -> Tries:
    with _lock:
        tries = _tries.setdefault((session_id, client_token), Tries())
        if len(_tries) > MOST:
            _tries.popitem(last=False)
    return tries


def _tried(tries: Tries, generation: int, send: Callable[[], Accepted]) -> Wire:
    with _lock:
        tries.generations.append(generation)
        tries.under_way += 1
    try:
        tries.answer = send().wire
    except Exception as err:
        if not (isinstance(err, UpstreamError) and err.may_have_arrived):
            with _lock, suppress(ValueError):
                tries.generations.remove(generation)
        raise
    finally:
        with _lock:
            tries.under_way -= 1
    return tries.answer


def _arrived(chat: OpenedSession, message: OutgoingMessage, tries: Tries) -> Wire | None:
    """The service's answer to an earlier try on another token; ``None``: there was none."""
    if tries.answer is not None:
        return tries.answer
    if tries.under_way:
        raise Overloaded("This message is on its way. Try again in a moment.", 1.0)
    # Of a try of our own, a moment ago, the frame may still be missing from our own transcript.
    known = None if tries.generations else runtime.transcript(chat.id)
    newest = known.page(NEWEST, None).items if known is not None else _read(chat)
    same = [item for item in newest if _is(item, message)]
    if not same:
        return None
    mine, owners = digest(message.client_token), _owners(chat.id, [item["Id"] for item in same])
    for owner in (mine, None):
        for item in same:
            if owners.get(item["Id"]) == owner:
                return {"Id": item["Id"], "AbsoluteTime": item["AbsoluteTime"]}
    return None


def _read(chat: OpenedSession) -> list[Wire]:
    """The newest items, by the service."""
    if not conf.governor:
        return [item.wire for item in messaging.get_transcript(chat, NEWEST).items]
    keeper = governor(chat.instance_id)
    if not keeper.try_acquire(Group.TRANSCRIPT, Priority.READER, chat.id):
        raise Overloaded("The chat service is busy. Try again in a second.", 1.0)
    with spending(chat.instance_id, Group.TRANSCRIPT):
        return [item.wire for item in messaging.get_transcript(chat, NEWEST).items]


def _owners(session_id: str, item_ids: list[str]) -> dict[str, str]:
    """The digest of the ClientToken each item was answered to, by Id; of others nobody knows."""
    owners = sent.owners(session_id, item_ids)
    with _lock:  # what was answered this very moment is not written down yet
        for (of_session, client_token), tries in _tries.items():
            if of_session == session_id and tries.answer is not None:
                owners[str(tries.answer["Id"])] = digest(client_token)
    return owners


def _is(item: Wire, message: OutgoingMessage) -> bool:
    return (
        item.get("Type") == ItemType.MESSAGE
        and item.get("ParticipantRole") == ParticipantRole.CUSTOMER
        and item.get("ContentType") == message.content_type
        and item.get("Content") == message.content
    )
