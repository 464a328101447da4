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
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from django.db import Error as DatabaseError

from chatproxy.closing import Close
from chatproxy.conf import conf
from chatproxy.flag import any_set
from chatproxy.relay import registry
from chatproxy.relay.crowd import Crowd
from chatproxy.relay.gateway import Gateway
from chatproxy.relay.link import Link
from chatproxy.relay.recorder import Recorder
from chatproxy.relay.registry import Held
from chatproxy.relay.signals import Signals
from chatproxy.relay.socket import Dial, UpstreamSocket
from chatproxy.relay.stream import FrameCounts, LinkState, Stream, Tab
from chatproxy.sessions import control, instances, items, lifecycle, opened
from chatproxy.sessions.control import Control
from chatproxy.sessions.transcript import Transcript
from chatproxy.sessions.vault import SealBroken
from chatproxy.upstream.errors import backoff
from chatproxy.upstream.governor import Priority

logger = logging.getLogger(__name__)

#: For a tab that came to a process that stops: its balancer has not noticed yet.
BACK_LATER_MS = (1000.0, 3000.0)
GOODBYE_S = 2.0
ENDED_ELSEWHERE_S = 3.0
DATABASE_BACK_S = 5.0
#: After each time others are asked to let go; then the session is left to those who have its links.
LET_GO_WAITS_S = (0.5, 1.0, 1.0)

P = ParamSpec("P")
T = TypeVar("T")


class Place:
    """One session in the hub: its stream, its link, and the task that drives it."""

    def __init__(self, stream: Stream, link: Link, is_new_chat: bool) -> None:
        self.stream = stream
        self.link = link
        self.is_new_chat = is_new_chat
        self.is_ending = False
        self.is_ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task: asyncio.Task[None] | None = None

    @property
    def transcript(self) -> Transcript | None:
        """All that was said, if we know it: for readers on any thread."""
        stream = self.stream
        if not self.link.connected.is_set() or not stream.transcript.is_complete:
            return None
        # Who has just sent something must find it here.
        return None if stream.expected else stream.transcript

    def priority(self) -> Priority:
        """How urgent an upstream call for this session is just now."""
        if self.is_new_chat and not self.link.has_been_up:
            return Priority.NEW_CHAT
        return Priority.TAB_CONNECTION if self.stream.tabs else Priority.BACKGROUND


class Hub:
    """All links of one process. ``start`` and ``drain`` on the serving loop.

    Args:
        gateway, dial: The ways out; tests bring their own.
    """

    def __init__(self, gateway: Gateway | None = None, dial: Dial = UpstreamSocket.dial) -> None:
        self.gateway = gateway or Gateway()
        self._dial = dial
        self.recorder = Recorder(self.gateway)
        self.signals = Signals(self.gateway)
        self.counts = FrameCounts()
        self.crowd = Crowd()
        self.loop = asyncio.get_running_loop()
        self.is_draining = False
        self._places: dict[str, Place] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    # --- the process ------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin recording and adopting; after this, tabs may come."""
        await self.gateway.upstream(instances.warm_up)
        with suppress(DatabaseError):  # theirs run out by themselves
            await self.gateway.database(registry.release_dead_neighbours)
        self._own(self.recorder.run())

    async def drain(self, deadline_s: float) -> None:
        """Send every tab away with a time to come back, let go of all links, write what waits.

        What other processes should have taken over before is theirs by now (``handover.py``).
        """
        self.is_draining = True
        await self.signals.stop()
        places = self.places()
        window_ms = int(min(deadline_s, 10.0) * 1000)
        for tab in self.crowd.everybody():
            send_away(tab, (0, window_ms))
        for place in places:
            if place.task is not None:
                place.task.cancel()
        await asyncio.gather(
            *(place.task for place in places if place.task), return_exceptions=True
        )
        end = self.loop.time() + max(1.0, deadline_s)
        while not await self.recorder.flush() and self.loop.time() < end:  # noqa: ASYNC110 - the database tells nobody when it is back
            await asyncio.sleep(0.5)
        with suppress(DatabaseError):  # they run out by themselves
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
        """The session's place, its link opened now if there is none.

        A process that drains opens no more: what it answers with leads nowhere, and the next
        connection goes to another process.
        """
        place = self._places.get(session_id)
        if place is None:
            place = self._placed(session_id, contact_id, is_new_chat)
        return place

    def _placed(self, session_id: str, contact_id: str, is_new_chat: bool) -> Place:
        # Stream and link know their place by its session: holding it they would never be freed.
        stream = Stream(
            session_id,
            contact_id,
            keeper=self.recorder,
            ended=lambda: self._ended(session_id),
            counts=self.counts,
            replay_bytes=conf.tab_buffer_bytes // 2,
        )
        link = Link(
            stream,
            self.gateway,
            self.recorder,
            priority=lambda: self._priority(session_id),
            dial=self._dial,
        )
        place = Place(stream, link, is_new_chat)
        if self.is_draining:
            place.is_ready.set_result(None)
            return place
        self._places[session_id] = place
        place.task = self._own(self._driven(place))
        # Let go before its first step, it does not come to remove itself, and tabs would wait.
        place.task.add_done_callback(lambda _: self._removed(place))
        return place

    async def _driven(self, place: Place) -> None:
        """One link from its stored past to its end."""
        session_id = place.stream.session_id
        try:
            await self._preload(place)
            if not await self._claimed(place):
                return  # its tabs come back, and find a process that has a link
            await place.link.run()
            await self._goodbye(place)
        finally:
            self._removed(place)
            if session_id not in self._places:
                with suppress(DatabaseError):  # it runs out by itself
                    await self.gateway.database(registry.release, session_id)

    def _removed(self, place: Place) -> None:
        if self._places.get(place.stream.session_id) is place:
            del self._places[place.stream.session_id]
        if not place.is_ready.done():
            place.is_ready.set_result(None)
        place.link.over.set()
        # Only if something went wrong, or the link was let go just now, is a tab still here.
        for tab in list(place.stream.tabs):
            tab.close(Close.COME_BACK, "the link was given up")

    async def _preload(self, place: Place) -> None:
        """What is stored is known: it is neither sent nor stored again."""
        if not place.is_new_chat:
            try:
                stored = await self._done(items.read, place.stream.session_id)
                place.stream.preload(stored)
            except SealBroken:
                logger.exception("stored items do not open; upstream is asked for all of them")
        place.is_ready.set_result(None)

    async def _claimed(self, place: Place) -> bool:
        """Enter the lease, and have another process that holds the session's link let go.

        Returns:
            Whether there may be one more: others keep a link that their own tabs watch.
        """
        for wait_s in LET_GO_WAITS_S:
            try:
                others = await self._done(registry.claim, held(place))
            except registry.TooManyLinks:
                control.publish(Control.LET_GO, place.stream.session_id, to=registry.HOLDER)
                await asyncio.sleep(wait_s)
            else:
                if others:
                    self._own(self._take_over(place))
                return True
        return False

    async def _take_over(self, place: Place) -> None:
        # Once ours is up, so that the session is never without. Who does not hear it, reads it.
        if await self.wait_connected(place, registry.LEASE_S):
            with suppress(DatabaseError):  # the next round says so too
                await self.gateway.database(registry.renew, [held(place)])
            control.publish(Control.LET_GO, place.stream.session_id, to=registry.HOLDER)

    async def _done(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A database function's result, however long the database is away."""
        for delay_s in backoff(cap_s=DATABASE_BACK_S):
            try:
                return await self.gateway.database(call, *args, **kwargs)
            except DatabaseError as err:
                logger.warning("the database is away", extra={"cause": type(err).__name__})
            await asyncio.sleep(delay_s)
        raise AssertionError("backoff is endless")

    def _ended(self, session_id: str) -> None:
        opened.mark_over(session_id)
        place = self._places.get(session_id)
        if place is not None:
            place.stream.set_state(LinkState.ENDED)
            place.link.over.set()

    def _priority(self, session_id: str) -> Priority:
        place = self._places.get(session_id)
        return Priority.BACKGROUND if place is None else place.priority()

    async def _goodbye(self, place: Place) -> None:
        """Write the end down, and close the tabs that have not closed themselves."""
        stream = place.stream
        closing = self._own(self._tabs_closed(stream))
        await self.recorder.flush()
        await self._done(
            lifecycle.mark_ended,
            stream.session_id,
            by=stream.ended_by(),
            incomplete_since=stream.incomplete_since,
        )
        await closing

    async def _tabs_closed(self, stream: Stream) -> None:
        await asyncio.sleep(GOODBYE_S)
        for tab in self.crowd.of(stream.session_id):
            tab.close(Close.ENDED if tab.wants_session else Close.NORMAL, "chat ended")

    async def wait_connected(self, place: Place, timeout_s: float) -> bool:
        """Whether the link is up, waiting at most so long; early if the chat is over."""
        await any_set(place.link.connected, place.link.over, within_s=timeout_s)
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

    def enter(self, tab: Tab, session_id: str, contact_id: str) -> Place:
        """A socket is open. It counts as one of its session's tabs; the oldest makes room."""
        place = self.ensure(session_id, contact_id)
        for oldest in self.crowd.enter(session_id, tab):
            place.stream.detach(oldest)
            oldest.close(Close.TOO_MANY_TABS, "too many tabs")
        return place

    def leave(self, tab: Tab, place: Place) -> None:
        """Its socket is gone; it was last at ``place``."""
        self.crowd.leave(place.stream.session_id, tab)
        place.stream.detach(tab)

    async def attach(
        self,
        tab: Tab,
        session_id: str,
        contact_id: str,
        after: str | None,
        acknowledgement: str = "",
    ) -> Place | None:
        """Let a tab see everything from here on, and first what it missed.

        Args:
            acknowledgement: A frame to send when nothing can pass it by any more: whoever reads the
                transcript then has everything.

        Returns:
            Where it is now; nowhere in a process that drains: it is told to come back.
        """
        place = None
        while place is None or self._places.get(session_id) is not place:
            if self.is_draining:
                send_away(tab, BACK_LATER_MS)
                return None
            place = self.ensure(session_id, contact_id)
            await asyncio.shield(place.is_ready)
        if acknowledgement:
            tab.deliver(acknowledgement)
        place.stream.attach(tab, after)
        return place

    def close_revoked(self, session_id: str, live_keys: set[int]) -> None:
        """Close the tabs whose key is no longer good."""
        for tab in self.crowd.of(session_id):
            if tab.key_id not in live_keys:
                tab.close(Close.REVOKED, "key revoked")

    # --- for the housekeeper and the metrics --------------------------------------------------

    def held(self) -> list[Held]:
        return [held(place) for place in self._places.values()]

    def unwatched(self) -> list[str]:
        """Sessions whose link feeds no tab of this process."""
        return [key for key, place in self._places.items() if not place.stream.tabs]

    def places(self) -> list[Place]:
        return list(self._places.values())

    def session_ids(self) -> list[str]:
        return list(self._places)

    @property
    def tab_count(self) -> int:
        return len(self.crowd)


def held(place: Place) -> Held:
    """The place's link, as others should know it."""
    return Held(place.stream.session_id, str(place.stream.state), len(place.stream.tabs))


def send_away(tab: Tab, within_ms: tuple[float, float]) -> None:
    """Close a tab because this process stops; it comes back at a time of its own."""
    delay_ms = int(random.uniform(*within_ms))  # noqa: S311 - jitter
    tab.close(Close.RESTARTING, f'{{"retryAfterMs":{delay_ms}}}')


def _log_crash(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("a relay task ended with an error", exc_info=task.exception())
