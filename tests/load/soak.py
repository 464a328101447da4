"""Chats come and go for half an hour, networks blink: nothing is lost, and nothing is left behind.

Chats live for some seconds each, with pages that open and close and messages both ways; every
connection of a browser is cut now and then. Memory, descriptors, threads and tasks of the process
are read from outside; when the last chat has ended they must be back where they began, but for
memory, whose slope after the first third is told. Nothing may have failed inside, by its log.
"""

from __future__ import annotations

import os
import random
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.faults.ground import Ground, started_ground
from tests.faults.page import Outbox, Page, Session
from tests.metrics import metric

SAMPLE_EVERY_S = 10.0
CUT_EVERY_S = 15.0
LIFE_S = (15.0, 45.0)
SETTLED_WITHIN_S = 90.0
#: More than at the beginning there may be of each in the end.
SPARE = {"descriptors": 100, "threads": 70, "tasks": 4}  # a thread keeps up to four open


@dataclass(frozen=True)
class Plan:
    minutes: float = 30.0
    chats: int = 40  # at one time


@dataclass(frozen=True)
class Sample:
    """What the process has just now; memory in bytes."""

    at_s: float
    memory: int
    descriptors: int
    threads: int
    tasks: int


class Soak:
    """One run on a started ground."""

    def __init__(self, ground: Ground, plan: Plan) -> None:
        self._ground, self._plan = ground, plan
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self.counts = Counter[str]()
        self.complaints: list[str] = []
        ground.sandbox.change(bot=False, quotas="off", public_port=ground.wires["upstream"].port)

    def run(self) -> bool:
        """Whether all is well."""
        self._live_one(2.0)  # what is made once is there
        first, samples = self._sample(), list[Sample]()
        end = time.monotonic() + 60 * self._plan.minutes
        lives = [
            threading.Thread(target=self._live_until, args=(end,)) for _ in range(self._plan.chats)
        ]
        for number, life in enumerate(lives):
            life.start()
            time.sleep(0.2 if number else 0.0)
        cut_at = time.monotonic()
        while any(life.is_alive() for life in lives):
            if time.monotonic() - cut_at > CUT_EVERY_S and time.monotonic() < end:
                cut_at = time.monotonic()
                self.counts["connections cut"] += self._ground.wires["browser"].cut()
            if not samples or self._now() - samples[-1].at_s > SAMPLE_EVERY_S:
                samples.append(self._sample())
            time.sleep(0.5)
        last = self._settled(first)
        return self._told(first, samples, last)

    def _live_until(self, end: float) -> None:
        while time.monotonic() < end:
            try:
                self._live_one(random.uniform(*LIFE_S))
            except Exception as err:
                self.complaints.append(f"{type(err).__name__}: {err}")

    def _live_one(self, seconds: float) -> None:
        """One chat from its start to its end, and whether all of it was seen."""
        session = Session.start(self._ground.url)
        outbox, pages = Outbox(session), [Page(session)]
        outbox.start()
        pages[0].start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            what = random.random()
            if what < 0.4:
                self._control(session, "say", content=f"theirs {time.monotonic_ns()}")
            elif what < 0.8:
                outbox.add(f"mine {time.monotonic_ns()}")
            elif what < 0.9 and len(pages) < 3:
                pages.append(Page(session))
                pages[-1].start()
            elif len(pages) > 1:
                pages[0].leave()
                pages.pop(0).join(20)
            time.sleep(random.uniform(0.2, 1.5))
        self._judge(session, outbox, pages)
        self._control(session, "end")
        for one in (outbox, *pages):
            one.leave()
        for one in (outbox, *pages):
            one.join(30)

    def _judge(self, session: Session, outbox: Outbox, pages: list[Page]) -> None:
        def is_quiet() -> bool:
            said = set(self._said(session))
            return outbox.is_empty and all(said == set(page.shown()) for page in pages)

        end = time.monotonic() + SETTLED_WITHIN_S
        while not is_quiet() and time.monotonic() < end:
            time.sleep(0.3)
        said = self._said(session)
        texts = Counter(said.values())
        with self._lock:
            self.counts["chats"] += 1
            self.counts["messages"] += len(said)
            self.counts["lost"] += sum(len(said.keys() - set(page.shown())) for page in pages)
            self.counts["lost"] += sum(not texts[entry.text] for entry in outbox.entries)
            self.counts["twice"] += sum(texts[entry.text] > 1 for entry in outbox.entries)

    def _said(self, session: Session) -> dict[str, str]:
        contact = self._ground.sandbox.control("GET", f"contacts/{session.contact_id}")
        return {
            str(item["Id"]): str(item["Content"])
            for item in contact["transcript"]
            if item["Type"] == "MESSAGE"
        }

    def _control(self, session: Session, action: str, **given: str) -> None:
        self._ground.sandbox.control("POST", f"contacts/{session.contact_id}/{action}", given)

    # --- the process --------------------------------------------------------------------------

    def _now(self) -> float:
        return time.monotonic() - self._begun

    def _sample(self) -> Sample:
        process = self._ground.processes[0]
        status = Path(f"/proc/{process.pid}/status").read_text()
        return Sample(
            self._now(),
            1024 * _number(r"VmRSS:\s+(\d+)", status),
            len(os.listdir(f"/proc/{process.pid}/fd")),
            _number(r"Threads:\s+(\d+)", status),
            int(metric(process.url, "chatproxy_tasks")),
        )

    def _settled(self, first: Sample) -> Sample:
        """Once all chats are over and what they held is given back; after a time, as it is."""
        end = time.monotonic() + SETTLED_WITHIN_S
        while _left(first, last := self._sample()) and time.monotonic() < end:
            time.sleep(2)
        return last

    def _told(self, first: Sample, samples: list[Sample], last: Sample) -> bool:
        late = samples[len(samples) // 3 :]
        slope = _slope([(one.at_s / 3600, one.memory / 1e6) for one in late])
        print(f"| when | {' | '.join(('memory', *SPARE))} |\n| --- | --- | --- | --- | --- |")
        for name, one in (
            ("before", first),
            ("after a third", late[0]),
            ("at the end", samples[-1]),
            ("all chats over", last),
        ):
            cells = (f"{one.memory / 1e6:.0f} MB", one.descriptors, one.threads, one.tasks)
            print(f"| {name} | {' | '.join(map(str, cells))} |")
        print(f"\nmemory after a third: {slope:+.1f} MB an hour")
        print(", ".join(f"{what} {count:,}" for what, count in sorted(self.counts.items())))
        print(*self.complaints[:20], sep="\n", flush=True)
        lost = self.counts["lost"] or self.counts["twice"]
        failures = self._ground.processes[0].written().count("Traceback")
        print(f"tracebacks in the proxy's log: {failures}", flush=True)
        return not (lost or self.complaints or failures or _left(first, last))


def _left(first: Sample, last: Sample) -> list[str]:
    """What there is more of than there may be."""
    return [
        name for name, spare in SPARE.items() if getattr(last, name) > getattr(first, name) + spare
    ]


def _slope(points: list[tuple[float, float]]) -> float:
    """Least squares."""
    count = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, f"{pattern} is not in what was told"
    return int(found[1])


def run(plan: Plan, folder: Path) -> bool:
    """Print what came of it; whether all is as it should be."""
    with started_ground(folder) as ground:
        return Soak(ground, plan).run()
