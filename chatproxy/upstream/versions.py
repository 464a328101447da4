"""The one rule for versions of an item, used by frames, transcript and store alike.

An item comes more than once under its Id: as chunks of a streamed answer and then whole, as a file
being scanned and then approved, as text and then processed text, alone and then with receipts; and
once more whenever the transcript is read. ``version_keys`` tells whether a copy says anything new;
``newest`` makes one item of two. Both are pure, and neither changes what it is given.

The rule: final beats chunk and a later chunk an earlier one; APPROVED or REJECTED beats
IN_PROGRESS; a message in processing loses to a processed one; receipts merge; else the later copy
wins. Whatever wins keeps the earliest AbsoluteTime, so that an item does not move once it is shown.
The outcome does not depend on the order of arrival, except between two whole texts of the same
standing.
"""

from typing import Any, Final

from chatproxy.upstream.items import Item
from chatproxy.upstream.reading import Json
from chatproxy.upstream.vocabulary import AttachmentStatus, MessageProcessingStatus

STAMPS: Final = ("DeliveredTimestamp", "ReadTimestamp")
# Where an item belongs is said on some copies only: frames name both contacts, the transcript one.
_PLACE: Final = ("ContactId", "InitialContactId", "RelatedContactId")
_SETTLED: Final = {
    AttachmentStatus.IN_PROGRESS.value: 0,
    AttachmentStatus.APPROVED.value: 1,
    AttachmentStatus.REJECTED.value: 2,  # if both are ever said, the cautious one stands
}
_STATUS: Final = "MessageProcessingStatus"
_PROCESSING: Final = MessageProcessingStatus.PROCESSING.value
Standing = tuple[int, int, int, int]


def version_key(item: Item) -> str:
    """Names one version of an item, receipts aside: equal keys, equal content.

    The same version has the same key on the websocket and in the transcript; keys are for this
    process alone. Times, contact ids and names may differ between the two and are no part of it.
    """
    wire = item.wire
    part: Any = "whole"
    status = files = ""
    if "MessageMetadata" in wire:  # most frames have neither this nor files
        part = item.metadata.get("ChunkNumber") if item.is_chunk else part
        status = item.metadata.get(_STATUS) or ""
    if "Attachments" in wire:
        files = "".join(
            f"\0{file.get('AttachmentId')}:{file.get('Status')}" for file in item.attachments
        )
    said = hash((item.type, item.content_type, item.content, files))
    if not item.id:
        return f":{part}:{status}:{said}:{item.absolute_time}:{item.participant_id}"
    return f"{item.id}:{part}:{status}:{said}"


def version_keys(item: Item) -> tuple[str, ...]:
    """A key for the item itself and one for each receipt on it: news if any of them is new.

    A MESSAGEMETADATA item is nothing but its receipts (or a processing status).
    """
    if "MessageMetadata" not in item.wire:
        return (version_key(item),)
    receipts = receipt_keys(item)
    if item.is_receipt and receipts:
        return receipts
    return (version_key(item), *receipts)


def receipt_keys(item: Item) -> tuple[str, ...]:
    """Names each thing the receipts say: which message, who, delivered or read, when."""
    return tuple(
        f"{item.id}:{stamp}:{receipt.get('RecipientParticipantId')}:{receipt[stamp]}"
        for receipt in item.receipts
        for stamp in STAMPS
        if receipt.get(stamp)
    )


def newest(old: Json, new: Json) -> Json:
    """One item out of two with the same Id; equal to ``old`` if ``new`` adds nothing.

    Args:
        old: What is known.
        new: What has come.
    """
    first, second = Item(old), Item(new)
    if standing(second) >= standing(first):
        winner, loser = second, first
        if not second.is_receipt and version_key(first) == version_key(second):
            winner, loser = first, second
    else:
        winner, loser = first, second
    merged = dict(winner.wire)
    for name in _PLACE:
        if name not in merged and name in loser.wire:
            merged[name] = loser.wire[name]
    _keep_time(merged, first, second)
    _merge_metadata(merged, winner, loser)
    return merged


def standing(item: Item) -> Standing:
    """How far an item has come; of two copies the one that has come further is shown.

    Receipts alone stand below the message they are about; then chunks by number, files by the
    scanner's verdict, messages by whether they have been processed.
    """
    is_about_itself = 0 if item.is_receipt else 1
    number = item.metadata.get("ChunkNumber")
    chunk = number if item.is_chunk and type(number) is int else 0
    settled = min((_SETTLED.get(file.get("Status", ""), 1) for file in item.attachments), default=0)
    processing = item.metadata.get(_STATUS) == _PROCESSING
    is_final = 0 if item.is_chunk else 1
    return is_about_itself, (is_final << 32) + chunk, settled, 0 if processing else 1


def _keep_time(merged: Json, first: Item, second: Item) -> None:
    # A receipt frame's time is the receipt's, not the message's.
    about = [each for each in (first, second) if not each.is_receipt] or [first, second]
    times = [each.absolute_time for each in about if each.absolute_time]
    if times:
        merged["AbsoluteTime"] = min(times)


def _merge_metadata(merged: Json, winner: Item, loser: Item) -> None:
    receipts = merged_receipts(winner.receipts, loser.receipts)
    metadata: dict[str, Any] = dict(winner.metadata)
    if receipts:
        metadata["Receipts"] = receipts
        metadata.setdefault("MessageId", winner.id)
    status = loser.metadata.get(_STATUS)
    if loser.is_receipt and status and metadata.get(_STATUS, _PROCESSING) == _PROCESSING:
        metadata[_STATUS] = status
    if metadata:
        merged["MessageMetadata"] = metadata


def merged_receipts(*lists: list[Json]) -> list[Json]:
    """One receipt per recipient, with the first time each thing happened; in order of recipient."""
    by_recipient: dict[str, Json] = {}
    for receipt in (each for receipts in lists for each in receipts):
        recipient = str(receipt.get("RecipientParticipantId") or "")
        known = by_recipient.setdefault(recipient, dict(receipt))
        for stamp in STAMPS:
            stamps = [each[stamp] for each in (known, receipt) if isinstance(each.get(stamp), str)]
            if stamps:
                known[stamp] = min(stamps)
    return [by_recipient[recipient] for recipient in sorted(by_recipient)]
