"""What passes is written in batches, late rather than never, and one bad item holds up nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from chatproxy.relay import recorder as recorder_module
from chatproxy.relay.recorder import Recorder
from chatproxy.sessions import items
from chatproxy.sessions.counts import Tally
from chatproxy.sessions.models import SessionEvent, StoredItem
from chatproxy.upstream.chatframes import ChatFrame
from tests.unit.relay.conftest import MakeChat, OnLoop
from tests.unit.relay.fakes import event, message, read_frame

pytestmark = pytest.mark.django_db


class Inline:
    """A gateway whose database can be away."""

    def __init__(self, on_loop: OnLoop) -> None:
        self.on_loop = on_loop
        self.is_away = False
        self.calls = 0
        self.meanwhile: Callable[[], None] = lambda: None

    async def database(self, call: Callable[..., Any], *args: Any) -> Any:
        self.calls += 1
        await asyncio.sleep(0)
        self.meanwhile()
        self.on_loop()
        if self.is_away:
            raise OperationalError("database is locked")
        return call(*args)


@pytest.fixture
def gateway(on_loop: OnLoop) -> Inline:
    return Inline(on_loop)


@pytest.fixture
def recorder(gateway: Inline) -> Recorder:
    return Recorder(gateway)  # type: ignore[arg-type]


async def test_items_and_notes_are_written_together(
    recorder: Recorder, make_chat: MakeChat
) -> None:
    chat = make_chat()
    tally = Tally(str(chat.pk), outgoing=1)
    recorder.keep(tally, message("hello"))
    recorder.note(str(chat.pk), "link_up")
    assert recorder.waiting == 2
    assert await recorder.flush()
    assert (StoredItem.objects.count(), SessionEvent.objects.count()) == (1, 1)
    assert recorder.waiting == 0


async def test_of_an_item_that_waits_only_the_newest_version_is_written(
    recorder: Recorder, make_chat: MakeChat
) -> None:
    chat = make_chat()
    tally = Tally(str(chat.pk), outgoing=1)
    wire = message("draft")
    recorder.keep(tally, wire)
    recorder.keep(tally, {**wire, "Content": "final"})
    await recorder.flush()
    assert [item["Content"] for item in items.read(str(chat.pk))] == ["final"]
    chat.refresh_from_db()
    assert chat.messages_out == 1


async def test_a_database_that_is_away_costs_nothing_but_time(
    recorder: Recorder, make_chat: MakeChat, gateway: Inline
) -> None:
    chat = make_chat()
    tally = Tally(str(chat.pk), outgoing=1)
    gateway.is_away = True
    recorder.keep(tally, message("kept"))
    recorder.note(str(chat.pk), "link_lost")
    assert not await recorder.flush()
    assert recorder.waiting == 2
    gateway.is_away = False
    assert await recorder.flush()
    assert (StoredItem.objects.count(), SessionEvent.objects.count()) == (1, 1)


async def test_a_version_that_comes_during_a_failed_write_is_the_one_written_later(
    recorder: Recorder, make_chat: MakeChat, gateway: Inline
) -> None:
    chat = make_chat()
    tally = Tally(str(chat.pk), outgoing=1)
    wire, other = message("old"), message("other")
    recorder.keep(tally, wire)
    gateway.is_away = True

    def meanwhile() -> None:
        gateway.meanwhile = lambda: None
        tally.outgoing += 1
        recorder.keep(tally, other)
        recorder.keep(tally, {**wire, "Content": "new"})

    gateway.meanwhile = meanwhile
    assert not await recorder.flush()
    gateway.is_away = False
    await recorder.flush()
    chat.refresh_from_db()
    assert chat.messages_out == 2
    # Items of one instant are told apart by the order they were written in.
    assert list(StoredItem.objects.order_by("pk").values_list("item_id", flat=True)) == [
        wire["Id"],
        other["Id"],
    ]


async def test_an_item_that_can_never_be_stored_holds_up_no_other(
    recorder: Recorder, make_chat: MakeChat
) -> None:
    chat = make_chat()
    tally = Tally(str(chat.pk), outgoing=1)
    bad = {**message("bad"), "AbsoluteTime": None, "ContentType": object()}
    recorder.keep(tally, message("good"))
    recorder.keep(tally, bad)
    recorder.keep(tally, event("participant.joined"))
    recorder.note(str(chat.pk), "bad", detail=object())
    assert await recorder.flush()
    assert StoredItem.objects.count() == 2
    assert recorder.waiting == 0


async def test_more_than_a_batch_is_written_in_turn(
    recorder: Recorder, make_chat: MakeChat, gateway: Inline, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = make_chat()
    tally = Tally(str(chat.pk), outgoing=1)
    monkeypatch.setattr(recorder_module, "BATCH", 10)
    for _ in range(35):
        recorder.keep(tally, message("one of many"))
    assert await recorder.flush()
    assert gateway.calls == 4
    assert StoredItem.objects.count() == 35


async def test_a_plain_message_is_stored_as_the_transcript_has_it(
    recorder: Recorder, make_chat: MakeChat
) -> None:
    chat = make_chat()
    tally = Tally(str(chat.pk), incoming=1)
    wire = message("as text", ParticipantRole="CUSTOMER", InitialContactId="c-1")
    frame = ChatFrame(read_frame(wire).payload)  # not decoded yet
    recorder.keep(tally, frame)
    assert await recorder.flush()
    (stored,) = items.read(str(chat.pk))
    assert stored == {name: wire[name] for name in wire if name != "InitialContactId"}
    assert frame._item is None  # the transcript keeps the frame, and so all that the frame keeps
    chat.refresh_from_db()
    assert (chat.messages_in, chat.messages_out) == (1, 0)


async def test_with_no_retention_only_the_counts_are_kept(
    gateway: Inline, make_chat: MakeChat, settings: Any
) -> None:
    settings.CHAT_RETENTION_DAYS = 0
    recorder, chat = Recorder(gateway), make_chat()  # type: ignore[arg-type]
    tally = Tally(str(chat.pk), outgoing=2)
    recorder.keep(tally, message("unwritten"))
    recorder.keep(tally, read_frame(message("unwritten too")))
    assert await recorder.flush(counts_too=False)
    assert gateway.calls == 0
    assert await recorder.flush()
    chat.refresh_from_db()
    assert (chat.messages_out, StoredItem.objects.count()) == (2, 0)


async def test_counts_survive_a_database_that_is_away(
    recorder: Recorder, make_chat: MakeChat, gateway: Inline
) -> None:
    chat = make_chat()
    tally = Tally(str(chat.pk), outgoing=1)
    recorder.keep(tally, message("one"))
    gateway.is_away = True
    assert not await recorder.flush()
    tally.outgoing += 1
    recorder.keep(tally, message("two"))
    gateway.is_away = False
    assert await recorder.flush()
    chat.refresh_from_db()
    assert chat.messages_out == 2


async def test_of_two_links_of_a_chat_the_later_one_counts_on(
    recorder: Recorder, make_chat: MakeChat, gateway: Inline
) -> None:
    chat = make_chat()
    let_go, present = (Tally(str(chat.pk), outgoing=count) for count in (3, 4))
    recorder.keep(let_go, message("three"))
    gateway.is_away = True
    gateway.meanwhile = lambda: recorder.keep(present, message("four"))
    assert not await recorder.flush()
    gateway.is_away, gateway.meanwhile = False, lambda: None
    assert await recorder.flush()
    present.outgoing = 5
    recorder.keep(present, message("five"))
    assert await recorder.flush()
    chat.refresh_from_db()
    assert chat.messages_out == 5


async def test_it_goes_on_by_itself_until_the_database_is_back(
    recorder: Recorder, make_chat: MakeChat, gateway: Inline, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = make_chat()
    tally = Tally(str(chat.pk), outgoing=1)
    monkeypatch.setattr(recorder_module, "FLUSH_EVERY_S", 0.001)
    monkeypatch.setattr(recorder_module, "RETRY_AFTER_S", 0.001)
    gateway.is_away = True
    task = asyncio.create_task(recorder.run())
    recorder.keep(tally, message("in the end"))
    async with asyncio.timeout(5):
        while gateway.calls < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        gateway.is_away = False
        while recorder.waiting:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert StoredItem.objects.count() == 1


async def test_who_leaves_while_it_writes_takes_nothing_along(
    recorder: Recorder, make_chat: MakeChat, gateway: Inline
) -> None:
    chat = make_chat()
    recorder.keep(Tally(str(chat.pk), outgoing=1), message("somebody's"))
    left = asyncio.create_task(recorder.flush())
    while not gateway.calls:  # noqa: ASYNC110
        await asyncio.sleep(0)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    assert await recorder.flush()
    chat.refresh_from_db()
    assert (chat.messages_out, StoredItem.objects.count()) == (1, 1)
