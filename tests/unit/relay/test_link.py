"""A link lives as long as its chat, loses nothing on the way, and lets go when told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.db import OperationalError

from chatproxy.relay import link as link_module
from chatproxy.relay.link import Link
from chatproxy.relay.socket import SocketLost
from chatproxy.relay.stream import LinkState, Stream
from chatproxy.sessions.vault import SealBroken
from chatproxy.upstream.chatframes import ChatFrame
from chatproxy.upstream.errors import (
    AccessDeniedException,
    ThrottlingException,
    UpstreamUnreachable,
)
from chatproxy.upstream.governor import GovernorBusy, Group, Priority
from chatproxy.upstream.vocabulary import Operation
from tests.unit.relay.fakes import (
    FakeSocket,
    FakeTab,
    FakeUpstream,
    Kept,
    event,
    make_stream,
    message,
    until,
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "OVERLAP_S", 0.05)
    monkeypatch.setattr(link_module, "LAST_WORDS_S", 0.02)


class Chat:
    """A link, its upstream, and one tab that sees everything."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self.upstream = FakeUpstream()
        self.kept = Kept()
        self.stream = make_stream(self.kept)
        self.tab = FakeTab(wants_session=True)
        self.stream.attach(self.tab, None)
        self.link = Link(
            self.stream,
            self.upstream,  # type: ignore[arg-type]
            self.kept,  # type: ignore[arg-type]
            priority=lambda: Priority.NEW_CHAT,
            chance=chance,
            dial=self.upstream.dial,
        )
        self.task: asyncio.Task[None] | None = None

    async def up(self) -> None:
        await until(self.link.connected.is_set)


@asynccontextmanager
async def a_chat(
    *, chance: Callable[[], float] = lambda: 0.0, prepare: Callable[[Chat], Any] = lambda _: None
) -> AsyncIterator[Chat]:
    chat = Chat(chance)
    prepare(chat)
    chat.task = asyncio.create_task(chat.link.run())
    try:
        yield chat
    finally:
        chat.task.cancel()
        await asyncio.gather(chat.task, return_exceptions=True)


async def test_what_was_said_before_the_socket_is_passed_on_before_it_calls_itself_connected() -> (
    None
):
    def said_before(chat: Chat) -> None:
        chat.upstream.say(message("hello"))
        chat.upstream.hold_transcript = asyncio.Event()

    async with a_chat(prepare=said_before) as chat:
        await until(lambda: chat.upstream.pages)
        chat.upstream.sockets[0].say(message("and this while it was read"))
        assert chat.tab.texts == []
        assert not chat.link.connected.is_set()
        assert chat.upstream.hold_transcript is not None
        chat.upstream.hold_transcript.set()
        await chat.up()
        assert chat.tab.texts == ["hello", "and this while it was read"]
        assert chat.tab.session[-1] == {"state": "connected"}
        assert chat.upstream.marked == 1


async def test_a_database_that_is_away_keeps_no_link_from_coming_up() -> None:
    def locked(chat: Chat) -> None:
        chat.upstream.database_errors = [OperationalError("database is locked")]

    async with a_chat(prepare=locked) as chat:
        await chat.up()
        assert len(chat.upstream.sockets) == 1
        assert chat.kept.connected == 1  # which is written when the database is back


async def test_a_lost_socket_is_replaced_and_what_was_missed_comes_once() -> None:
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.say(message("one"))
        chat.upstream.sockets[0].lose()
        chat.upstream.say(message("two"))
        await until(lambda: len(chat.upstream.sockets) == 2)
        await chat.up()
        chat.upstream.say(message("three"))
        assert chat.tab.texts == ["one", "two", "three"]
        assert [state["state"] for state in chat.tab.session] == [
            "connected",
            "reconnecting",
            "connected",
        ]


async def test_a_gap_of_many_pages_is_read_to_its_beginning() -> None:
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.say(message("before"))
        chat.upstream.sockets[0].lose()
        said = [f"line {number}" for number in range(350)]
        for text in said:
            chat.upstream.say(message(text))
        await until(lambda: len(chat.tab.texts) == 351)
        assert chat.tab.texts == ["before", *said]


async def test_frames_of_a_socket_whose_gap_could_not_be_filled_wait_for_the_gap() -> None:
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.sockets[0].lose()
        missed = [f"missed {number}" for number in range(150)]
        for text in missed:
            chat.upstream.say(message(text))
        chat.upstream.hold_transcript = asyncio.Event()
        chat.upstream.transcript_errors = [UpstreamUnreachable(Operation.GET_TRANSCRIPT)]
        await until(lambda: len(chat.upstream.sockets) == 2)
        chat.upstream.say(message("newer"))
        chat.upstream.hold_transcript.set()
        await until(lambda: len(chat.upstream.sockets) == 3)
        await chat.up()
        assert chat.tab.texts == [*missed, "newer"]


async def test_renewal_opens_the_new_socket_before_it_closes_the_old_one() -> None:
    both, were_open = message("on both"), []

    def speak(sockets: list[FakeSocket]) -> None:
        were_open.append([socket.is_open for socket in sockets])
        old, new = sockets
        old.say(message("still on its way on the old one"))
        new.say(both)
        old.say(both)

    def prepared(chat: Chat) -> None:
        upstream, loop = chat.upstream, asyncio.get_running_loop()
        upstream.life_s = 1.3

        def dialled() -> None:
            if len(upstream.sockets) == 2:
                upstream.life_s = 3600.0
                loop.call_soon(speak, list(upstream.sockets))

        upstream.dialled = dialled

    async with a_chat(prepare=prepared) as chat:
        await chat.up()
        await until(lambda: were_open)
        assert were_open == [[True, True]]
        old, new = chat.upstream.sockets
        await until(lambda: not old.is_open)
        assert new.is_open
        assert chat.tab.texts == ["still on its way on the old one", "on both"]
        assert chat.link.connected.is_set()
        assert [state["state"] for state in chat.tab.session] == ["connected"]


async def test_a_renewal_that_fails_keeps_the_old_socket_and_tries_again() -> None:
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.connect_errors = [RuntimeError("nobody thought of this")]
        await chat.link.renew_token()
        assert len(chat.upstream.open_sockets) == 1
        chat.upstream.say(message("still heard"))
        assert chat.tab.texts == ["still heard"]
        assert "renewal_failed" in chat.kept.kinds()


async def test_a_refused_renewal_leaves_the_last_word_to_the_old_socket() -> None:
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.is_over = True
        await chat.link.renew_token()
        chat.upstream.say(message("how did we do?"))
        chat.upstream.say(event("chat.ended"))
        assert chat.task is not None
        await chat.task
        assert chat.tab.texts == ["how did we do?"]
        assert chat.tab.ends == 1
        assert chat.stream.incomplete_since is None


async def test_a_chat_that_ended_unseen_says_so_exactly_once() -> None:
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.is_over = True
        chat.upstream.sockets[0].lose()
        assert chat.task is not None
        await chat.task
        chat.link.conclude()
        assert chat.tab.ends == 1
        assert chat.stream.is_ended
        assert chat.stream.incomplete_since is not None
        assert chat.link.over.is_set()
        assert not chat.link.connected.is_set()


async def test_an_end_heard_while_the_gap_cannot_be_read_is_the_real_one() -> None:
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.sockets[0].lose()
        chat.upstream.hold_transcript = asyncio.Event()
        denied = AccessDeniedException(Operation.GET_TRANSCRIPT, status_code=403)
        chat.upstream.transcript_errors = [denied]
        await until(lambda: len(chat.upstream.sockets) == 2)
        end = chat.upstream.say(event("chat.ended"))
        chat.upstream.hold_transcript.set()
        assert chat.task is not None
        await chat.task
        assert [item["Id"] for item in chat.tab.chat] == [end["Id"]]
        assert chat.stream.incomplete_since is not None  # what came before it was not read


async def test_words_that_come_just_after_the_end_are_passed_on() -> None:
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.say(event("chat.ended"))
        await asyncio.sleep(0)
        chat.upstream.say(message("out of order"))
        assert chat.task is not None
        await chat.task
        assert chat.tab.texts == ["out of order"]
        assert chat.upstream.open_sockets == []


@pytest.mark.parametrize(
    "error",
    [
        UpstreamUnreachable(Operation.CREATE_PARTICIPANT_CONNECTION),
        ThrottlingException(Operation.CREATE_PARTICIPANT_CONNECTION, status_code=429),
        GovernorBusy(Group.CONNECTION, 1.0),
        SocketLost("handshake refused with 403"),
        OperationalError("database is locked"),
        SealBroken("another key"),
        TimeoutError(),
        KeyError("a mistake of ours"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_whatever_goes_wrong_in_opening_is_tried_again(error: Exception) -> None:
    async with a_chat(prepare=lambda chat: chat.upstream.connect_errors.append(error)) as chat:
        await chat.up()
        assert chat.upstream.connects == [False, False]
        assert chat.kept.kinds()[0] == "link_failed"


async def test_an_unexpected_error_while_connected_costs_the_socket_not_the_link(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_chat() as chat:
        await chat.up()
        first = chat.upstream.sockets[0]

        async def fails(within_s: float) -> bool:
            monkeypatch.undo()
            raise ValueError("a mistake of ours")

        monkeypatch.setattr(first, "answers", fails)
        await chat.link.renew_token()
        await until(lambda: len(chat.upstream.sockets) == 3)
        await chat.up()
        assert not chat.upstream.sockets[1].is_open


async def test_errors_nobody_made_up_words_for_are_noted_by_name_alone() -> None:
    secret = ValueError("wss://host/?token=secret")
    async with a_chat(prepare=lambda chat: chat.upstream.connect_errors.append(secret)) as chat:
        await chat.up()
        assert chat.kept.notes[0] == ("link_failed", {"error": "ValueError", "request_id": None})


async def test_waits_grow_to_a_cap_with_full_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    asked: list[float] = []

    async def pause(self: Link, seconds: float) -> None:
        waits.append(seconds)

    def half() -> float:
        asked.append(0.5)
        return 0.5

    monkeypatch.setattr(Link, "_pause", pause)
    errors = [UpstreamUnreachable(Operation.CREATE_PARTICIPANT_CONNECTION) for _ in range(9)]
    async with a_chat(
        chance=half, prepare=lambda chat: chat.upstream.connect_errors.extend(errors)
    ) as chat:
        await chat.up()
        assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]
        assert len(asked) >= len(waits)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ThrottlingException(Operation.SEND_MESSAGE, status_code=429), LinkState.DEGRADED),
        (UpstreamUnreachable(Operation.SEND_MESSAGE), LinkState.RECONNECTING),
    ],
    ids=["throttled", "down"],
)
async def test_throttling_reads_as_degraded_an_outage_as_reconnecting(
    error: Exception, state: LinkState
) -> None:
    def failing(chat: Chat) -> None:
        chat.upstream.connect_errors = [error] * 100

    async with a_chat(chance=lambda: 0.01, prepare=failing) as chat:
        await until(lambda: chat.stream.state is not LinkState.CONNECTING)
        assert chat.stream.state is state


async def test_a_refused_token_is_renewed_once_however_many_ask() -> None:
    async with a_chat() as chat:
        await chat.up()
        await asyncio.gather(*(chat.link.renew_token() for _ in range(20)))
        assert chat.upstream.connects == [False, True]


async def test_a_token_is_renewed_at_most_once_in_a_quarter_of_a_minute_even_if_that_failed() -> (
    None
):
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.is_over = True
        for _ in range(5):
            await chat.link.renew_token()
        assert chat.upstream.connects == [False, True]


async def test_a_renewal_asked_for_while_reconnecting_is_part_of_the_next_connection() -> None:
    def down(chat: Chat) -> None:
        chat.upstream.connect_errors = [
            UpstreamUnreachable(Operation.CREATE_PARTICIPANT_CONNECTION) for _ in range(3)
        ]

    async with a_chat(chance=lambda: 0.02, prepare=down) as chat:
        await until(lambda: chat.upstream.connects)
        await chat.link.renew_token()
        await chat.up()
        assert chat.upstream.connects[-1] is True


async def test_nobody_waits_for_a_token_of_a_chat_that_is_over() -> None:
    async with a_chat() as chat:
        await chat.up()
        chat.upstream.say(event("chat.ended"))
        assert chat.task is not None
        await chat.task
        await chat.link.renew_token()
        assert chat.upstream.connects == [False]


async def test_a_cancelled_link_lets_go_of_its_socket() -> None:
    async with a_chat() as chat:
        await chat.up()
        assert chat.task is not None
        chat.task.cancel()
        await asyncio.gather(chat.task, return_exceptions=True)
        assert chat.upstream.open_sockets == []
        chat.upstream.say(message("to nobody"))
        assert chat.tab.texts == []
        assert chat.link.over.is_set()


async def test_a_link_cancelled_while_it_fills_the_gap_lets_go_too() -> None:
    def slow(chat: Chat) -> None:
        chat.upstream.hold_transcript = asyncio.Event()

    async with a_chat(prepare=slow) as chat:
        await until(lambda: chat.upstream.pages)
        assert chat.task is not None
        chat.task.cancel()
        await asyncio.gather(chat.task, return_exceptions=True)
        assert chat.upstream.open_sockets == []


async def test_a_link_cancelled_while_it_is_written_down_as_up_lets_go_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_chat() as chat:
        writing = asyncio.Event()

        async def database(*_: Any) -> None:
            writing.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(chat.upstream, "database", database)
        await writing.wait()
        assert chat.task is not None
        chat.task.cancel()
        await asyncio.gather(chat.task, return_exceptions=True)
        assert chat.upstream.open_sockets == []


async def test_an_item_nobody_can_handle_costs_those_behind_it_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with a_chat() as chat:
        chat.upstream.hold_transcript = asyncio.Event()
        await until(lambda: chat.upstream.pages)
        really_take = Stream.take

        def take(stream: Stream, frame: ChatFrame) -> bool:
            if frame.item.content == "poison":
                raise TypeError
            return really_take(stream, frame)

        monkeypatch.setattr(Stream, "take", take)
        for text in ("poison", "behind it"):
            chat.upstream.sockets[0].say(message(text))
        chat.upstream.hold_transcript.set()
        await chat.up()
        assert chat.tab.texts == ["behind it"]
        assert len(chat.upstream.sockets) == 1
