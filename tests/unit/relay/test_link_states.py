"""Whatever happens to a link, in whatever order: every tab and the store come to know everything.

A hypothesis state machine plays agents, tabs and faults on a link, against an upstream without a
network and on a clock of its own, so that hours pass in milliseconds and a failure shrinks to the
few steps that matter. `tests/faults` plays the same on real sockets and processes.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from chatproxy.relay import stream as stream_module
from chatproxy.relay.link import OVERLAP_S, Link
from chatproxy.relay.stream import Stream
from chatproxy.upstream.errors import (
    AccessDeniedException,
    InternalServerException,
    ThrottlingException,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from chatproxy.upstream.governor import Priority
from chatproxy.upstream.inputs import TranscriptQuery
from chatproxy.upstream.shapes import TranscriptPage
from chatproxy.upstream.vocabulary import Operation
from tests.unit.relay.fakes import FakeSocket, FakeTab, FakeUpstream, Kept, Wire, message
from tests.unit.relay.virtual import VirtualLoop

#: As many as one likes: ``FAULT_LIVES=20000 python -m pytest tests/unit/relay/test_link_states.py``
LIVES = int(os.environ.get("FAULT_LIVES", "500"))
PAGES = 3
NOTICED_WITHIN_S = 16.0
which_page = st.integers(0, PAGES - 1)
any_order = st.randoms(use_true_random=False)

FAILURES: dict[str, Callable[[str], UpstreamError]] = {
    "throttled": lambda operation: ThrottlingException(operation, status_code=429),
    "failed": lambda operation: InternalServerException(operation, status_code=500),
    "unreachable": UpstreamUnreachable,
    "timed out": UpstreamTimeout,
}
REFUSED = {"refused": lambda operation: AccessDeniedException(operation, status_code=403)}


def failures(of: dict[str, Callable[[str], UpstreamError]]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(sorted(of)), min_size=1, max_size=3)


class Upstream(FakeUpstream):
    """A service whose frames may be withheld, and whose answers may be slow."""

    def __init__(self) -> None:
        super().__init__()
        self.withholds = 0
        self.withheld: list[Wire] = []
        self.slow_s = 0.3

    def say(self, wire: Wire) -> Wire:
        self.transcript_items.append(wire)
        if self.withholds:
            self.withholds -= 1
            self.withheld.append(wire)
        else:
            self.deliver(wire)
        return wire

    def deliver(self, wire: Wire) -> None:
        for socket in self.open_sockets:
            socket.say(wire)

    async def transcript(
        self, session_id: str, query: TranscriptQuery, priority: object
    ) -> TranscriptPage:
        """An answer may be on its way for a while, and old when it is here."""
        await asyncio.sleep(self.slow_s)
        page = await super().transcript(session_id, query, priority)
        await asyncio.sleep(self.slow_s)
        return page


class Page:
    """One page over all its sockets: what it shows, by Id, and where it is."""

    def __init__(self) -> None:
        self.shown: dict[str, Wire] = {}
        self.position: str | None = None
        self.tab: FakeTab | None = None

    @property
    def must_read(self) -> bool:
        """Whether a replay of what was missed is not to be had."""
        assert self.tab is not None
        return self.position is None or any(told.get("reset") for told in self.tab.session)

    def take(self) -> None:
        """Look at what has come."""
        if self.tab is None:
            return
        came = [item["Id"] for item in self.tab.chat]
        assert len(came) == len(set(came)), "twice over one socket"
        self.shown |= {item["Id"]: item for item in self.tab.chat}
        told = [told["position"] for told in self.tab.session if "position" in told]
        self.position = self.tab.position or (told[-1] if told else self.position)


class LifeOfALink(RuleBasedStateMachine):
    """One chat's link, from process to process."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = VirtualLoop()
        self.upstream, self.kept = Upstream(), Kept()
        self.pages = [Page() for _ in range(PAGES)]
        self._begin()

    # --- people ---------------------------------------------------------------------------------

    @rule(count=st.integers(1, 12))
    def say(self, count: int) -> None:
        for _ in range(count):
            self.upstream.say(message("hello"))

    @rule(number=which_page)
    def open(self, number: int) -> None:
        page = self.pages[number]
        if page.tab is None:
            page.tab = FakeTab(wants_session=True)
            self.stream.attach(page.tab, page.position)
            if page.must_read:
                page.shown |= {item["Id"]: item for item in self._read()}
            page.take()

    @rule(number=which_page)
    def close(self, number: int) -> None:
        page = self.pages[number]
        if page.tab is not None:
            page.take()
            self.stream.detach(page.tab)
            page.tab = None

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.5, 3.0, 20.0, 600.0]))
    def wait(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    # --- faults ---------------------------------------------------------------------------------

    @rule(order=any_order)
    def deliver_twice(self, order: random.Random) -> None:
        if self.upstream.transcript_items:
            self.upstream.deliver(order.choice(self.upstream.transcript_items))

    @rule(count=st.integers(1, 4))
    def withhold(self, count: int) -> None:
        """The next frames do not come, for now."""
        self.upstream.withholds = count

    @rule(order=any_order)
    def release(self, order: random.Random) -> None:
        """One that was withheld comes; it need not be the first."""
        if withheld := self.upstream.withheld:
            self.upstream.deliver(withheld.pop(order.randrange(len(withheld))))

    @rule()
    def lose_sockets(self) -> None:
        for socket in self.upstream.open_sockets:
            socket.lose()

    @rule()
    def go_deaf(self) -> None:
        """The sockets are half-open, which the heartbeat notices after a while."""
        for socket in self.upstream.open_sockets:
            socket.is_deaf = True
            self.loop.call_later(NOTICED_WITHIN_S, self._noticed, socket)

    @rule(names=failures(FAILURES))
    def fail_to_connect(self, names: list[str]) -> None:
        operation = Operation.CREATE_PARTICIPANT_CONNECTION
        self.upstream.connect_errors += [FAILURES[name](operation) for name in names]

    @rule(names=failures(FAILURES | REFUSED))
    def fail_to_read(self, names: list[str]) -> None:
        every = FAILURES | REFUSED
        operation = Operation.GET_TRANSCRIPT
        self.upstream.transcript_errors += [every[name](operation) for name in names]

    @rule()
    def renew_token(self) -> None:
        async def renewed() -> None:
            with suppress(TimeoutError):
                await self.link.renew_token()

        self.loop.run_until_complete(renewed())

    @rule(seconds=st.sampled_from([0.0, 0.3, 2.0]))
    def answer_slowly(self, seconds: float) -> None:
        self.upstream.slow_s = seconds

    @rule(life_s=st.sampled_from([30.0, 3600.0]))
    def let_sockets_live(self, life_s: float) -> None:
        self.upstream.life_s = life_s

    @rule(unwritten=st.integers(0, 5))
    def kill(self, unwritten: int) -> None:
        """The process dies, and with it what was not stored yet; another takes the chat up."""
        self._end()
        self.kept.items = self.kept.items[: max(0, len(self.kept.items) - unwritten)]
        self._begin()

    @invariant()
    def time_passes(self) -> None:
        self.wait(0.2)

    # --- what must hold -------------------------------------------------------------------------

    def teardown(self) -> None:
        """All is well again for a while: then everybody knows everything."""
        try:
            self.upstream.connect_errors.clear()
            self.upstream.transcript_errors.clear()
            self.upstream.life_s = 3600.0
            self.upstream.slow_s = self.upstream.withholds = 0
            while self.upstream.withheld:
                self.upstream.deliver(self.upstream.withheld.pop())
            self.wait(120.0)
            self.say(1)
            self.wait(60.0)
            for number in range(PAGES):
                self.open(number)
            said = {item["Id"] for item in self.upstream.transcript_items}
            for page in self.pages:
                page.take()
                assert page.shown.keys() == said
            assert {item["Id"] for item in self.kept.items} == said
            assert [item["Id"] for item in self.stream.transcript.everything()] == [
                item["Id"] for item in self.upstream.transcript_items
            ]
            if len(self.upstream.open_sockets) > 1:
                self.wait(2 * OVERLAP_S)  # it was just being renewed
            assert len(self.upstream.open_sockets) == 1
        finally:
            self._end()
            self.loop.close()

    # --- how it is done -------------------------------------------------------------------------

    def _begin(self) -> None:
        self.stream = Stream("s-1", "c-1", keeper=self.kept, ended=lambda: None)
        self.stream.preload({item["Id"]: item for item in self.kept.items}.values())
        self.link = Link(
            self.stream,
            self.upstream,  # type: ignore[arg-type]
            self.kept,  # type: ignore[arg-type]
            priority=lambda: Priority.BACKGROUND,
            chance=lambda: 0.5,
            dial=self.upstream.dial,
        )
        self.task = self.loop.create_task(self.link.run())

    def _end(self) -> None:
        self.task.cancel()
        self.loop.run_until_complete(asyncio.gather(self.task, return_exceptions=True))
        for page in self.pages:
            page.take()
            page.tab = None

    def _read(self) -> list[Wire]:
        """The transcript, by whoever has it, as `Place.transcript` decides."""
        transcript = self.stream.transcript
        if self.link.connected.is_set() and transcript.is_complete:
            return transcript.everything()
        return list(self.upstream.transcript_items)

    def _noticed(self, socket: FakeSocket) -> None:
        if socket.is_open:
            socket.lose("no answer to a heartbeat")


def test_everybody_comes_to_know_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "RING_FRAMES", 8)
    # Short lives: a later fault would have what an earlier one lost read again.
    searched = settings(max_examples=LIVES, stateful_step_count=12, deadline=None)
    run_state_machine_as_test(LifeOfALink, settings=searched)
