"""GetTranscript: from memory where the relay has it all, from upstream otherwise.

The service grants eight of these a second to all chats of an instance together. The process whose
link is connected, whose gap is filled and whose history reaches the contact's first item knows
every item; it answers by itself. NextToken is always ours, so a page may come from either side.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chatproxy.api.access import Visitor, door
from chatproxy.api.participant import CONNECTED, answer, body_as, called, when_connected
from chatproxy.relay import runtime
from chatproxy.sessions import messaging
from chatproxy.sessions.transcript import Cursor, Page, Transcript
from chatproxy.upstream.governor import Group, Priority
from chatproxy.upstream.inputs import StartPosition, TranscriptQuery
from chatproxy.upstream.shapes import TranscriptPage
from chatproxy.upstream.vocabulary import (
    TRANSCRIPT_DEFAULT_RESULTS,
    TRANSCRIPT_MAX_RESULTS,
    ScanDirection,
    SortOrder,
)


@door(CONNECTED)
def get_transcript(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """GetTranscript: a page of what was said."""
    query = body_as(TranscriptQuery, request)
    cursor = Cursor.from_token(query.next_token, visitor.chat.id) if query.next_token else None
    known = _known(visitor.chat.id)
    is_about_us = query.contact_id in (None, visitor.chat.contact_id)
    if known is not None and is_about_us:
        return answer(_wire(visitor, known.page(query, cursor)))
    return when_connected(visitor, lambda ready: _from_upstream(ready, query, cursor))


def _known(session_id: str) -> Transcript | None:
    """The whole transcript, if this process has it."""
    hub = runtime.running_hub()
    place = hub.place(session_id) if hub is not None else None
    if place is None or not place.link.connected.is_set():
        return None
    stream = place.stream
    # Who has just sent something must find it here.
    is_current = stream.transcript.is_complete and not stream.expected
    return stream.transcript if is_current else None


def _from_upstream(
    visitor: Visitor, query: TranscriptQuery, cursor: Cursor | None
) -> HttpResponseBase:
    asked = _expressed(query, cursor)

    def call(_generation: int) -> dict[str, Any]:
        page = messaging.get_transcript(visitor.chat, asked)
        return _wire(visitor, _ours(page, asked, query, cursor))

    return called(visitor, Group.TRANSCRIPT, Priority.READER, call)


def _expressed(query: TranscriptQuery, cursor: Cursor | None) -> TranscriptQuery:
    """The query for upstream: our cursor becomes the position of the item it stands behind."""
    if cursor is None:
        return query
    wanted = query.max_results or TRANSCRIPT_DEFAULT_RESULTS
    return dataclasses.replace(
        query,
        next_token=None,
        # The item itself comes along and is dropped.
        max_results=min(wanted + 1, TRANSCRIPT_MAX_RESULTS),
        scan_direction=cursor.direction,
        start_position=StartPosition(id=cursor.item_id),
    )


def _ours(
    page: TranscriptPage, asked: TranscriptQuery, query: TranscriptQuery, cursor: Cursor | None
) -> Page:
    items = [item.wire for item in page.items if cursor is None or item.id != cursor.item_id]
    direction = asked.scan_direction or (
        ScanDirection.BACKWARD if _starts_at_end(query) else ScanDirection.FORWARD
    )
    descending = query.sort_order in (None, SortOrder.DESCENDING)
    last = (
        items[-1 if descending == (direction == ScanDirection.BACKWARD) else 0] if items else None
    )
    more = page.next_token is not None and last is not None
    return Page(items, Cursor(direction, str(last["Id"])) if more and last else None)


def _starts_at_end(query: TranscriptQuery) -> bool:
    return query.start_position is None or query.start_position.is_empty


def _wire(visitor: Visitor, page: Page) -> dict[str, Any]:
    body: dict[str, Any] = {
        "InitialContactId": visitor.chat.contact_id,
        "Transcript": page.items,
    }
    if page.cursor is not None:
        body["NextToken"] = page.cursor.token(visitor.chat.id)
    return body
