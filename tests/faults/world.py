"""What a schedule is played on: pages, a wire, the proxy, a wire, the sandbox.

Wires and servers outlive a schedule; sessions, pages and what they said are new for each.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from chatproxy.upstream.governor import Group
from tests.faults.page import Outbox, Page, Session
from tests.faults.schedule import MOST_PAGES, SESSIONS, Step
from tests.faults.wire import Wire
from tests.processes import (
    READY_WITHIN_S,
    RunningDemo,
    RunningSandbox,
    free_port,
    started_demo,
    started_sandbox,
)

#: The governor stays on; its quota is what never runs out.
QUOTAS = json.dumps({group.value: [1e5, 1e5] for group in Group})


class Ground:
    """The servers and the wires between them."""

    def __init__(self, sandbox: RunningSandbox, proxy: RunningDemo, wires: dict[str, Wire]) -> None:
        self.sandbox = sandbox
        self.proxy = proxy
        self.wires = wires

    @property
    def url(self) -> str:
        """The proxy, as browsers reach it."""
        return f"http://127.0.0.1:{self.wires['browser'].port}"

    def heal(self) -> None:
        """Fair weather, no faults, everything up."""
        for wire in self.wires.values():
            wire.clear()
        self.sandbox.clear_faults()
        self.proxy.child.resume()
        if not self.proxy.child.is_ready():
            self.proxy.restart()


@contextmanager
def started_ground(folder: Path, **environ: str) -> Iterator[Ground]:
    """A sandbox and a proxy with wires around; ``environ`` adds settings of the proxy."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(started_sandbox(folder / "sandbox"))
        upstream = stack.enter_context(Wire(free_port(), sandbox.port))
        front = free_port()
        at_upstream = f"http://127.0.0.1:{upstream.port}"
        settings = {
            "CHAT_PUBLIC_URL": f"http://127.0.0.1:{front}",
            "CONNECT_ENDPOINT_URL": at_upstream,
            "CONNECT_PARTICIPANT_ENDPOINT_URL": at_upstream,
            "CONNECT_WEBSOCKET_HOSTS": f"127.0.0.1:{upstream.port}",
            "CONNECT_CONNECT_TIMEOUT_S": "2",
            "CONNECT_READ_TIMEOUT_S": "3",
            "CONNECT_QUOTAS": QUOTAS,
            **environ,
        }
        proxy = stack.enter_context(started_demo(folder / "proxy", sandbox, **settings))
        browser = stack.enter_context(Wire(front, proxy.port))
        yield Ground(sandbox, proxy, {"browser": browser, "upstream": upstream})


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

    def read(self, session: int) -> None:
        """The agent has read what is there."""
        mine = [
            item
            for item in self.transcript(session)
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

    def kill(self, seconds: float) -> None:
        self.ground.proxy.kill9()
        time.sleep(seconds)
        self._up_again()

    def stop(self, seconds: float) -> None:
        self.ground.proxy.stop()
        time.sleep(seconds)
        self._up_again()

    def pause(self, seconds: float) -> None:
        self.ground.proxy.child.pause()
        time.sleep(seconds)
        self.ground.proxy.child.resume()

    # --- for the judge ----------------------------------------------------------------------

    def transcript(self, session: int) -> list[dict[str, Any]]:
        """What the service has: the truth."""
        contact = self.sessions[session].contact_id
        found = self.ground.sandbox.control("GET", f"contacts/{contact}")["transcript"]
        return list(found)

    def _up_again(self) -> None:
        child = self.ground.proxy.child
        child.start()
        child.wait_ready(READY_WITHIN_S)

    def _act(self, session: int, action: str, **given: Any) -> None:
        contact = self.sessions[session].contact_id
        self.ground.sandbox.control("POST", f"contacts/{contact}/{action}", given)

    def _later(self, seconds: float, what: Any) -> None:
        timer = threading.Timer(seconds, what)
        timer.daemon = True
        timer.start()
        self._timers.append(timer)
