"""What a link does about gaps that are not plain to see, and about a transcript that won't come."""

from __future__ import annotations

import asyncio

import pytest

from chatproxy.relay import inlet, link
from chatproxy.relay.stream import LinkState
from chatproxy.upstream.errors import ThrottlingException, UpstreamUnreachable
from chatproxy.upstream.vocabulary import Operation
from tests.unit.relay.fakes import FakeTab, Wire, make_stream, message, until
from tests.unit.relay.test_link import Chat, a_chat


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "OVERLAP_S", 0.05)


async def lost_while_reading(chat: Chat) -> None:
    """The socket is lost; the next one is there, and the gap before it is being read."""
    await chat.up()
    chat.upstream.hold_transcript = asyncio.Event()
    chat.upstream.sockets[0].lose()
    await until(lambda: len(chat.upstream.sockets) == 2)


async def read_on(chat: Chat) -> None:
    assert chat.upstream.hold_transcript is not None
    chat.upstream.hold_transcript.set()
    await chat.up()


def a_file(wire: Wire, status: str) -> Wire:
    return {
        **wire,
        "Type": "ATTACHMENT",
        "Attachments": [{"AttachmentId": "a-1", "Status": status}],
    }


async def test_the_gap_is_read_though_more_came_meanwhile_than_is_held_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inlet, "MOST_HELD", 110)
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.say(message("before", ParticipantRole="SYSTEM"))
        chat.upstream.sockets[0].lose()
        chat.upstream.hold_transcript = asyncio.Event()
        missed = [message(f"missed {n}", ParticipantRole="SYSTEM") for n in range(50)]
        for wire in missed:
            chat.upstream.say(wire)
        await until(lambda: len(chat.upstream.sockets) == 2)
        held = [message(f"held {n}", ParticipantRole="SYSTEM") for n in range(130)]
        for wire in held:
            chat.upstream.say(wire)
        await read_on(chat)
        texts = ["before", *(wire["Content"] for wire in missed + held)]
        assert sorted(chat.tab.texts) == sorted(texts)


async def test_a_piece_of_an_answer_that_comes_after_the_whole_goes_nowhere() -> None:
    async with a_chat() as chat:
        await lost_while_reading(chat)
        whole = message("The refund is on its way")
        chunk = {"MessageId": whole["Id"], "MessageCompleted": False, "ChunkNumber": 1}
        chat.upstream.sockets[1].say({**whole, "Content": "The", "MessageMetadata": chunk})
        chat.upstream.say(whole)
        await read_on(chat)
        assert chat.tab.texts == ["The refund is on its way"]


async def test_a_file_that_was_approved_is_not_shown_as_being_scanned_again() -> None:
    async with a_chat() as chat:
        await lost_while_reading(chat)
        file = message("")
        chat.upstream.sockets[1].say(a_file(file, "IN_PROGRESS"))
        chat.upstream.say(a_file(file, "APPROVED"))
        await read_on(chat)
        shown = [item["Attachments"][0]["Status"] for item in chat.tab.chat]
        assert shown[-1] == "APPROVED"


async def test_what_a_deaf_socket_missed_is_read_when_it_is_renewed() -> None:
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.sockets[0].is_open = False  # half-open: nothing arrives, nobody has noticed
        chat.upstream.say(message("into the void"))
        await chat.link.renew_token()
        await until(lambda: "link_was_deaf" in chat.kept.kinds())
        chat.upstream.say(message("heard"))
        await until(lambda: len(chat.tab.texts) == 2)
        assert chat.tab.texts == ["into the void", "heard"]


async def test_what_a_deaf_socket_missed_stays_a_gap_until_it_is_read() -> None:
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.sockets[0].is_open = False
        chat.upstream.say(message("into the void"))
        chat.upstream.transcript_errors = [UpstreamUnreachable(Operation.GET_TRANSCRIPT)]
        await chat.link.renew_token()
        await until(lambda: "link_was_deaf" in chat.kept.kinds())
        chat.upstream.say(message("heard"))
        await until(lambda: len(chat.tab.texts) == 2)
        assert chat.tab.texts == ["into the void", "heard"]
        await chat.up()


async def test_a_link_that_waited_for_a_deaf_sockets_gap_is_connected_again() -> None:
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.sockets[0].is_open = False
        chat.upstream.transcript_errors = [
            ThrottlingException(Operation.GET_TRANSCRIPT, status_code=429)
        ]
        await chat.link.renew_token()
        chat.upstream.hold_transcript = asyncio.Event()
        await until(lambda: "link_was_deaf" in chat.kept.kinds())
        assert not chat.link.connected.is_set()
        chat.upstream.hold_transcript.set()
        await until(lambda: {"state": LinkState.DEGRADED} in chat.tab.session)
        await chat.up()
        assert chat.tab.session[-1] == {"state": LinkState.CONNECTED}


async def test_a_socket_that_answers_costs_no_transcript_when_it_is_renewed() -> None:
    async with a_chat() as chat:
        await chat.up()
        pages = chat.upstream.pages
        await chat.link.renew_token()
        await until(lambda: not chat.upstream.sockets[0].is_open)
        assert (len(chat.upstream.sockets), chat.upstream.pages) == (2, pages)


async def test_a_busy_service_costs_pages_not_connections() -> None:
    def throttled(chat: Chat) -> None:
        chat.upstream.transcript_errors = [
            ThrottlingException(Operation.GET_TRANSCRIPT, status_code=429) for _ in range(5)
        ]

    async with a_chat(prepare=throttled) as chat:
        await chat.up()
        assert len(chat.upstream.connects) == 1
        assert {"state": LinkState.DEGRADED} in chat.tab.session


async def test_a_socket_lost_while_the_service_is_busy_is_replaced() -> None:
    def busy(chat: Chat) -> None:
        chat.upstream.hold_transcript = asyncio.Event()

    async with a_chat(prepare=busy) as chat:
        await until(lambda: chat.upstream.pages)
        chat.upstream.sockets[0].lose()
        await until(lambda: len(chat.upstream.sockets) == 2)
        await read_on(chat)
        chat.upstream.say(message("after all"))
        assert chat.tab.texts == ["after all"]


async def test_a_tab_from_another_process_hears_what_became_of_an_older_item() -> None:
    file = a_file(message("", second=-600), "IN_PROGRESS")
    later = message("later", second=-10)
    stream = make_stream()
    stream.preload([file, later])
    stream.take_item(a_file(file, "APPROVED"))
    tab = FakeTab()
    stream.attach(tab, "dead.5." + later["AbsoluteTime"])
    statuses = [item["Attachments"][0]["Status"] for item in tab.chat if "Attachments" in item]
    assert statuses == ["APPROVED"]
