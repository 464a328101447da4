"""Reads back what was said while a session had no socket.

A *gap* is any time without a subscribed socket; nothing is replayed by the service, the transcript
is the only way to learn what passed.
"""

from __future__ import annotations

from typing import Any

from chatproxy.relay.gateway import Gateway
from chatproxy.relay.stream import Stream
from chatproxy.upstream.governor import Priority
from chatproxy.upstream.inputs import TranscriptQuery
from chatproxy.upstream.vocabulary import ScanDirection, SortOrder

FILL_ITEMS = 5000
PAGE = 100


async def fill(stream: Stream, gateway: Gateway, priority: Priority) -> int:
    """Read the transcript back to what is known, and pass on what is not, oldest first.

    The first time, and whenever not all is known, it reads to the chat's first item and, for a
    continued chat, through all of its past.

    Returns:
        How many frames were news.

    Raises:
        UpstreamError: as GetTranscript; nothing has been passed on.
    """
    transcript = stream.transcript
    missing: list[dict[str, Any]] = []
    past: list[dict[str, Any]] = []
    query = TranscriptQuery(
        max_results=PAGE,
        scan_direction=ScanDirection.BACKWARD,
        sort_order=SortOrder.DESCENDING,
    )
    is_complete = transcript.is_complete
    while True:
        page = await gateway.transcript(stream.session_id, query, priority)
        for item in page.items:
            (past if "RelatedContactId" in item.wire else missing).append(item.wire)
        if not page.next_token or len(missing) + len(past) >= FILL_ITEMS:
            is_complete = not page.next_token
            break
        if transcript.is_complete and any(item.id in transcript for item in page.items):
            break
        query = TranscriptQuery(max_results=PAGE, next_token=page.next_token)
    news = sum(stream.take_item(wire) for wire in reversed(missing))
    if past:
        transcript.set_past(reversed(past))
    transcript.is_complete = is_complete
    return news
