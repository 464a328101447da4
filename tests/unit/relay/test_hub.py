"""One link per session; a session is never left without one, nor a tab without a word."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from django.db import OperationalError

from chatproxy.closing import Close
from chatproxy.relay import hub as hub_module
from chatproxy.relay import link as link_module
from chatproxy.relay import registry
from chatproxy.relay.hub import Hub, Place
from chatproxy.relay.link import Link
from chatproxy.relay.stream import Stream
from chatproxy.sessions import control, items
from chatproxy.sessions.models import ChatSession, LinkLease, State
from chatproxy.sessions.transcript import Transcript
from chatproxy.upstream.governor import Priority
from tests.unit.relay.conftest import MakeChat, OnLoop
from tests.unit.relay.fakes import FakeTab, FakeUpstream, event, message, until
from tests.unit.relay.test_registry import lease

Published = list[tuple[str, str, dict[str, Any]]]


class Upstream(FakeUpstream):
    """As in the links' tests, on a real database that may be away."""

    def __init__(self, on_loop: OnLoop) -> None:
        super().__init__()
        self.on_loop = on_loop
        self.is_away = False

    async def database(self, call: Any, *args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        self.on_loop()
        if self.is_away:
            raise OperationalError("database is locked")
        return call(*args, **kwargs)

    def shutdown(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "GOODBYE_S", 0.01)
    monkeypatch.setattr(hub_module, "ENDED_ELSEWHERE_S", 0.01)
    monkeypatch.setattr(hub_module, "DATABASE_BACK_S", 0.01)
    monkeypatch.setattr(link_module, "BACKOFF_FIRST_S", 0.01)
    monkeypatch.setattr(link_module, "LAST_WORDS_S", 0.0)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    said: Published = []

    def publish(kind: str, session_id: str, **detail: Any) -> None:
        said.append((str(kind), session_id, detail))

    monkeypatch.setattr(control, "publish", publish)
    return said


@pytest.fixture
def upstream(on_loop: OnLoop) -> Upstream:
    return Upstream(on_loop)


@pytest.fixture
async def hub(upstream: Upstream, make_chat: MakeChat) -> AsyncIterator[Hub]:
    hub = Hub(upstream, upstream.dial)  # type: ignore[arg-type]
    yield hub
    upstream.is_away = False
    await hub.drain(1.0)


async def connected(hub: Hub, chat: ChatSession) -> Any:
    place = hub.ensure(str(chat.pk), chat.contact_id)
    assert await hub.wait_connected(place, 5.0)
    return place


async def attached(hub: Hub, chat: ChatSession, after: str | None = None) -> FakeTab:
    tab = opened(hub, chat)
    tab.wants_session = True
    await hub.attach(tab, str(chat.pk), chat.contact_id, after)
    return tab


def opened(hub: Hub, chat: ChatSession) -> FakeTab:
    """A tab's socket that has not subscribed yet."""
    tab = FakeTab()
    hub.enter(tab, str(chat.pk), chat.contact_id)
    return tab


async def test_however_many_ask_there_is_one_link(
    hub: Hub, upstream: Upstream, make_chat: MakeChat
) -> None:
    chat = make_chat()
    places = await asyncio.gather(*(connected(hub, chat) for _ in range(20)))
    assert len(set(map(id, places))) == 1
    assert len(upstream.sockets) == 1
    assert LinkLease.objects.get().holder == registry.HOLDER


async def test_a_tab_is_told_that_it_is_subscribed_when_nothing_can_pass_it_by_any_more(
    hub: Hub, upstream: Upstream, make_chat: MakeChat
) -> None:
    chat, tab = make_chat(), FakeTab(wants_session=True)
    upstream.is_away = True  # what is stored can't be read yet
    told = asyncio.create_task(
        hub.attach(tab, str(chat.pk), chat.contact_id, None, '{"topic":"aws/subscribe"}')
    )
    await asyncio.sleep(0.05)
    assert tab.frames == []
    upstream.is_away = False
    place = await told
    assert tab.frames[0] == {"topic": "aws/subscribe"}
    assert place is not None
    assert tab in place.stream.tabs


async def test_a_process_that_starts_while_the_database_is_away_serves(
    hub: Hub, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, make_chat: MakeChat
) -> None:
    chat = make_chat()
    monkeypatch.setattr(upstream, "upstream", lambda _: asyncio.sleep(0), raising=False)
    upstream.is_away = True
    await hub.start()
    upstream.is_away = False
    await connected(hub, chat)


async def test_what_is_stored_is_neither_sent_nor_counted_again(
    hub: Hub, upstream: Upstream, make_chat: MakeChat
) -> None:
    chat = make_chat()
    wire = upstream.say(message("said before the crash"))
    items.append([(str(chat.pk), wire)])
    tab = await attached(hub, chat)
    await connected(hub, chat)
    upstream.say(message("and after"))
    assert tab.texts == ["and after"]
    await hub.recorder.flush()
    chat.refresh_from_db()
    assert chat.messages_out == 2


async def test_a_chat_of_which_nothing_is_stored_is_counted_once_for_all_its_links(
    hub: Hub, upstream: Upstream, make_chat: MakeChat, settings: Any
) -> None:
    settings.CHAT_RETENTION_DAYS = 0
    chat = make_chat()
    for text in ("one", "two", "three"):
        upstream.say(message(text))
        restarted = Hub(upstream, upstream.dial)  # type: ignore[arg-type]
        for each in (hub, restarted):  # the one before still holds its link
            await connected(each, chat)
            await each.recorder.flush()
        await restarted.drain(1.0)
    chat.refresh_from_db()
    assert (chat.messages_in, chat.messages_out) == (0, 3)


async def test_one_tab_too_many_closes_the_oldest(
    hub: Hub, make_chat: MakeChat, settings: Any
) -> None:
    settings.CHAT_TABS_PER_SESSION = 2
    chat = make_chat()
    tabs = [await attached(hub, chat) for _ in range(3)]
    assert [tab.closed and tab.closed[0] for tab in tabs] == [Close.TOO_MANY_TABS, None, None]
    assert hub.tab_count == 2


async def test_a_socket_that_never_subscribes_counts_as_a_tab(
    hub: Hub, make_chat: MakeChat, settings: Any
) -> None:
    settings.CHAT_TABS_PER_SESSION = 2
    chat, other = make_chat(), make_chat()
    silent = opened(hub, chat)
    tabs = [await attached(hub, chat), opened(hub, other), await attached(hub, chat)]
    assert silent.closed is not None
    assert silent.closed[0] == Close.TOO_MANY_TABS
    assert [tab.closed for tab in tabs] == [None, None, None]


async def test_who_has_left_counts_no_more(hub: Hub, make_chat: MakeChat, settings: Any) -> None:
    settings.CHAT_TABS_PER_SESSION = 1
    chat = make_chat()
    place = await connected(hub, chat)
    first = await attached(hub, chat)
    hub.leave(first, place)
    second = await attached(hub, chat)
    hub.leave(first, place)  # once more does no harm
    assert (first.closed, second.closed) == (None, None)
    assert hub.crowd.everybody() == [second]


async def test_a_socket_that_never_subscribes_goes_with_its_key_its_chat_and_its_process(
    hub: Hub, upstream: Upstream, make_chat: MakeChat
) -> None:
    chat, other, third = make_chat(), make_chat(), make_chat()
    revoked, over, left = opened(hub, chat), opened(hub, other), opened(hub, third)
    hub.close_revoked(str(chat.pk), {2})
    hub.close_revoked(str(other.pk), {1})
    assert (revoked.closed is None, over.closed) == (False, None)
    await connected(hub, other)
    hub.end_elsewhere(str(other.pk))
    await until(lambda: over.closed is not None)
    assert left.closed is None
    await hub.drain(1.0)
    assert left.closed is not None


async def test_the_end_is_written_down_and_tabs_are_closed(
    hub: Hub, upstream: Upstream, make_chat: MakeChat
) -> None:
    chat = make_chat()
    tab = await attached(hub, chat)
    await connected(hub, chat)
    upstream.say(event("participant.left", ParticipantRole="AGENT"))
    upstream.say(event("chat.ended"))
    await until(lambda: hub.session_ids() == [])
    chat.refresh_from_db()
    assert (chat.state, chat.ended_by, chat.incomplete_since) == (State.ENDED, "agent", None)
    assert tab.session[-1] == {"state": "ended"}
    assert tab.closed is not None
    await until(lambda: not LinkLease.objects.exists())


async def test_an_end_is_written_down_however_long_the_database_is_away(
    hub: Hub, upstream: Upstream, make_chat: MakeChat
) -> None:
    chat = make_chat()
    tab = await attached(hub, chat)
    await connected(hub, chat)
    upstream.is_away = True
    upstream.say(event("chat.ended"))
    await until(lambda: tab.closed)  # a tab need not wait for that
    chat.refresh_from_db()
    assert chat.state == State.ACTIVE
    upstream.is_away = False
    await until(lambda: ChatSession.objects.get(pk=chat.pk).state == State.ENDED)


async def test_an_end_a_crash_kept_from_being_written_is_found_in_the_store(
    hub: Hub, upstream: Upstream, make_chat: MakeChat
) -> None:
    chat = make_chat()
    items.append([(str(chat.pk), event("chat.ended"))])
    hub.ensure(str(chat.pk), chat.contact_id)
    await until(lambda: ChatSession.objects.get(pk=chat.pk).state == State.ENDED)
    chat.refresh_from_db()
    assert chat.incomplete_since is None
    assert upstream.connects == []


async def test_a_link_opens_when_the_database_is_back(
    hub: Hub, upstream: Upstream, make_chat: MakeChat
) -> None:
    chat = make_chat()
    upstream.is_away = True
    place = hub.ensure(str(chat.pk), chat.contact_id)
    assert not await hub.wait_connected(place, 0.05)
    upstream.is_away = False
    assert await hub.wait_connected(place, 5.0)


async def test_tabs_of_a_link_that_was_given_up_are_told_to_come_back(
    hub: Hub, make_chat: MakeChat
) -> None:
    chat = make_chat()
    tab = await attached(hub, chat)
    place = await connected(hub, chat)
    place.task.cancel()
    await until(lambda: tab.closed)
    assert tab.closed is not None
    assert tab.closed[0] == Close.COME_BACK


async def test_a_tab_that_subscribes_after_its_link_was_let_go_gets_a_new_one(
    hub: Hub, upstream: Upstream, make_chat: MakeChat
) -> None:
    chat = make_chat()
    await connected(hub, chat)
    hub.let_go(str(chat.pk))
    await until(lambda: hub.session_ids() == [])
    assert upstream.open_sockets == []
    tab = await attached(hub, chat)
    await connected(hub, chat)
    upstream.say(message("heard"))
    assert tab.texts == ["heard"]


async def test_a_link_that_is_watched_is_not_let_go(hub: Hub, make_chat: MakeChat) -> None:
    chat = make_chat()
    await attached(hub, chat)
    await connected(hub, chat)
    hub.let_go(str(chat.pk))
    await asyncio.sleep(0.01)
    assert hub.session_ids() == [str(chat.pk)]
    assert hub.unwatched() == []


async def test_who_opens_a_second_link_asks_the_first_holder_to_let_go(
    hub: Hub, make_chat: MakeChat, published: Published
) -> None:
    chat = make_chat()
    lease(chat, "other:1:a")
    await connected(hub, chat)
    await until(lambda: published)
    assert published == [("let_go", str(chat.pk), {"to": registry.HOLDER})]


async def test_a_fourth_link_waits_until_another_is_let_go(
    hub: Hub, upstream: Upstream, make_chat: MakeChat, published: Published
) -> None:
    chat = make_chat()
    rows = [lease(chat, f"other:{number}:a") for number in range(3)]
    place = hub.ensure(str(chat.pk), chat.contact_id)
    await until(lambda: published)
    assert upstream.sockets == []
    rows[0].delete()
    assert await hub.wait_connected(place, 5.0)


async def test_a_link_let_go_before_it_began_leaves_nothing_behind(
    hub: Hub, make_chat: MakeChat
) -> None:
    chat = make_chat()
    hub.ensure(str(chat.pk), chat.contact_id)
    hub.let_go(str(chat.pk))
    await until(lambda: hub.place(str(chat.pk)) is None)
    async with asyncio.timeout(5):
        await attached(hub, chat)


async def test_tabs_of_a_fourth_link_that_never_comes_are_sent_to_those_that_have_one(
    hub: Hub,
    upstream: Upstream,
    make_chat: MakeChat,
    published: Published,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatproxy.relay.hub.LET_GO_WAITS_S", (0.01, 0.01))
    chat = make_chat()
    for number in range(3):
        lease(chat, f"other:{number}:a")
    tab = await attached(hub, chat)
    await until(lambda: tab.closed and hub.place(str(chat.pk)) is None)
    assert tab.closed
    assert tab.closed[0] == Close.COME_BACK
    assert len(published) == 2
    assert upstream.sockets == []


async def test_a_chat_that_is_over_elsewhere_is_concluded_here(
    hub: Hub, make_chat: MakeChat
) -> None:
    chat = make_chat()
    tab = await attached(hub, chat)
    await connected(hub, chat)
    hub.end_elsewhere(str(chat.pk))
    hub.end_elsewhere(str(chat.pk))
    await until(lambda: tab.closed)
    assert tab.ends == 1


async def test_tabs_of_a_revoked_key_are_closed(hub: Hub, make_chat: MakeChat) -> None:
    chat = make_chat()
    tab = await attached(hub, chat)
    hub.close_revoked(str(chat.pk), {1})
    assert tab.closed is None
    hub.close_revoked(str(chat.pk), {2})
    assert tab.closed is not None


async def test_a_new_chat_comes_first_until_it_has_been_up(hub: Hub, make_chat: MakeChat) -> None:
    chat = make_chat()
    place = hub.ensure(str(chat.pk), chat.contact_id, is_new_chat=True)
    assert place.priority() is Priority.NEW_CHAT
    assert await hub.wait_connected(place, 5.0)
    assert place.priority() is Priority.BACKGROUND
    await attached(hub, chat)
    assert place.priority() is Priority.TAB_CONNECTION


async def test_draining_sends_tabs_away_lets_go_and_opens_nothing_more(
    hub: Hub, upstream: Upstream, make_chat: MakeChat
) -> None:
    chat = make_chat()
    tab = await attached(hub, chat)
    await connected(hub, chat)
    upstream.say(message("written before the process ends"))
    await hub.drain(1.0)
    assert tab.closed is not None
    assert tab.closed[0] == 1012
    assert "retryAfterMs" in tab.closed[1]
    assert upstream.open_sockets == []
    assert not LinkLease.objects.exists()
    assert len(items.read(str(chat.pk))) == 1
    late = await attached(hub, chat)
    assert late.closed is not None
    assert late.closed[0] == 1012
    assert not await hub.wait_connected(hub.ensure(str(chat.pk), "c-1"), 0.01)
    assert len(upstream.sockets) == 1


async def test_draining_ends_at_its_deadline_with_the_database_away(
    hub: Hub, upstream: Upstream, make_chat: MakeChat
) -> None:
    chat = make_chat()
    await connected(hub, chat)
    upstream.say(message("not written"))
    upstream.is_away = True
    async with asyncio.timeout(4):
        await hub.drain(0.1)
    assert hub.recorder.waiting


@pytest.fixture
def collector_is_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def test_nothing_of_a_chat_that_is_over_waits_for_the_collector(
    hub: Hub, upstream: Upstream, make_chat: MakeChat, collector_is_off: None
) -> None:
    """It comes by so seldom that a process would grow for hours (``serve.py``)."""
    chat = make_chat()
    place, tab = await connected(hub, chat), await attached(hub, chat)
    upstream.say(message(1))
    upstream.say(event("chat.ended"))
    await until(lambda: hub.place(str(chat.pk)) is None)
    hub.leave(tab, place)
    upstream.sockets.clear()
    del place, tab
    kinds = (Place, Link, Stream, Transcript, FakeTab)
    await until(lambda: not [one for one in gc.get_objects() if type(one) in kinds])
