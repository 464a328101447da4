"""GetTranscript: from memory where the relay has it all, from upstream otherwise.

The service grants eight of these a second to all chats of an instance together. The process whose
link is connected, whose gap is filled and whose history reaches the contact's first item knows
every item; it answers by itself. NextToken is always ours, so a page may come from either side: it
names an item, and upstream can be asked for what is behind an item, with one exception. Into the
earlier chats of a continued one lead only upstream's own tokens; ours carries one from page to
page, and where it has none, or an outworn one, upstream is read from the newest item on until it
has.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from chatproxy.api.access import Visitor, door
from chatproxy.api.participant import CONNECTED, answer, body_as, spent, when_connected
from chatproxy.api.permits import too_busy
from chatproxy.onehop import Deferred
from chatproxy.relay import runtime
from chatproxy.relay.gateway import Gateway
from chatproxy.sessions import legible, messaging
from chatproxy.sessions.transcript import Cursor, Page, has_start, no_such_place
from chatproxy.upstream.errors import ValidationException
from chatproxy.upstream.governor import GovernorBusy, Group, Priority
from chatproxy.upstream.inputs import StartPosition, TranscriptQuery
from chatproxy.upstream.shapes import TranscriptPage
from chatproxy.upstream.vocabulary import (
    TRANSCRIPT_DEFAULT_RESULTS,
    TRANSCRIPT_MAX_RESULTS,
    ScanDirection,
    SortOrder,
)

SEARCH_CALLS = 50
SEARCH_WITHIN_S = 15.0


@door(CONNECTED)
def get_transcript(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """GetTranscript: a page of what was said."""
    query = body_as(TranscriptQuery, request)
    cursor = Cursor.from_token(query.next_token, visitor.chat.id) if query.next_token else None
    known = runtime.transcript(visitor.chat.id)
    is_about_us = query.contact_id in (None, visitor.chat.contact_id)
    if known is not None and is_about_us and (cursor is None or known.leads_on_from(cursor)):
        return answer(_wire(visitor, known.page(query, cursor)))
    return when_connected(visitor, lambda ready: _from_upstream(ready, query, cursor))


def items_of(session_id: str) -> list[dict[str, Any]]:
    """All that was said in a chat, as far as we know, oldest first; also after its end.

    Stored items that do not open are marked, see `legible.read`.
    """
    place = runtime.place(session_id)
    if place is not None and place.stream.transcript.is_complete:
        return place.stream.transcript.everything()
    return legible.read(session_id)


def _from_upstream(
    visitor: Visitor, query: TranscriptQuery, cursor: Cursor | None, *, has_searched: bool = False
) -> HttpResponseBase:
    if cursor is not None and not cursor.next_token and _leads_to_the_past(visitor, cursor):
        return _searched(visitor, query, cursor)
    asked = _expressed(query, cursor)

    def call(ready: Visitor) -> HttpResponseBase:
        try:
            page = messaging.get_transcript(ready.chat, asked)
        except ValidationException:
            if asked.next_token is None or has_searched or cursor is None:
                raise
            # The service forgets its tokens when a connection is replaced; the item stays.
            return _searched(ready, query, cursor)
        return answer(_wire(ready, _ours(ready, page, asked, cursor)))

    return spent(visitor, Group.TRANSCRIPT, Priority.READER, call)


def _leads_to_the_past(visitor: Visitor, cursor: Cursor) -> bool:
    """Whether the way on from ``cursor`` leads, sooner or later, into an earlier chat."""
    is_back = cursor.direction == ScanDirection.BACKWARD
    return visitor.chat.is_continued and is_back and not cursor.own_only


def _expressed(query: TranscriptQuery, cursor: Cursor | None) -> TranscriptQuery:
    """The query for upstream: our cursor becomes its token, or the item it stands behind."""
    if cursor is None:
        return query
    if not (cursor.next_token or cursor.item_id):
        raise no_such_place()
    asked = dataclasses.replace(
        query, next_token=None, scan_direction=cursor.direction, start_position=None
    )
    if cursor.next_token:
        return dataclasses.replace(asked, next_token=cursor.next_token)
    wanted = query.max_results or TRANSCRIPT_DEFAULT_RESULTS
    return dataclasses.replace(
        asked,
        # The item itself comes along and is dropped.
        max_results=min(wanted + 1, TRANSCRIPT_MAX_RESULTS),
        start_position=StartPosition(id=cursor.item_id),
    )


def _ours(
    visitor: Visitor, page: TranscriptPage, asked: TranscriptQuery, cursor: Cursor | None
) -> Page:
    items = [item.wire for item in page.items if cursor is None or item.id != cursor.item_id]
    own_only = cursor.own_only if cursor is not None else has_start(asked)
    direction = asked.scan_direction or (
        ScanDirection.FORWARD if own_only else ScanDirection.BACKWARD
    )
    if page.next_token is None:
        return Page(items, None)
    descending = asked.sort_order in (None, SortOrder.DESCENDING)
    edges = items[-1 if descending == (direction == ScanDirection.BACKWARD) else 0 :][:1]
    item_id = str(edges[0]["Id"]) if edges else cursor.item_id if cursor is not None else ""
    after = Cursor(direction, item_id, own_only)
    if not edges or _leads_to_the_past(visitor, after):
        after = dataclasses.replace(after, next_token=page.next_token)
    return Page(items, after)


def _searched(visitor: Visitor, query: TranscriptQuery, cursor: Cursor) -> Deferred:
    """The page behind ``cursor``, once upstream's token for that place has been found."""
    gateway, found = runtime.hub().gateway, list[str | None]()

    async def search() -> None:
        async with asyncio.timeout(SEARCH_WITHIN_S):
            found.append(await token_behind(gateway, visitor.chat.id, cursor.item_id))

    def resume() -> HttpResponseBase:
        if found[0] is None:
            return answer(_wire(visitor, Page([], None)))
        there = dataclasses.replace(cursor, next_token=found[0])
        return _from_upstream(visitor, query, there, has_searched=True)

    return Deferred(wait=search, resume=resume, failed=_gave_up)


async def token_behind(gateway: Gateway, session_id: str, item_id: str) -> str | None:
    """Upstream's token for what is behind an item on the way back; None if nothing is.

    Raises:
        ValidationException: no such item, as far as we read.
        GovernorBusy, UpstreamError: as GetTranscript.
    """
    size, token = TRANSCRIPT_MAX_RESULTS, None
    for _ in range(SEARCH_CALLS):
        query = TranscriptQuery(
            max_results=size,
            next_token=token,
            scan_direction=ScanDirection.BACKWARD,
            sort_order=SortOrder.DESCENDING,
        )
        page = await gateway.transcript(session_id, query, Priority.READER)
        ids = [item.id for item in page.items]
        if item_id in ids[:-1]:
            size = ids.index(item_id) + 1  # the same page again, to end at the item
        elif item_id in ids or page.next_token is None:
            break
        else:
            size, token = TRANSCRIPT_MAX_RESULTS, page.next_token
    if item_id not in ids[-1:]:
        raise no_such_place()
    return page.next_token


def _gave_up(error: Exception) -> HttpResponseBase:
    if isinstance(error, GovernorBusy | TimeoutError):
        raise too_busy(getattr(error, "retry_after_s", 2.0)) from error
    raise error


def _wire(visitor: Visitor, page: Page) -> dict[str, Any]:
    body: dict[str, Any] = {
        "InitialContactId": visitor.chat.contact_id,
        "Transcript": page.items,
    }
    if page.cursor is not None:
        body["NextToken"] = page.cursor.token(visitor.chat.id)
    return body
