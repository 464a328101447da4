"""After a gap every tab has what was said and what changed meanwhile: all of it, once, in order."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatproxy.relay import gap, stream
from chatproxy.relay.gap import FILL_PAGES, OPEN_ITEMS, PAGE, fill
from chatproxy.sessions.transcript import Transcript
from chatproxy.upstream.errors import UpstreamUnreachable
from chatproxy.upstream.governor import Priority
from chatproxy.upstream.inputs import TranscriptQuery
from chatproxy.upstream.items import Item
from chatproxy.upstream.shapes import TranscriptPage
from chatproxy.upstream.versions import version_keys
from chatproxy.upstream.vocabulary import Operation
from tests.unit.relay.fakes import (
    FakeTab,
    FakeUpstream,
    Wire,
    event,
    make_stream,
    message,
    read_frame,
    receipt,
)

READ_AT = "2026-11-22T12:00:00.000Z"


class Talk:
    """A chat, what upstream keeps of it, and one tab; a socket that hears or does not."""

    def __init__(self, earlier: list[Wire] | None = None) -> None:
        self.upstream = FakeUpstream()
        self.upstream.past_items = earlier or []
        self.stream = make_stream()
        self.tab = FakeTab()
        self.stream.attach(self.tab, None)
        self.hears = True

    @property
    def transcript(self) -> Transcript:
        return self.stream.transcript

    def _frame(self, wire: Wire) -> None:
        if self.hears:
            self.stream.take(read_frame(wire))

    def say(self, text: str = "…", **more: Any) -> Wire:
        wire = message(text, **more)
        self.upstream.transcript_items.append(wire)
        self._frame(wire)
        return wire

    def chatter(self, count: int) -> None:
        for number in range(count):
            self.say(f"line {number}", ParticipantRole="SYSTEM")

    def read(self, wire: Wire) -> None:
        """The agent reads a message."""
        said = receipt(wire)
        self.become(wire, MessageMetadata=said["MessageMetadata"], frame=said)

    def become(self, wire: Wire, *, frame: Wire | None = None, **changes: Any) -> None:
        """The item with this Id is another from now on."""
        items = self.upstream.transcript_items
        index = next(at for at, each in enumerate(items) if each["Id"] == wire["Id"])
        items[index] = {**items[index], **changes}
        self._frame(frame or items[index])

    async def filled(self) -> int:
        """Calls it took."""
        before = self.upstream.pages
        await fill(self.stream, self.upstream, Priority.NEW_CHAT)  # type: ignore[arg-type]
        self.hears = True
        return self.upstream.pages - before

    def delivered(self, item_id: str) -> list[Wire]:
        return [wire for wire in self.tab.chat if wire["Id"] == item_id]

    def assert_whole(self) -> None:
        """What is known here is what upstream has; and no version came twice."""
        assert self.transcript.everything() == self.upstream.transcript_items
        keys = [key for wire in self.tab.chat for key in version_keys(Item(wire))]
        assert len(keys) == len(set(keys))


def own(text: str = "mine") -> dict[str, Any]:
    return {"text": text, "ParticipantRole": "CUSTOMER", "ParticipantId": "p-1"}


def file(status: str = "IN_PROGRESS") -> dict[str, Any]:
    attachment = {"AttachmentId": "a-1", "AttachmentName": "x.png", "Status": status}
    return {"Type": "ATTACHMENT", "ContentType": "", "Attachments": [attachment]}


def a_file(talk: Talk) -> Wire:
    return talk.say("", **file())


def processing(status: str) -> dict[str, Any]:
    return {"MessageMetadata": {"MessageProcessingStatus": status}}


async def test_receipts_of_older_messages_come_once_behind_more_than_a_page_of_news() -> None:
    talk = Talk()
    await talk.filled()
    mine = [talk.say(**own(text)) for text in ("one", "two", "three")]
    talk.chatter(180)
    talk.hears = False
    for each in mine:
        talk.read(each)
    talk.chatter(130)
    await talk.filled()
    for each in mine:
        first, ticks = talk.delivered(each["Id"])
        assert first["Content"] == each["Content"]
        assert ticks["MessageMetadata"]["Receipts"][0]["ReadTimestamp"] == READ_AT
    talk.assert_whole()


@pytest.mark.parametrize("verdict", ["APPROVED", "REJECTED"])
async def test_a_scan_that_ended_in_the_gap_is_told_however_much_was_said_since(
    verdict: str,
) -> None:
    talk = Talk()
    await talk.filled()
    picture = a_file(talk)
    talk.chatter(150)
    talk.hears = False
    talk.become(picture, **file(verdict))
    talk.chatter(5)
    await talk.filled()
    versions = [wire["Attachments"][0]["Status"] for wire in talk.delivered(picture["Id"])]
    assert versions == ["IN_PROGRESS", verdict]
    talk.assert_whole()


async def test_a_message_processed_in_the_gap_comes_as_it_is_now() -> None:
    talk = Talk()
    await talk.filled()
    mine = talk.say(**own("my card is 1234"), **processing("PROCESSING"))
    talk.chatter(120)
    talk.hears = False
    talk.become(mine, Content="my card is [PII]", MessageMetadata={})
    await talk.filled()
    said = [wire["Content"] for wire in talk.delivered(mine["Id"])]
    assert said == ["my card is 1234", "my card is [PII]"]


async def test_a_quiet_chat_costs_one_call() -> None:
    talk = Talk()
    await talk.filled()
    talk.chatter(250)
    talk.hears = False
    talk.chatter(PAGE - gap.SETTLED)
    assert await talk.filled() == 1
    talk.assert_whole()


async def test_what_was_read_before_the_gap_is_not_looked_for() -> None:
    talk = Talk()
    await talk.filled()
    for _ in range(5):
        talk.say(**own())
    talk.read(talk.say(**own("the newest")))
    talk.chatter(150)
    talk.hears = False
    assert await talk.filled() == 1


async def test_messages_nobody_ever_reads_cost_a_few_pages_at_most() -> None:
    talk = Talk()
    await talk.filled()
    for _ in range(900):
        talk.say(**own())
    talk.hears = False
    assert await talk.filled() == OPEN_ITEMS // PAGE


async def test_events_that_are_not_kept_here_do_not_make_it_read_on() -> None:
    talk = Talk()
    await talk.filled()
    for _ in range(150):
        talk.chatter(1)
        talk.upstream.transcript_items.append(event("participant.active"))
    await talk.filled()
    talk.hears = False
    assert await talk.filled() == 1


async def test_a_failure_half_way_passes_nothing_on_and_the_next_try_everything() -> None:
    talk = Talk()
    await talk.filled()
    mine = talk.say(**own())
    talk.hears = False
    talk.read(mine)
    talk.chatter(350)

    def fail() -> None:
        talk.upstream.transcript_errors = [UpstreamUnreachable(Operation.GET_TRANSCRIPT)]
        talk.upstream.between_pages = lambda: None

    talk.upstream.between_pages = fail
    with pytest.raises(UpstreamUnreachable):
        await talk.filled()
    assert len(talk.tab.chat) == 1
    await talk.filled()
    talk.assert_whole()


async def test_what_comes_between_two_pages_shifts_nothing() -> None:
    talk = Talk()
    await talk.filled()
    talk.chatter(20)
    talk.hears = False
    talk.chatter(250)
    late: list[Wire] = []

    def meanwhile() -> None:
        late.append(message("late"))
        talk.upstream.transcript_items.append(late[-1])

    talk.upstream.between_pages = meanwhile
    await talk.filled()
    talk.upstream.between_pages = lambda: None
    for wire in late:  # its frame, held back meanwhile
        talk.stream.take(read_frame(wire))
    talk.assert_whole()


async def test_a_service_whose_pages_shift_gives_nothing_twice() -> None:
    """Should a token mean "so many from the newest", the next page begins with known items."""

    class Shifting(FakeUpstream):
        async def transcript(
            self, session_id: str, query: TranscriptQuery, priority: object
        ) -> TranscriptPage:
            begin = int(query.next_token or 0)
            found = self.transcript_items[::-1][begin : begin + PAGE]
            self.transcript_items.append(message("late"))
            is_last = begin + PAGE >= len(self.transcript_items)
            items = tuple(Item(wire) for wire in found)
            return TranscriptPage("c-1", items, None if is_last else str(begin + PAGE))

    talk = Talk()
    talk.upstream = Shifting()
    talk.hears = False
    talk.chatter(250)
    await talk.filled()
    said = [wire["Content"] for wire in talk.tab.chat if wire["Content"] != "late"]
    assert said == [f"line {number}" for number in range(250)]


async def test_the_past_of_a_continued_chat_stays_whole_when_a_gap_reaches_its_edge() -> None:
    earlier = [message(f"before {n}", RelatedContactId="c-0") for n in range(150)]
    talk = Talk(earlier)
    talk.chatter(3)
    await talk.filled()
    talk.hears = False
    talk.chatter(130)
    await talk.filled()
    query, cursor = TranscriptQuery(max_results=50), None
    found: list[Wire] = []
    for _ in range(20):
        page = talk.transcript.page(query, cursor)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            break
    assert found[::-1] == earlier + talk.upstream.transcript_items


async def test_a_chat_too_long_to_be_read_is_not_called_complete() -> None:
    talk = Talk()
    talk.hears = False
    talk.chatter(FILL_PAGES * PAGE + 1)
    assert await talk.filled() == FILL_PAGES
    assert not talk.transcript.is_complete
    assert len(talk.tab.chat) == FILL_PAGES * PAGE
    talk.say("and on it goes")
    assert await talk.filled() == 1, "all that was read is read again"
    assert not talk.transcript.is_complete
    talk.transcript.mark_hole()
    assert await talk.filled() == FILL_PAGES


async def test_a_service_that_never_comes_to_an_end_is_left_alone() -> None:
    class Endless(FakeUpstream):
        async def transcript(
            self, session_id: str, query: TranscriptQuery, priority: object
        ) -> TranscriptPage:
            self.pages += 1
            return TranscriptPage("c-1", (), "more")

    talk = Talk()
    talk.upstream = Endless()
    assert await talk.filled() == FILL_PAGES
    assert not talk.transcript.is_complete


async def test_a_version_long_forgotten_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SEEN_VERSIONS", 10)
    talk = Talk()
    await talk.filled()
    talk.chatter(60)
    talk.hears = False
    talk.chatter(1)
    await talk.filled()
    talk.assert_whole()


async def test_a_long_gap_lets_others_have_their_turn() -> None:
    talk = Talk()
    talk.hears = False
    talk.chatter(500)
    turns = 0

    async def neighbour() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(neighbour())
    await talk.filled()
    other.cancel()
    assert turns >= 500 // gap.AT_ONCE


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from(["say", "own", "file", "read", "scan", "lose", "fill", "fail"]),
        max_size=20,
    ),
    st.randoms(use_true_random=False),
)
def test_whatever_is_lost_in_whatever_order_is_there_after_the_next_fill(
    acts: list[str], chance: Any
) -> None:
    async def play() -> None:
        talk = Talk()
        await talk.filled()
        files: list[Wire] = []
        mine: list[Wire] = []
        for act in [*acts, "fill"]:
            match act:
                case "say":
                    talk.chatter(chance.choice([1, 2, 12]))
                case "own":
                    mine.append(talk.say(**own()))
                case "file":
                    files.append(a_file(talk))
                case "read" if mine:
                    talk.read(mine.pop(0))
                case "scan" if files:
                    talk.become(files.pop(), **file("APPROVED"))
                case "lose":
                    talk.hears = False
                case "fill":
                    await talk.filled()
                case "fail":
                    talk.upstream.transcript_errors = [
                        UpstreamUnreachable(Operation.GET_TRANSCRIPT)
                    ]
                    with pytest.raises(UpstreamUnreachable):
                        await talk.filled()
        talk.assert_whole()

    with mock.patch.multiple(gap, PAGE=5, SETTLED=2, FILL_PAGES=1000):
        asyncio.run(play())
