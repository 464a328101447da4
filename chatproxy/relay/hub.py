"""The links of this process and the tabs that watch them: one link per session, however many tabs.

Lives on the serving event loop, which alone touches it; requests on pool threads reach it through
the coroutines here, awaited on the loop by whoever serves them. A link opens with the first
connection of its session and stays until ``chat.ended``, tabs or not: a chat nobody listens to
would lose its last words, because the tokens die with it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine
from typing import Any

from chatproxy.conf import conf
from chatproxy.relay import registry
from chatproxy.relay.gateway import Gateway
from chatproxy.relay.link import Link
from chatproxy.relay.recorder import Recorder
from chatproxy.relay.registry import Held
from chatproxy.relay.signals import Signals
from chatproxy.relay.stream import FrameCounts, LinkState, Stream, Tab
from chatproxy.sessions import instances, lifecycle, opened
from chatproxy.upstream.governor import Priority

logger = logging.getLogger(__name__)

CLOSE_RESTARTING = 1012
CLOSE_TOO_MANY_TABS = 4500
CLOSE_ENDED = 4501
CLOSE_REVOKED = 4502
CLOSE_SLOW = 4400
GOODBYE_S = 2.0
ENDED_ELSEWHERE_S = 3.0


class Place:
    """One session in the hub: its stream, its link, and the task that drives it."""

    def __init__(self, stream: Stream, link: Link, is_new_chat: bool) -> None:
        self.stream = stream
        self.link = link
        self.is_new_chat = is_new_chat
        self.is_ending = False
        self.is_ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None

    def priority(self) -> Priority:
        """How urgent an upstream call for this session is just now."""
        if self.is_new_chat:
            return Priority.NEW_CHAT
        return Priority.TAB_CONNECTION if self.stream.tabs else Priority.BACKGROUND


class Hub:
    """All links of one process. ``start`` and ``drain`` on the serving loop."""

    def __init__(self) -> None:
        self.gateway = Gateway()
        self.recorder = Recorder(self.gateway)
        self.signals = Signals(self.gateway)
        self.counts = FrameCounts()
        self.loop = asyncio.get_running_loop()
        self.is_draining = False
        self._places: dict[str, Place] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- the process ------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin recording and adopting; after this, tabs may come."""
        await self.gateway.upstream(instances.warm_up)
        await self.gateway.database(registry.release_dead_neighbours)
        self._own(self.recorder.run())

    async def drain(self, deadline_s: float) -> None:
        """Send every tab away with a time to come back, let go of all links, write what waits."""
        self.is_draining = True
        await self.signals.stop()
        places = list(self._places.values())
        window_ms = int(min(deadline_s, 10.0) * 1000)
        for place in places:
            for tab in list(place.stream.tabs):
                tab.close(CLOSE_RESTARTING, _come_back(random.uniform(0, window_ms)))  # noqa: S311 - jitter
        for place in places:
            if place.task is not None:
                place.task.cancel()
        await asyncio.gather(
            *(place.task for place in places if place.task), return_exceptions=True
        )
        end = self.loop.time() + max(1.0, deadline_s)
        while not await self.recorder.flush() and self.loop.time() < end:  # noqa: ASYNC110 - the database tells nobody when it is back
            await asyncio.sleep(0.5)
        await self.gateway.database(registry.release_all)
        for task in self._tasks:
            task.cancel()
        self.gateway.shutdown()

    def _own(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_log_crash)
        return task

    # --- links ------------------------------------------------------------------------------

    def ensure(self, session_id: str, contact_id: str, *, is_new_chat: bool = False) -> Place:
        """The session's place, its link opened now if there is none."""
        place = self._places.get(session_id)
        if place is None:
            place = self._placed(session_id, contact_id, is_new_chat)
        return place

    def _placed(self, session_id: str, contact_id: str, is_new_chat: bool) -> Place:
        stream = Stream(
            session_id,
            contact_id,
            keep=lambda item, is_new: self.recorder.keep(session_id, item, is_new),
            ended=lambda: self._ended(session_id),
            counts=self.counts,
        )
        link = Link(stream, self.gateway, self.recorder, priority=lambda: place.priority())
        place = Place(stream, link, is_new_chat)
        self._places[session_id] = place
        place.task = self._own(self._driven(place))
        return place

    async def _driven(self, place: Place) -> None:
        """One link from its stored past to its end."""
        session_id = place.stream.session_id
        try:
            await self._preload(place)
            await self.gateway.database(registry.renew, [_held(place)])
            await place.link.run()
            await self._goodbye(place)
        finally:
            if self._places.get(session_id) is place:
                del self._places[session_id]
            if not place.is_ready.done():
                place.is_ready.set_result(None)
        await self.gateway.database(registry.release, session_id)

    async def _preload(self, place: Place) -> None:
        """What is stored is known: it is neither sent nor stored again."""
        if not place.is_new_chat:
            place.stream.preload(await self.gateway.stored_items(place.stream.session_id))
        place.is_ready.set_result(None)

    def _ended(self, session_id: str) -> None:
        place = self._places[session_id]
        opened.mark_over(session_id)
        place.stream.set_state(LinkState.ENDED)
        place.link.over.set()

    async def _goodbye(self, place: Place) -> None:
        """Write the end down, then close the tabs that have not closed themselves."""
        stream = place.stream
        await self.recorder.flush()
        await self.gateway.database(
            lifecycle.mark_ended,
            stream.session_id,
            by=stream.ended_by(),
            incomplete_since=stream.incomplete_since,
        )
        await asyncio.sleep(GOODBYE_S)
        for tab in list(stream.tabs):
            tab.close(CLOSE_ENDED if tab.wants_session else 1000, "chat ended")

    async def wait_connected(self, place: Place, timeout_s: float) -> bool:
        """Whether the link is up, waiting at most so long; early if the chat is over."""
        waits = [
            asyncio.ensure_future(place.link.connected.wait()),
            asyncio.ensure_future(place.link.over.wait()),
        ]
        try:
            await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        place.is_new_chat = False
        return place.link.connected.is_set()

    def place(self, session_id: str) -> Place | None:
        """The session's place, if this process holds one. Safe to call from any thread."""
        return self._places.get(session_id)

    def let_go(self, session_id: str) -> None:
        """Another process has the session now: give the link up, unless tabs watch it here."""
        place = self._places.get(session_id)
        if place is not None and not place.stream.tabs and place.task is not None:
            place.task.cancel()

    def end_elsewhere(self, session_id: str) -> None:
        """The database says the chat is over; if no ``chat.ended`` comes soon, do without it."""
        place = self._places.get(session_id)
        if place is not None and not place.stream.is_ended and not place.is_ending:
            place.is_ending = True
            self._own(self._end_later(place))

    async def _end_later(self, place: Place) -> None:
        await asyncio.sleep(ENDED_ELSEWHERE_S)
        place.link.conclude()

    # --- tabs -------------------------------------------------------------------------------

    async def attach(self, tab: Tab, place: Place, after: str | None) -> None:
        """Let a tab see everything from here on, and first what it missed."""
        await asyncio.shield(place.is_ready)
        stream = place.stream
        while len(stream.tabs) >= conf.tabs_per_session:
            oldest = stream.tabs[0]
            stream.detach(oldest)
            oldest.close(CLOSE_TOO_MANY_TABS, "too many tabs")
        stream.attach(tab, after)

    def close_revoked(self, session_id: str, live_keys: set[int]) -> None:
        """Close the tabs whose key is no longer good."""
        place = self._places.get(session_id)
        for tab in list(place.stream.tabs) if place else []:
            if tab.key_id not in live_keys:
                tab.close(CLOSE_REVOKED, "key revoked")

    # --- for the housekeeper and the metrics --------------------------------------------------

    def held(self) -> list[Held]:
        return [_held(place) for place in self._places.values()]

    def session_ids(self) -> list[str]:
        return list(self._places)

    @property
    def tab_count(self) -> int:
        return sum(len(place.stream.tabs) for place in self._places.values())


def _held(place: Place) -> Held:
    return Held(place.stream.session_id, str(place.stream.state), len(place.stream.tabs))


def _come_back(delay_ms: float) -> str:
    return f'{{"retryAfterMs":{int(delay_ms)}}}'


def _log_crash(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("a relay task ended with an error", exc_info=task.exception())
