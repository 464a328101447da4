"""One chat's items in order, and GetTranscript answered from them.

Pure: no database, no clock. The relay feeds it what arrives; what it answers must be what the
service would answer, item by item (``tests/flow`` compares the two over random paging). Order is
AbsoluteTime, ties as they came; each Id is there once, in its newest version.
"""

from __future__ import annotations

import logging
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from chatproxy.sessions import keys
from chatproxy.sessions.vault import SealBroken, seal, unseal
from chatproxy.upstream.chatframes import ChatFrame
from chatproxy.upstream.errors import ValidationException
from chatproxy.upstream.inputs import StartPosition, TranscriptQuery
from chatproxy.upstream.items import Item
from chatproxy.upstream.versions import newest
from chatproxy.upstream.vocabulary import (
    KEPT_EVENT_TYPES,
    NEXT_TOKEN_MAX,
    TRANSCRIPT_DEFAULT_RESULTS,
    ItemType,
    Operation,
    ScanDirection,
    SortOrder,
)

logger = logging.getLogger(__name__)

Wire = dict[str, Any]

MOST_EARLY = 200
_UNREAD: Wire = {}


def is_kept(item: Mapping[str, Any]) -> bool:
    """Whether the service would have this item in its transcript (receipts: merged into theirs)."""
    kind = item.get("Type")
    if kind == ItemType.EVENT:
        return item.get("ContentType") in KEPT_EVENT_TYPES
    return kind in (ItemType.MESSAGE, ItemType.ATTACHMENT)


def as_entry(item: Wire) -> Wire:
    """A frame's item as the transcript has it: what only matters in passing is left out."""
    entry = dict(item)
    entry.pop("InitialContactId", None)
    metadata = entry.pop("MessageMetadata", None)
    if isinstance(metadata, dict):
        kept = {name: metadata[name] for name in _KEPT_METADATA if name in metadata}
        if kept.keys() - {"MessageId"}:
            entry["MessageMetadata"] = kept
    return entry


_KEPT_METADATA = ("MessageId", "MessageProcessingStatus", "Receipts")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: go on in ``direction``, behind the item ``item_id``.

    Attributes:
        item_id: Empty where upstream had nothing to show and yet more to come.
        own_only: It began at a StartPosition, from which no way leads into earlier chats.
        next_token: Upstream's own, where only that leads on.
    """

    direction: ScanDirection
    item_id: str
    own_only: bool = False
    next_token: str = field(default="", repr=False)

    def token(self, session_id: str) -> str:
        """The cursor as a NextToken: signed, so that nobody steers us with a made-up one.

        Upstream's token in it is sealed: to a browser it says nothing, elsewhere it is good for
        nothing. One too long for that stays out; ``item_id`` says the same, at a higher price.
        """
        body = f"{self.direction[0]}{'O' if self.own_only else ''}.{_armoured(self.item_id)}"
        if self.next_token:
            sealed = seal(self.next_token, bound_to=_place_of(session_id))
            token = _signed(f"{body}.{sealed}", session_id)
            if len(token) <= NEXT_TOKEN_MAX:
                return token
        return _signed(body, session_id)

    @classmethod
    def from_token(cls, token: str, session_id: str) -> Cursor:
        """Raises ValidationException: not a NextToken of this session."""
        body, _, signature = token.rpartition(".")
        if not keys.is_signed("cursor", session_id + body, signature):
            raise no_such_place()
        letters, item_id, sealed, *_ = [*body.split("."), ""]
        direction = ScanDirection.FORWARD if letters[:1] == "F" else ScanDirection.BACKWARD
        next_token = ""
        if sealed:
            with suppress(SealBroken):  # its key is no longer used; the item still says where
                next_token = unseal(sealed, bound_to=_place_of(session_id))
        return cls(direction, _plain(item_id), letters[1:] == "O", next_token)


def no_such_place() -> ValidationException:
    """The answer to a NextToken that leads nowhere (any more)."""
    return ValidationException(
        Operation.GET_TRANSCRIPT, message="NextToken is not valid. Start again without it."
    )


def _signed(body: str, session_id: str) -> str:
    return f"{body}.{keys.sign('cursor', session_id + body)}"


def _place_of(session_id: str) -> str:
    return f"{session_id}:next-token"


@dataclass(frozen=True, slots=True)
class Page:
    """One page: items in the order asked for, and where to go on, if there is more."""

    items: list[Wire]
    cursor: Cursor | None


class Transcript:
    """Items of one chat; written by one thread, read by many.

    ``is_complete``: it reaches the contact's first item and, for a continued chat, all of its past.
    ``is_gapless``: nothing is missing among its newest items, however far these reach.
    """

    __slots__ = (
        "_arrivals",
        "_changed",
        "_early",
        "_ids",
        "_items",
        "_lock",
        "_order",
        "_past",
        "_unread",
        "is_complete",
        "is_gapless",
    )

    def __init__(self) -> None:
        self.is_complete = self.is_gapless = False
        self._past: list[Wire] = []
        self._order: list[tuple[str, int]] = []
        self._ids: list[str] = []
        # By Id; a message that is still among the unread is there as ``_UNREAD``.
        self._items: dict[str, Wire] = {}
        self._early: dict[str, Wire] = {}
        # When an item last changed, by the newest item there was then.
        self._changed: dict[str, str] = {}
        # Messages that nobody has asked for yet, still as text, as they came.
        self._unread: list[ChatFrame] = []
        self._arrivals = 0
        self._lock = threading.RLock()

    def __len__(self) -> int:
        self._read()
        return len(self._items)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    def get(self, item_id: str) -> Wire | None:
        self._read()
        return self._items.get(item_id)

    def newest_ids(self, most: int) -> list[str]:
        """Of the items said last, as far as is known, oldest first."""
        with self._lock:
            self._read()
            return self._ids[-most:]

    def leads_on_from(self, cursor: Cursor) -> bool:
        """Whether the item at ``cursor`` is here, among the earlier chats' too."""
        return cursor.item_id in self or any(
            item.get("Id") == cursor.item_id for item in self._past
        )

    def take_plain(self, frame: ChatFrame) -> bool:
        """Put a plain frame in its place if nothing was heard of its item before.

        It is decoded when somebody asks for it.

        Returns:
            Whether it was taken; if not, it must be looked at with `take`.
        """
        item_id, items = frame.id, self._items
        if item_id in items or item_id in self._early:
            return False
        items[item_id] = _UNREAD
        self._unread.append(frame)
        return True

    def take(self, item: Wire) -> tuple[Wire, bool] | None:
        """Put a version of an item in its place.

        Returns:
            (the item as it now is, whether its Id is new), or ``None`` if nothing changed.
        """
        if not is_kept(item) and item.get("Type") != ItemType.MESSAGE_METADATA:
            return None
        if "MessageMetadata" in item and Item(item).is_chunk:
            return None  # a piece of an answer; the service keeps the whole, when it is there
        with self._lock:
            self._read()
            return self._take(item)

    def _take(self, item: Wire) -> tuple[Wire, bool] | None:
        item_id = str(item.get("Id"))
        known = self._items.get(item_id)
        if not known:
            early = self._early.get(item_id)
            if not is_kept(item):
                self._hold_receipt(item_id, item if early is None else newest(early, item))
                return None
            self._early.pop(item_id, None)
            entry = as_entry(item if early is None else newest(early, item))
            self._place(item_id, entry)
            return entry, True
        merged = as_entry(newest(known, item))
        if merged == known:
            return None
        self._items[item_id] = merged
        self._changed[item_id] = self._order[-1][0]
        return merged, False

    def _read(self) -> None:
        """Decode what was put off, in the order it came."""
        if not self._unread:
            return
        with self._lock:
            # The writer may add meanwhile: that is read the next time.
            unread = self._unread[:]
            for frame in unread:
                try:
                    self._take(frame.item.wire)
                except Exception as err:
                    # No JSON; whatever it is, those behind it are to be read.
                    cause = type(err).__name__
                    logger.warning("a message is not in the transcript", extra={"cause": cause})
                    del self._items[frame.id]
            del self._unread[: len(unread)]

    def _hold_receipt(self, item_id: str, item: Wire) -> None:
        """A receipt may come before its message, or while that is still being streamed."""
        if item.get("Type") == ItemType.MESSAGE_METADATA and len(self._early) < MOST_EARLY:
            self._early[item_id] = item

    def mark_hole(self) -> None:
        """Something is known to be missing; nobody knows where."""
        self.is_complete = self.is_gapless = False

    def set_past(self, items: Iterable[Wire]) -> None:
        """Items of the earlier chats that this one continues, oldest first."""
        with self._lock:
            self._past = list(items)

    def _place(self, item_id: str, item: Wire) -> None:
        self._arrivals += 1
        key = (str(item.get("AbsoluteTime", "")), self._arrivals)
        if not self._order or self._order[-1] < key:  # nearly always
            self._order.append(key)
            self._ids.append(item_id)
        else:
            index = bisect_right(self._order, key)
            self._order.insert(index, key)
            self._ids.insert(index, item_id)
        self._items[item_id] = item

    def everything(self) -> list[Wire]:
        """All items of this chat, oldest first."""
        with self._lock:
            self._read()
            return [self._items[item_id] for item_id in self._ids]

    def since(self, instant: str) -> list[Wire]:
        """Items at or after ``instant``, and older ones that changed since; oldest first."""
        return [
            item
            for item in self.everything()
            if str(item.get("AbsoluteTime", "")) >= instant
            or self._changed.get(str(item.get("Id")), "") >= instant
            or _latest_receipt(item) >= instant
        ]

    def page(self, query: TranscriptQuery, cursor: Cursor | None) -> Page:
        """A page as GetTranscript would answer it.

        Raises:
            ValidationException: a start that is not in this chat.
        """
        with self._lock:
            self._read()
            own = [self._items[item_id] for item_id in self._ids]
            items, boundary = self._past + own, len(self._past)
        limit = query.max_results or TRANSCRIPT_DEFAULT_RESULTS
        if cursor is not None:
            direction, own_only = cursor.direction, cursor.own_only
            index = _index_behind(items, cursor)
            floor = boundary if own_only else 0
        else:
            own_only = has_start(query)
            direction, index = _begin(items, boundary, query)
            floor = boundary if own else 0
        if direction == ScanDirection.FORWARD:
            found = items[max(index, boundary if cursor is None else 0) :][:limit]
            more = bool(found) and found[-1] is not items[-1]
        else:
            first = min(index, len(items) - 1)
            start = max(first - limit + 1, floor)
            found = items[start : first + 1]
            more = start > floor or (start == boundary > 0 and not own_only)
        edge = found and (found[-1] if direction == ScanDirection.FORWARD else found[0])
        after = Cursor(direction, str(edge["Id"]), own_only) if more and edge else None
        if query.sort_order in (None, SortOrder.DESCENDING):
            found = found[::-1]
        return Page(found, after)


def has_start(query: TranscriptQuery) -> bool:
    """Whether it begins at a StartPosition; an empty one is none."""
    return query.start_position is not None and not query.start_position.is_empty


def _begin(items: list[Wire], boundary: int, query: TranscriptQuery) -> tuple[ScanDirection, int]:
    newest_index = len(items) - 1
    if query.start_position is None or not has_start(query):
        direction = query.scan_direction or ScanDirection.BACKWARD
        # Forward from the newest item asks for the future.
        return direction, newest_index + 1 if direction == ScanDirection.FORWARD else newest_index
    direction = query.scan_direction or ScanDirection.FORWARD
    own = items[boundary:]
    return direction, boundary + _start_index(own, query.start_position, direction)


def _start_index(own: list[Wire], start: StartPosition, direction: ScanDirection) -> int:
    if start.id is not None:
        for index, item in enumerate(own):
            if item.get("Id") == start.id:
                return index
        raise ValidationException(
            Operation.GET_TRANSCRIPT,
            message="StartPosition.Id is not an item of this chat. Take the Id of one, or leave "
            "StartPosition out.",
        )
    if start.most_recent is not None:
        index = max(0, len(own) - start.most_recent)
        return index if direction == ScanDirection.FORWARD else min(index, len(own) - 1)
    times = [str(item.get("AbsoluteTime", "")) for item in own]
    instant = _normal_time(str(start.absolute_time))
    if direction == ScanDirection.FORWARD:
        return bisect_left(times, instant)
    return bisect_right(times, instant) - 1


def _index_behind(items: list[Wire], cursor: Cursor) -> int:
    for index, item in enumerate(items):
        if item.get("Id") == cursor.item_id:
            return index + 1 if cursor.direction == ScanDirection.FORWARD else index - 1
    raise no_such_place()


def _normal_time(text: str) -> str:
    """An instant in the service's own spelling, so that times compare as text."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise ValidationException(
            Operation.GET_TRANSCRIPT,
            message="StartPosition.AbsoluteTime must be yyyy-MM-ddTHH:mm:ss.SSSZ.",
        ) from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def _latest_receipt(item: Wire) -> str:
    receipts = (item.get("MessageMetadata") or {}).get("Receipts") or []
    stamps = [
        str(stamp)
        for receipt in receipts
        for stamp in (receipt.get("DeliveredTimestamp"), receipt.get("ReadTimestamp"))
        if stamp
    ]
    return max(stamps, default="")


def _armoured(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(text: str) -> str:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
