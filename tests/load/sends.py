"""Ten thousand sends while everything fails: each is a message upstream, once, in its order.

Visitors repeat a message with its ClientToken, on the connection key of its first try, until it is
answered; the service's transcript judges. What goes wrong follows from a seed.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatproxy.child import ChildFailed
from tests.faults.ground import Ground, Site, started_ground
from tests.faults.page import Outbox, Session

PAUSE_S = 0.4
TROUBLE_S = 240.0
#: Once all is well again.
EVERYBODY_WITHIN_S = 300.0


@dataclass(frozen=True)
class Plan:
    """So many chats, so many messages in each, on one of the fault runner's grounds."""

    chats: int = 200
    messages: int = 50
    site: Site = "one"
    seed: int = 1


Trouble = Callable[["Sends", random.Random], None]


class Sends:
    """One run on a started ground."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self._plan = plan
        self._over = threading.Event()
        self.ground = ground
        self.troubles = Counter[str]()
        ground.sandbox.change(bot=False, quotas="off", public_port=ground.wires["upstream"].port)
        with ThreadPoolExecutor(16) as pool:
            self.sessions = list(pool.map(Session.start, [ground.url] * plan.chats))

    def run(self) -> bool:
        """Whether everything arrived once and in order."""
        outboxes = [Outbox(session) for session in self.sessions]
        begun = time.monotonic()
        trouble = threading.Thread(target=self._make_trouble)
        trouble.start()
        for outbox in outboxes:
            for number in range(self._plan.messages):
                outbox.add(f"line {number}")
            outbox.start()
        try:
            _wait_until_sent(outboxes, TROUBLE_S)
        finally:
            self._over.set()
            trouble.join()
            self.ground.heal()
        _wait_until_sent(outboxes, EVERYBODY_WITHIN_S)
        for outbox in outboxes:
            outbox.leave()
            outbox.join(30)
        return self._told(outboxes, time.monotonic() - begun)

    def _told(self, outboxes: list[Outbox], seconds: float) -> bool:
        wanted = [f"line {number}" for number in range(self._plan.messages)]
        lost = twice = disordered = upstream = 0
        for session in self.sessions:
            said = self._said(session)
            upstream += len(said)
            lost += len(set(wanted) - set(said))
            twice += len(said) - len(set(said))
            disordered += list(dict.fromkeys(said)) != [one for one in wanted if one in set(said)]
        entries = [entry for outbox in outboxes for entry in outbox.entries]
        tries = sum(entry.tries for entry in entries)
        unanswered = sum(entry.state != "sent" for entry in entries)
        given_up = Counter(entry.reason for entry in entries if entry.reason)
        asked = self.ground.sandbox.state()["requests"]["SendMessage"]
        print(
            f"| {self._plan.site} | {len(entries):,} | {upstream:,} | {lost} | {twice} "
            f"| {disordered} | {unanswered} | {tries - len(entries):,} | {asked:,} "
            f"| {self.troubles.total()} | {seconds:.0f} s |\n\n"
            + ", ".join(f"{what} {count}" for what, count in sorted(self.troubles.items())),
            *(f"{count} x given up: {why}" for why, count in given_up.items()),
            sep="\n",
            flush=True,
        )
        return not (lost or twice or disordered or unanswered)

    def _said(self, session: Session) -> list[str]:
        contact = self.ground.sandbox.control("GET", f"contacts/{session.contact_id}")
        return [item["Content"] for item in contact["transcript"] if item["Type"] == "MESSAGE"]

    def _make_trouble(self) -> None:
        chance = random.Random(self._plan.seed)
        while not self._over.wait(PAUSE_S):
            what = chance.choice(list(TROUBLES))
            self.troubles[what] += 1
            TROUBLES[what](self, chance)

    # --- what goes wrong --------------------------------------------------------------------------

    def fault(self, **fault: Any) -> None:
        self.ground.sandbox.add_fault(operation="SendMessage", **fault)

    def expire(self, chance: random.Random) -> None:
        """A third of the connection tokens are refused from now on."""
        for session in chance.sample(self.sessions, len(self.sessions) // 3):
            expired = {"kind": "connection", "contact_id": session.contact_id}
            self.ground.sandbox.control("POST", "expire", expired)

    def weather(self, side: str, seconds: float, **what: Any) -> None:
        self.ground.wires[side].change(**what)
        self._over.wait(seconds)
        self.ground.wires[side].clear()

    def kill(self, chance: random.Random) -> None:
        child = chance.choice(self.ground.processes)
        child.kill()
        child.start()
        try:
            child.wait_ready()
        except ChildFailed:
            return  # healing starts it


def _wait_until_sent(outboxes: list[Outbox], within_s: float) -> None:
    end = time.monotonic() + within_s
    while time.monotonic() < end and not all(outbox.is_empty for outbox in outboxes):
        time.sleep(0.2)


TROUBLES: dict[str, Trouble] = {
    "answers lost": lambda run, chance: run.fault(kind="lose_answer", count=20),
    "throttled": lambda run, chance: run.fault(kind="throttle", count=20),
    "failing": lambda run, chance: run.fault(kind="status", status=503, count=20),
    "nonsense": lambda run, chance: run.fault(kind="nonsense", count=10),
    "slow": lambda run, chance: run.fault(kind="delay", delay_s=1.0, count=20),
    "hanging": lambda run, chance: run.fault(kind="hang", count=3),
    "tokens expired": lambda run, chance: run.expire(chance),
    "browsers cut": lambda run, chance: run.ground.wires["browser"].cut() and None,
    "upstream cut": lambda run, chance: run.ground.wires["upstream"].cut() and None,
    "browsers held": lambda run, chance: run.weather("browser", 1.0, holds=True),
    "upstream silent": lambda run, chance: run.weather("upstream", 1.0, is_silent=True),
    "upstream refuses": lambda run, chance: run.weather("upstream", 0.5, refuses=True),
    "a process killed": lambda run, chance: run.kill(chance),
}

HEAD = (
    "| site | sends | upstream | lost | twice | chats out of order | unanswered | repeats "
    "| SendMessage upstream | troubles | took |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def run(plan: Plan, folder: Path) -> bool:
    """Print what came of it; whether all is as it should be."""
    with started_ground(folder, plan.site) as ground:
        print(f"starting {plan.chats} chats …\n\n{HEAD}", flush=True)
        return Sends(ground, plan).run()
