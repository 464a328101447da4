"""Five hundred people type while messages are sent: does a message wait behind typing?

The service's own quotas, exact: ten messages and events a second for all chats together, and so
everybody's typing would use them up many times over. The same messages at the same moments, once
while nobody types and once while all do, in one run; how long each took is counted from when it was
due, so that a slow answer delays nothing that comes after it. The sandbox judges what arrived.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.load.doors import ProxyDoor
from tests.load.meter import Meter
from tests.load.tabs import Tab
from tests.metrics import metric
from tests.processes import UNLIMITED, RunningDemo, started_demo, started_sandbox

TYPING = {"ContentType": "application/vnd.amazonaws.connect.event.typing"}
CONNECTED_WITHIN_S = 300.0
ARRIVED_WITHIN_S = 30.0
LOOK_EVERY_S = 0.25


@dataclass(frozen=True)
class Plan:
    """So many chats; a typing event of each every ``type_every_s`` seconds.

    Attributes:
        messages_per_s: Of all chats together, at moments by chance; the service takes ten.
        seconds: Of each of the two parts.
    """

    chats: int = 500
    type_every_s: float = 3.0
    messages_per_s: float = 7.0
    seconds: float = 60.0
    seed: int = 1


@dataclass
class Part:
    """One of the two parts: answers by status, and seconds from when they were due.

    Attributes:
        sends: SendMessage; ``others``: GET session and GetTranscript.
        typed: Answers to typing by status; ``refused``: other answers than 200 to the rest.
    """

    sends: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    typed: Counter[int] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


class Show:
    """One run on a started proxy."""

    def __init__(self, demo: RunningDemo, plan: Plan) -> None:
        self._demo, self._plan = demo, plan
        self._door = ProxyDoor(demo.port)
        self._contacts: list[str] = []
        self._tabs: list[Tab] = []
        self._lives: list[asyncio.Task[None]] = []
        self._number = 0
        self._said: list[list[str]] = [[] for _ in range(plan.chats)]

    async def run(self) -> bool:
        """Whether nothing waited behind typing, was lost, or was throttled."""
        print(f"starting {self._plan.chats} chats at the quota's pace …\n\n{HEAD}", flush=True)
        await self._start()
        is_well = await self._part("nobody", types=False)
        is_well &= await self._part("everybody", types=True)
        for life in self._lives:
            life.cancel()
        return is_well

    async def _start(self) -> None:
        places = asyncio.Semaphore(8)

        async def one(chat: int) -> None:
            async with places:
                started = await self._door.start()
            self._door.keys[chat], self._contacts[chat] = started.key, started.contact_id
            self._lives.append(asyncio.create_task(self._tabs[chat].live(0.0)))

        self._contacts = [""] * self._plan.chats
        self._tabs = [Tab(chat, self._door) for chat in range(self._plan.chats)]
        await asyncio.gather(*(one(chat) for chat in range(self._plan.chats)))
        end = time.monotonic() + CONNECTED_WITHIN_S
        while await self._links() < self._plan.chats:
            assert time.monotonic() < end, "not every chat has come up"
            await asyncio.sleep(1)
        assert all(tab.is_watching.is_set() for tab in self._tabs)

    async def _links(self) -> float:
        return await asyncio.to_thread(
            partial(metric, self._demo.url, "chatproxy_links", state="connected")
        )

    async def _part(self, who: str, *, types: bool) -> bool:
        """The messages, with or without typing; prints its row."""
        part, meter = Part(), Meter(self._demo.url)
        before = await self._state()
        said_before = self._number
        around = [asyncio.create_task(meter.run()), asyncio.create_task(self._look_on(part))]
        if types:
            around += [
                asyncio.create_task(self._type(chat, part)) for chat in range(self._plan.chats)
            ]
        await asyncio.sleep(2 * self._plan.type_every_s)  # all of them are at it
        await self._send_all(part)
        for one in around:
            one.cancel()
        ended = await asyncio.gather(*around, return_exceptions=True)
        broken = [one for one in ended if isinstance(one, Exception)]
        after, missing = await self._arrived()
        lost, twice = self._judged(after)
        sent = self._number - said_before
        upstream = {
            operation: after["requests"].get(operation, 0) - before["requests"].get(operation, 0)
            for operation in ("SendMessage", "SendEvent")
        }
        throttled = sum(after["throttled"].values())
        print(
            f"| {who} | {sent} | {_ms(part.sends, 0.5)} | {_ms(part.sends, 0.99)} "
            f"| {_ms(part.sends, 1.0)} "
            f"| {_ms(part.others, 0.5)} | {_ms(part.others, 0.99)} "
            f"| {part.typed.total():,} | {upstream['SendEvent']:,} | {throttled} "
            f"| {lost} | {twice} | {missing} |",
            flush=True,
        )
        pools = {
            name: (
                int(meter.most("chatproxy_pool_taken", pool=name)),
                int(meter.most("chatproxy_pool_paused", pool=name)),
            )
            for name in ("message", "event", "transcript", "local")
        }
        shed = meter.most("chatproxy_pool_refused_total")
        told = ", ".join(f"{name} {taken} + {paused}" for name, (taken, paused) in pools.items())
        print(
            f"  pools, running or in line + paused, at most: {told}; refused for want of room: "
            f"{shed:.0f}; typing answered {dict(part.typed)}; anything else refused: "
            f"{dict(part.refused)}; SendMessage upstream {upstream['SendMessage']}",
            *(f"  {type(one).__name__}: {one}" for one in broken),
            sep="\n",
            flush=True,
        )
        is_once = upstream["SendMessage"] == sent and not (lost or twice or missing)
        all_answered = not part.refused and set(part.typed) <= {200}
        return is_once and all_answered and not (throttled or shed or broken)

    # --- what people do -----------------------------------------------------------------------

    async def _send_all(self, part: Part) -> None:
        """Messages at moments by chance, the same in both parts; each in a chat by chance."""
        chance = random.Random(self._plan.seed)
        begun, due_s = time.perf_counter(), 0.0
        sends = list[asyncio.Task[None]]()
        while (due_s := due_s + chance.expovariate(self._plan.messages_per_s)) < self._plan.seconds:
            due = begun + due_s
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            chat = chance.randrange(self._plan.chats)
            sends.append(asyncio.create_task(self._send(chat, due, part)))
        await asyncio.gather(*sends)

    async def _send(self, chat: int, due: float, part: Part) -> None:
        self._number += 1
        self._said[chat].append(f"#{self._number}:{time.perf_counter_ns()}#")
        body = {
            "ContentType": "text/plain",
            "Content": self._said[chat][-1],
            "ClientToken": str(uuid.uuid4()),
        }
        status = await self._tried("POST", "/participant/message", body, self._connection_key(chat))
        part.sends.append(time.perf_counter() - due)
        if status != 200:
            part.refused[f"SendMessage {status}"] += 1

    async def _type(self, chat: int, part: Part) -> None:
        every_s = self._plan.type_every_s
        due = time.perf_counter() + every_s * random.Random(chat).random()
        while True:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            due += every_s
            key = self._connection_key(chat)
            part.typed[await self._tried("POST", "/participant/event", TYPING, key)] += 1

    async def _look_on(self, part: Part) -> None:
        """What has nothing to do with messages: the session, and the transcript."""
        for number in range(1_000_000):
            chat = number % self._plan.chats
            method, path, key = (
                ("GET", "/api/v1/session", self._door.keys[chat])
                if number % 2
                else ("POST", "/participant/transcript", self._connection_key(chat))
            )
            due = time.perf_counter()
            status = await self._tried(method, path, {}, key)
            part.others.append(time.perf_counter() - due)
            if status != 200:
                part.refused[f"{path} {status}"] += 1
            await asyncio.sleep(LOOK_EVERY_S)

    def _connection_key(self, chat: int) -> str:
        return self._door.connection_keys[chat]

    async def _tried(self, method: str, path: str, body: Any, key: str) -> int:
        """One try's status; 0 if the connection ended first."""
        try:
            status, _ = await self._door.ask(method, path, body, key)
        except OSError:
            return 0
        return status

    # --- what came of it ----------------------------------------------------------------------

    async def _arrived(self) -> tuple[Any, int]:
        """The sandbox's state, and how many messages no tab has shown, after some patience."""

        def missing() -> int:
            return sum(
                len(said) - len(set(tab.view.numbers))
                for said, tab in zip(self._said, self._tabs, strict=True)
            )

        await _until(lambda: not missing(), ARRIVED_WITHIN_S)
        return await self._state(), missing()

    def _judged(self, state: Any) -> tuple[int, int]:
        """How many messages the service does not have, and how many it has twice."""
        lost = twice = 0
        transcripts = {
            contact["contact_id"]: Counter(
                item["Content"] for item in contact["transcript"] if item["Type"] == "MESSAGE"
            )
            for contact in state["contacts"]
        }
        for contact_id, said in zip(self._contacts, self._said, strict=True):
            found = transcripts[contact_id]
            lost += sum(not found[text] for text in said)
            twice += found.total() - len(found)
        return lost, twice

    async def _state(self) -> Any:
        return await asyncio.to_thread(self._demo.sandbox.state)


HEAD = (
    "| who types | messages | p50 | p99 | longest | other routes p50 "
    "| p99 | typed | of it sent | throttled | lost | twice | not shown |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


def _ms(took: list[float], share: float) -> str:
    took = sorted(took)
    return f"{1000 * took[max(0, math.ceil(share * len(took)) - 1)]:.0f} ms"


async def _until(condition: Callable[[], bool], within_s: float) -> None:
    end = time.monotonic() + within_s
    while not condition() and time.monotonic() < end:  # noqa: ASYNC110 - many tabs
        await asyncio.sleep(0.1)


async def run(plan: Plan, folder: Path) -> bool:
    """Print what came of it; whether all is as it should be."""
    with started_sandbox(folder / "sandbox") as sandbox:
        # The room for one more than a show needs, so that no start is refused.
        sandbox.change(bot=False, quotas="exact", concurrent_chats=plan.chats + 1)
        with started_demo(folder / "proxy", sandbox) as demo:
            demo.manage("shell", "-c", UNLIMITED)
            return await Show(demo, plan).run()
