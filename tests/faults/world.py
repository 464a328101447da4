"""One schedule's people, on a ground that outlives it: their sessions, pages and what they say."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any

from chatproxy.child import Child, ChildFailed
from tests.faults.ground import Ground
from tests.faults.page import Outbox, Page, Session
from tests.faults.schedule import MOST_PAGES, SESSIONS, Step

AGAIN_WITHIN_S = 60.0


class World:
    """One schedule's people, and what happens to them: a method for each step."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.counts: Counter[str] = Counter()
        self._numbers = Counter[int]()
        self._timers: list[threading.Timer] = []
        ground.sandbox.reset()
        ground.sandbox.change(bot=False, quotas="off", public_port=ground.wires["upstream"].port)
        self.sessions = [Session.start(ground.url) for _ in range(SESSIONS)]
        self.pages: list[list[Page]] = [[] for _ in self.sessions]
        self.closed: list[Page] = []
        #: A chat nobody looks at: its visitor has connected, and closed the page.
        self.unseen = Session.start(ground.url)
        self.unseen.connection()
        self.is_unseen_over = False
        self.outboxes = [Outbox(session) for session in self.sessions]
        for outbox in self.outboxes:
            outbox.start()

    def play(self, steps: list[Step]) -> None:
        for one in steps:
            getattr(self, one.what)(**one.given)

    def leave(self) -> None:
        """Everybody goes."""
        for timer in self._timers:
            timer.cancel()
        everybody = [*self.closed, *(page for pages in self.pages for page in pages)]
        for one in (*everybody, *self.outboxes):
            one.leave()
        for one in (*everybody, *self.outboxes):
            one.join(30)

    # --- people -----------------------------------------------------------------------------

    def say(self, session: int, count: int) -> None:
        """The agent writes."""
        for _ in range(count):
            self._numbers[session] += 1
            self._act(session, "say", content=f"theirs {self._numbers[session]}")
        self.counts["said"] += count

    def send(self, session: int, count: int) -> None:
        """The visitor writes."""
        for _ in range(count):
            self._numbers[session] += 1
            self.outboxes[session].add(f"mine {self._numbers[session]}")
        self.counts["sent"] += count

    def say_unseen(self, count: int) -> None:
        """The agent writes to somebody who has closed the page."""
        for number in range(0 if self.is_unseen_over else count):
            self._control(self.unseen, "say", content=f"unseen {number}")

    def end_unseen(self) -> None:
        """The agent ends a chat that nobody looks at."""
        if not self.is_unseen_over:
            self._control(self.unseen, "end")
            self.is_unseen_over = True

    def read(self, session: int) -> None:
        """The agent has read what is there."""
        mine = [
            item
            for item in self.transcript(self.sessions[session])
            if item["Type"] == "MESSAGE" and item["ParticipantRole"] == "CUSTOMER"
        ]
        if mine:
            self._act(session, "receipt", message_id=mine[-1]["Id"], is_read=True)

    def open_page(self, session: int) -> None:
        if len(self.pages[session]) < MOST_PAGES:
            page = Page(self.sessions[session])
            page.start()
            self.pages[session].append(page)
            self.counts["pages"] += 1

    def close_page(self, session: int) -> None:
        if self.pages[session]:
            page = self.pages[session].pop(0)
            page.leave()
            self.closed.append(page)

    def doze(self, session: int, seconds: float) -> None:
        """A page goes to sleep, and knows of nothing when it wakes."""
        if self.pages[session]:
            self.pages[session][0].doze(seconds)

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    # --- faults -----------------------------------------------------------------------------

    def cut(self, side: str) -> None:
        self.ground.wires[side].cut()

    def weather(self, side: str, seconds: float, **what: Any) -> None:
        """So for some seconds; people go on meanwhile."""
        wire = self.ground.wires[side]
        wire.change(**what)
        self._later(seconds, wire.clear)

    def fault(self, **fault: Any) -> None:
        self.ground.sandbox.add_fault(**fault)

    def frames(self, session: int, **fault: Any) -> None:
        """Something happens to frames of one chat; not of the unseen one, see `judge`."""
        self.fault(contact_id=self.sessions[session].contact_id, **fault)

    def withhold(self, session: int, seconds: float) -> None:
        contact = self.sessions[session].contact_id
        fault = self.ground.sandbox.add_fault(kind="withhold", contact_id=contact)
        release = f"faults/{fault['id']}"
        self._later(seconds, lambda: self.ground.sandbox.control("DELETE", release))

    def act(self, session: int, action: str, **given: Any) -> None:
        self._act(session, action, **given)

    def expire(self, session: int, kind: str) -> None:
        contact = self.sessions[session].contact_id
        self.ground.sandbox.control("POST", "expire", {"kind": kind, "contact_id": contact})

    def kill(self, process: int, seconds: float) -> None:
        self._process(process).kill()
        self._up_again(process, seconds)

    def stop(self, process: int, seconds: float) -> None:
        self._process(process).stop(grace_s=30)
        self._up_again(process, seconds)

    def pause(self, process: int, seconds: float) -> None:
        self._process(process).pause()
        time.sleep(seconds)
        self._process(process).resume()

    def crash(self, server: str, seconds: float) -> None:
        """PostgreSQL or Redis is killed, and started again."""
        self.ground.servers[server].kill()
        self._later(seconds, self.ground.servers[server].start)

    # --- for the judge ----------------------------------------------------------------------

    def transcript(self, chat: Session) -> list[dict[str, Any]]:
        """What the service has: the truth."""
        return list(self._contact(chat)["transcript"])

    def sockets(self, chat: Session) -> int:
        """How many links the service sees, without those it has been made deaf for."""
        contact = self._contact(chat)
        return int(contact["sockets"]) - int(contact["deaf"])

    def _contact(self, chat: Session) -> dict[str, Any]:
        return dict(self.ground.sandbox.control("GET", f"contacts/{chat.contact_id}"))

    def _process(self, number: int) -> Child:
        return self.ground.processes[number % len(self.ground.processes)]

    def _up_again(self, process: int, seconds: float) -> None:
        """Unless there is no database just now: then it is up when all is healed."""
        time.sleep(seconds)
        child = self._process(process)
        child.start()
        with suppress(ChildFailed):
            child.wait_ready(AGAIN_WITHIN_S)

    def _act(self, session: int, action: str, **given: Any) -> None:
        self._control(self.sessions[session], action, **given)

    def _control(self, chat: Session, action: str, **given: Any) -> None:
        self.ground.sandbox.control("POST", f"contacts/{chat.contact_id}/{action}", given)

    def _later(self, seconds: float, what: Any) -> None:
        timer = threading.Timer(seconds, what)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)
