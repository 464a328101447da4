"""Reads back what was said, and what changed, while a session had no socket.

A *gap* is any time without a subscribed socket; nothing is replayed by the service, the transcript
is the only way to learn what passed. Besides what is new, it holds what has become of older items:
receipts, a scanner's verdict, a processed text. These may be anywhere, so reading goes back past
the newest known item: until what is read has been known for a while, and until every item has been
seen of which more was to be expected.
"""

from __future__ import annotations

import asyncio
from typing import Any

from chatproxy.relay.gateway import Gateway
from chatproxy.relay.stream import Stream
from chatproxy.sessions.transcript import Transcript, is_kept
from chatproxy.upstream.governor import Priority
from chatproxy.upstream.inputs import TranscriptQuery
from chatproxy.upstream.items import Item
from chatproxy.upstream.versions import version_keys
from chatproxy.upstream.vocabulary import (
    AttachmentStatus,
    ItemType,
    MessageProcessingStatus,
    ParticipantRole,
    ScanDirection,
    SortOrder,
)

Wire = dict[str, Any]

PAGE = 100
FILL_PAGES = 50
# So many items in a row that say nothing new: what is behind them is known too.
SETTLED = 25
# Further back than this nobody looks for a tick; a chat whose agents send no receipts, or a file
# whose scanner never answers, must not cost a page more each time a socket is lost.
OPEN_ITEMS = 300
AT_ONCE = 50


async def fill(stream: Stream, gateway: Gateway, priority: Priority) -> int:
    """Read the transcript back to what is known and settled; pass on what is not, oldest first.

    The first time, and whenever something may be missing, it reads to the chat's first item and,
    for a continued chat, through all of its past; at most `FILL_PAGES` pages of it.

    Returns:
        How many frames were news.

    Raises:
        UpstreamError: as GetTranscript; nothing has been passed on.
    """
    transcript = stream.transcript
    open_ids = _open_ids(transcript)
    missing: list[Wire] = []
    past: list[Wire] = []
    settled, token, is_whole = 0, None, False
    for _ in range(FILL_PAGES):
        query = TranscriptQuery(
            max_results=PAGE,
            next_token=token,
            scan_direction=ScanDirection.BACKWARD,
            sort_order=SortOrder.DESCENDING,
        )
        page = await gateway.transcript(stream.session_id, query, priority)
        for item in page.items:
            if "RelatedContactId" in item.wire:
                past.append(item.wire)
                continue
            open_ids.discard(item.id)
            if _is_settled(transcript, item):
                settled += 1
                continue
            missing.append(item.wire)
            if is_kept(item.wire):  # others are never known
                settled = 0
        token = page.next_token
        is_at_known = bool(past) or (settled >= SETTLED and not open_ids)
        is_whole = token is None
        if is_whole or (transcript.is_gapless and is_at_known):
            break
    is_complete = is_whole or (transcript.is_complete and is_at_known)
    news = await _passed_on(stream, missing[::-1])
    if is_whole:
        transcript.set_past(reversed(past))
    transcript.is_complete = is_complete
    # What is behind the last page of a chat that long is not read again each time.
    transcript.is_gapless = True
    return news


async def _passed_on(stream: Stream, items: list[Wire]) -> int:
    """Hand items to the stream, letting the loop go on with others now and then."""
    news = 0
    for number, wire in enumerate(items, 1):
        news += stream.take_item(wire)
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
    return news


def _is_settled(transcript: Transcript, item: Item) -> bool:
    """Whether this copy says nothing that is not known."""
    known = transcript.get(item.id)
    if known is None:
        return False
    return set(version_keys(item)) <= set(version_keys(Item(known)))


def _open_ids(transcript: Transcript) -> set[str]:
    """The items among the newest of which more is to be expected than is known."""
    found: set[str] = set()
    read_sides: set[bool] = set()
    for wire in transcript.everything()[: -OPEN_ITEMS - 1 : -1]:
        item = Item(wire)
        is_customers = item.participant_role == ParticipantRole.CUSTOMER
        if any(receipt.get("ReadTimestamp") for receipt in item.receipts):
            # Clients acknowledge their newest message; what is older has been read with it.
            read_sides.add(is_customers)
        is_unread = _is_said(item) and is_customers not in read_sides
        if is_unread or _is_under_way(item):
            found.add(item.id)
    return found


def _is_said(item: Item) -> bool:
    """Whether receipts may come for it: nobody acknowledges what the flow says."""
    is_content = item.type in (ItemType.MESSAGE, ItemType.ATTACHMENT)
    return is_content and item.participant_role != ParticipantRole.SYSTEM


def _is_under_way(item: Item) -> bool:
    """Whether a scanner or a processor still has to say what becomes of it."""
    is_scanned = any(
        file.get("Status") == AttachmentStatus.IN_PROGRESS for file in item.attachments
    )
    status = item.metadata.get("MessageProcessingStatus")
    return is_scanned or status == MessageProcessingStatus.PROCESSING
