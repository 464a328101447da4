"""What one session's link has seen, and the tabs that watch it.

Each version of an item becomes one *frame*: the upstream's own text with one more member, its
position. Frames are encoded once, kept in a bounded ring for replay, and handed to every tab in the
same call. A plain frame (``upstream/chatframes.py``) is not even decoded. No I/O, no tasks:
everything here happens inside the upstream's callback, on the event loop.
"""

from __future__ import annotations

import secrets
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Protocol

from chatproxy.relay.frames import chat_frame, frames_of, packed_with_position, session_frame
from chatproxy.relay.position import EARLIEST, INSTANT_BYTES, Position
from chatproxy.sessions.counts import Tally
from chatproxy.sessions.transcript import Transcript
from chatproxy.upstream.chatframes import ChatFrame
from chatproxy.upstream.items import Item
from chatproxy.upstream.shapes import parse_time, wire_time
from chatproxy.upstream.versions import standing, version_keys
from chatproxy.upstream.vocabulary import EventType, ItemType, ParticipantRole

Wire = dict[str, Any]

RING_FRAMES = 500
REPLAY_BYTES = 512 * 1024
SEEN_VERSIONS = 20_000
MOST_EXPECTED = 100
# More than are likely to come late at one time.
NEWEST = 20
# Plain text, because each frame's content type is compared with these.
TYPING = str(EventType.TYPING)
NOTICED = frozenset({str(EventType.PARTICIPANT_LEFT), str(EventType.CHAT_ENDED)})


class LinkState(StrEnum):
    """What a tab is told of the link, and the admin shows."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    DEGRADED = "degraded"
    ENDED = "ended"


class Tab(Protocol):
    """One browser socket, as the stream sees it."""

    key_id: int
    wants_session: bool

    def deliver(self, text: str) -> None:
        """Send one text frame; never blocks, never raises."""

    def deliver_packed(self, frame: bytes) -> None:
        """The same with the frame's bytes at hand, made once for all tabs."""

    def close(self, code: int, reason: str = "") -> None:
        """Close the socket with a code that tells the client what to do."""


class Keeper(Protocol):
    """What stores items and counts; at once and without waiting."""

    def keep(self, tally: Tally, said: Wire | ChatFrame) -> None:
        """An item as it now is; or, as it came, a message whose Id was not known before."""


@dataclass(slots=True)
class FrameCounts:
    """What passed, all sessions of a process together; for metrics."""

    taken: int = 0
    known: int = 0
    delivered: int = 0


@dataclass(frozen=True, slots=True)
class Replay:
    """What to send a tab that asks for everything after a position."""

    frames: list[bytes]
    is_reset: bool = False


class Stream:
    """One session's history in this process, and its tabs.

    Args:
        keeper: Told of each item that changed, to store it.
        ended: Called once, when ``chat.ended`` has passed.
        counts: Where to count frames; shared with other streams.
        replay_bytes: What a tab is sent at once when it comes; one that missed more is to read the
            transcript. Well below what may wait for a tab, or it would be closed as too slow.
    """

    __slots__ = (
        "_counts",
        "_has_had_tab",
        "_history",
        "_instant",
        "_keeper",
        "_number",
        "_on_ended",
        "_replay_bytes",
        "_ring",
        "_ring_bytes",
        "_seen",
        "contact_id",
        "expected",
        "incomplete_since",
        "is_ended",
        "last_left_role",
        "session_id",
        "state",
        "tabs",
        "tally",
        "transcript",
    )

    def __init__(
        self,
        session_id: str,
        contact_id: str,
        *,
        keeper: Keeper,
        ended: Callable[[], None],
        counts: FrameCounts | None = None,
        replay_bytes: int = REPLAY_BYTES,
    ) -> None:
        self.session_id = session_id
        self.contact_id = contact_id
        self.transcript = Transcript()
        self.tally = Tally(session_id)
        self.tabs: list[Tab] = []
        self.state = LinkState.CONNECTING
        self.is_ended = False
        self.last_left_role = ""
        # Ids of messages the service has taken and whose echo has not come yet.
        self.expected: set[str] = set()
        self.incomplete_since: datetime | None = None
        self._keeper = keeper
        self._on_ended = ended
        self._counts = counts or FrameCounts()
        self._replay_bytes = replay_bytes
        # Positions are made for each frame, so their parts are kept as they go out.
        self._history = secrets.token_hex(4).encode()
        self._number = 0
        self._instant = b""
        # The newest frames, as they came, and the instant of each one's position; the last one has
        # number ``_number``. The transcript has the same bytes: packed, each would be there twice.
        self._ring: deque[tuple[bytes, bytes]] = deque()
        self._ring_bytes = 0
        self._seen: OrderedDict[Any, None] = OrderedDict()
        self._has_had_tab = False

    @property
    def position(self) -> Position:
        return Position(self._history.decode(), self._number, self._instant.decode())

    @property
    def known_until(self) -> datetime:
        """When the newest thing known was said (service time); long ago if nothing is known."""
        try:
            return parse_time(self._instant.decode() or EARLIEST)
        except ValueError:  # as long as a time, and none
            return parse_time(EARLIEST)

    # --- what arrives -----------------------------------------------------------------------

    def preload(self, items: Iterable[Wire]) -> None:
        """Take what was stored before this link: known, hence neither sent nor stored again."""
        for wire in items:
            item = Item(wire)
            if self.transcript.take(wire) is not None:
                self.tally.count(wire)
            self._advance(item)
            # It ended, and the process died before it could write that down.
            self.is_ended = self.is_ended or item.is_chat_ended

    def take(self, frame: ChatFrame) -> bool:
        """One ``aws/chat`` frame.

        Returns:
            Whether it was news; a copy of a version seen before goes nowhere.
        """
        counts, tabs = self._counts, self.tabs
        counts.taken += 1
        if frame.id and self.transcript.take_plain(frame):
            tally = self.tally
            if frame.is_customers:
                tally.incoming += 1
            else:
                tally.outgoing += 1
            self._keeper.keep(tally, frame)
            if self.expected:
                self.expected.discard(frame.id)
            if frame.instant > self._instant:
                self._instant = frame.instant
            kind = None
        elif self._is_news(frame.item):
            kind = self._understand(frame.item)
        else:
            counts.known += 1
            return False
        if kind != TYPING:  # which is not replayed, and has no place of its own
            self._number += 1
            self._remember(frame.payload)
        if tabs:
            packed = packed_with_position(
                frame.payload, b"%b.%d.%b" % (self._history, self._number, self._instant)
            )
            counts.delivered += len(tabs)
            for tab in tabs:
                tab.deliver_packed(packed)
        if kind in NOTICED:
            self._notice(frame.item)
        return True

    def _understand(self, item: Item) -> str:
        """What news means for the transcript; says the item's content type."""
        changed = self.transcript.take(item.wire)
        self.expected.discard(item.id)
        is_about = item.is_receipt and "MessageProcessingStatus" in item.metadata
        if changed is None and is_about and item.id not in self.transcript:
            # Something happened to a message we have never seen: no longer all is known here.
            self.transcript.mark_hole()
        if changed is not None:
            entry, is_new = changed
            if is_new:
                self.tally.count(entry)
            self._keeper.keep(self.tally, entry)
        self._advance(item)
        return item.content_type

    def expect(self, item_id: str) -> None:
        """The service took a message; its echo is on its way. Safe to call from any thread."""
        if item_id not in self.transcript and len(self.expected) < MOST_EXPECTED:
            self.expected.add(item_id)
            if item_id in self.transcript:  # it came just now
                self.expected.discard(item_id)

    def take_item(self, wire: Wire) -> int:
        """One item from a transcript, as ordinary frames: itself, then each of its receipts.

        Returns:
            How many of these were news.
        """
        return sum(
            self.take(ChatFrame(chat_frame(inner), Item(inner)))
            for inner in frames_of(wire, self.contact_id)
        )

    def ended_unseen(self, now: datetime, since: datetime) -> None:
        """The chat is over and its end was not seen: say so with one ``chat.ended`` of our own."""
        self.incomplete_since = since
        self.take_item(
            {
                "AbsoluteTime": wire_time(now),
                "ContentType": str(EventType.CHAT_ENDED),
                # The same from every process that finds out.
                "Id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.session_id}:chat.ended")),
                "Type": str(ItemType.EVENT),
                "ContactId": self.contact_id,
            }
        )

    def _is_news(self, item: Item) -> bool:
        """Whether this version was not seen before, and not left behind by a later one.

        What the transcript holds was seen.
        """
        seen = self._seen
        if item.id in self.transcript:
            known = Item(self.transcript.get(item.id) or {})
            if not item.is_receipt and standing(known) > standing(item):
                return False
            seen.update(dict.fromkeys(version_keys(known)))
        before = len(seen)
        seen.update(dict.fromkeys(version_keys(item)))
        is_news = len(seen) > before
        while len(seen) > SEEN_VERSIONS:
            seen.popitem(last=False)
        return is_news

    def _advance(self, item: Item) -> None:
        # As bytes: the service writes all times alike, so they compare as they are.
        instant = item.absolute_time.encode("utf-8", "replace")
        if len(instant) == INSTANT_BYTES and instant > self._instant:
            self._instant = instant

    def _remember(self, payload: bytes) -> None:
        ring = self._ring
        ring.append((payload, self._instant))
        self._ring_bytes += len(payload)
        while len(ring) > RING_FRAMES or self._ring_bytes > self._replay_bytes:
            self._ring_bytes -= len(ring.popleft()[0])

    def _newest(self, count: int) -> list[bytes]:
        """The last ``count`` frames of the ring, packed as they were when they came."""
        remembered = islice(self._ring, len(self._ring) - count, None)
        return [
            packed_with_position(payload, b"%b.%d.%b" % (self._history, number, instant))
            for number, (payload, instant) in enumerate(remembered, self._number - count + 1)
        ]

    def _notice(self, item: Item) -> None:
        if item.content_type == EventType.PARTICIPANT_LEFT:
            self.last_left_role = item.participant_role
        elif item.is_chat_ended and not self.is_ended:
            self.is_ended = True
            self._on_ended()

    # --- who watches ------------------------------------------------------------------------

    def attach(self, tab: Tab, after: str | None) -> None:
        """Let ``tab`` see everything from here on, and first what it missed.

        Args:
            after: The position it knows; everything since is replayed, then told to be. ``None``:
                it does not ask; the first tab of all still gets what the link saw before it.
        """
        if after is not None:
            self._replay(tab, after)
        elif not self._has_had_tab:
            for frame in self._newest(len(self._ring)):
                tab.deliver_packed(frame)
        self._has_had_tab = True
        self.tabs.append(tab)

    def detach(self, tab: Tab) -> None:
        if tab in self.tabs:
            self.tabs.remove(tab)

    def _replay(self, tab: Tab, after: str) -> None:
        replay = self._since(Position.parse(after))
        if replay.is_reset:
            facts = {"reset": True, "position": str(self.position)}
            tab.deliver(session_frame({**facts, "newest": self.transcript.newest_ids(NEWEST)}))
            return
        for frame in replay.frames:
            tab.deliver_packed(frame)
        tab.deliver(session_frame({"replayed": len(replay.frames), "position": str(self.position)}))

    def _since(self, after: Position | None) -> Replay:
        if after is None:
            return Replay([], is_reset=True)
        position = self.position
        missed = position.number - after.number
        if after.history == position.history and 0 <= missed <= len(self._ring):
            return Replay(self._newest(missed))
        if not self.transcript.is_complete and not len(self.transcript):
            return Replay([], is_reset=True)
        items = self.transcript.since(after.replayed_from() or EARLIEST)
        here = str(position).encode()
        frames = [
            packed_with_position(chat_frame(inner), here)
            for wire in items
            for inner in frames_of(wire, self.contact_id)
        ]
        if sum(map(len, frames)) > self._replay_bytes:
            return Replay([], is_reset=True)
        return Replay(frames)

    # --- what the link tells ----------------------------------------------------------------

    def tell_where_we_are(self, tab: Tab) -> None:
        """The link's state, and the newest items: a transcript that lacks one is another process's,
        which is behind this one."""
        facts = {"state": told(self.state), "newest": self.transcript.newest_ids(NEWEST)}
        tab.deliver(session_frame(facts))

    def set_state(self, state: LinkState) -> None:
        """Tell the tabs that asked how the link is."""
        if state == self.state:
            return
        self.state = state
        frame = session_frame({"state": told(state)})
        for tab in self.tabs:
            if tab.wants_session:
                tab.deliver(frame)

    def ended_by(self) -> str:
        """Who ended the chat, as far as its last frames tell."""
        if self.last_left_role in (ParticipantRole.AGENT, ParticipantRole.SUPERVISOR):
            return "agent"
        return ""


def told(state: LinkState) -> str:
    """The word a tab hears for ``state``: a link that comes up first reads as reconnecting."""
    return LinkState.RECONNECTING if state is LinkState.CONNECTING else state
