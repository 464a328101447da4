"""What happens, in which order: a list of steps that follows from a seed, and can be printed."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

SESSIONS = 3
MOST_PAGES = 3


@dataclass(frozen=True, slots=True)
class Step:
    """``what`` names a method of `World`; ``given`` are its arguments."""

    what: str
    given: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return (
            f"{self.what}({', '.join(f'{name}={value!r}' for name, value in self.given.items())})"
        )


def step(what: str, **given: Any) -> Step:
    return Step(what, given)


Make = Callable[[random.Random], Step]


def _whose(chance: random.Random) -> int:
    return chance.randrange(SESSIONS)


def _which(chance: random.Random) -> int:
    return chance.randrange(2)


def _seconds(chance: random.Random, least: float = 0.2, most: float = 2.0) -> float:
    return round(chance.uniform(least, most), 2)


#: What people do: it goes on all the time, whatever happens.
PEOPLE: list[Make] = [
    lambda c: step("say", session=_whose(c), count=c.randint(1, 5)),
    lambda c: step("send", session=_whose(c), count=c.randint(1, 4)),
    lambda c: step("say", session=_whose(c), count=1),
    lambda c: step("send", session=_whose(c), count=1),
    lambda c: step("read", session=_whose(c)),
    lambda c: step("open_page", session=_whose(c)),
    lambda c: step("close_page", session=_whose(c)),
    lambda c: step("doze", session=_whose(c), seconds=_seconds(c, 0.5, 4.0)),
    lambda c: step("say_unseen", count=c.randint(1, 3)),
    lambda c: step("wait", seconds=_seconds(c, 0.05, 0.6)),
]

SIDES = ("browser", "upstream")

#: What goes wrong, by the name it is counted under.
FAULTS: dict[str, Make] = {
    "cut": lambda c: step("cut", side=c.choice(SIDES)),
    "silence": lambda c: step("weather", side=c.choice(SIDES), seconds=_seconds(c), is_silent=True),
    "stall": lambda c: step("weather", side=c.choice(SIDES), seconds=_seconds(c), holds=True),
    "refusal": lambda c: step("weather", side=c.choice(SIDES), seconds=_seconds(c), refuses=True),
    "latency": lambda c: step(
        "weather", side=c.choice(SIDES), seconds=_seconds(c), latency_s=_seconds(c, 0.01, 0.2)
    ),
    "slices": lambda c: step(
        "weather", side=c.choice(SIDES), seconds=_seconds(c), slice_bytes=c.choice((7, 61, 300))
    ),
    "short life": lambda c: step(
        "weather",
        side=c.choice(SIDES),
        seconds=_seconds(c),
        reset_after_bytes=c.choice((300, 2_000, 9_000)),
    ),
    "upstream socket dropped": lambda c: step(
        "act", session=_whose(c), action="drop-sockets", abort=c.random() < 0.5
    ),
    "upstream socket half-open": lambda c: step("act", session=_whose(c), action="half-open"),
    "token expired": lambda c: step("expire", session=_whose(c), kind="connection"),
    "websocket expired": lambda c: step("expire", session=_whose(c), kind="websocket"),
    "handshakes refused": lambda c: step("fault", kind="refuse_handshake", count=c.randint(1, 3)),
    "subscription refused": lambda c: step("fault", kind="refuse_subscribe", count=1),
    "subscription ignored": lambda c: step("fault", kind="ignore_subscribe", count=1),
    "throttled": lambda c: step("fault", kind="throttle", count=c.randint(1, 4)),
    "failing": lambda c: step("fault", kind="status", status=503, count=c.randint(1, 4)),
    "nonsense": lambda c: step("fault", kind="nonsense", count=c.randint(1, 2)),
    "hanging": lambda c: step("fault", kind="hang", operation="SendMessage", count=1),
    "slow": lambda c: step("fault", kind="delay", delay_s=_seconds(c), count=c.randint(1, 3)),
    "answer lost": lambda c: step(
        "fault", kind="lose_answer", operation="SendMessage", count=c.randint(1, 3)
    ),
    "any answer lost": lambda c: step("fault", kind="lose_answer", count=c.randint(1, 3)),
    "transcript failing": lambda c: step(
        "fault", kind="status", status=500, operation="GetTranscript", count=c.randint(1, 3)
    ),
    "frames twice": lambda c: step(
        "frames", session=_whose(c), kind="duplicate", count=c.randint(1, 8)
    ),
    "frames out of order": lambda c: step(
        "frames", session=_whose(c), kind="reorder", count=c.randint(1, 4) * 2
    ),
    "frames late": lambda c: step(
        "frames", session=_whose(c), kind="late", delay_s=_seconds(c), count=c.randint(1, 6)
    ),
    "frames withheld": lambda c: step("withhold", session=_whose(c), seconds=_seconds(c)),
    "process killed": lambda c: step("kill", process=_which(c), seconds=_seconds(c, 0.0, 1.0)),
    "process stopped": lambda c: step("stop", process=_which(c), seconds=_seconds(c, 0.0, 1.0)),
    "process paused": lambda c: step("pause", process=_which(c), seconds=_seconds(c)),
}


def _behind(side: str, what: str) -> dict[str, Make]:
    """What can happen between the processes and a server of theirs."""
    return {
        f"{what} cut off": lambda c: step("cut", side=side),
        f"{what} silent": lambda c: step("weather", side=side, seconds=_seconds(c), is_silent=True),
        f"{what} paused": lambda c: step("weather", side=side, seconds=_seconds(c), holds=True),
        f"{what} slow": lambda c: step(
            "weather", side=side, seconds=_seconds(c), latency_s=_seconds(c, 0.01, 0.1)
        ),
        f"{what} refuses": lambda c: step("weather", side=side, seconds=_seconds(c), refuses=True),
        f"{what} crashed": lambda c: step("crash", server=what, seconds=_seconds(c, 0.1, 1.0)),
        f"{what} gone for long": lambda c: step(
            "weather", side=side, seconds=30.0, refuses=c.random() < 0.5, is_silent=True
        ),
    }


#: What else goes wrong where there is more than one process.
SITE_FAULTS: dict[str, Make] = {**_behind("database", "postgres"), **_behind("redis", "redis")}

#: Each takes half a minute: for long runs.
LONG = frozenset(name for name in SITE_FAULTS if name.endswith("for long"))
#: So rare, because each takes seconds.
SLOW = LONG | {"process killed", "process stopped", "upstream socket half-open"}

Kinds = Mapping[str, Make]


def kinds_for(*, is_whole_site: bool) -> Kinds:
    """What can go wrong on a ground."""
    return {**FAULTS, **SITE_FAULTS} if is_whole_site else FAULTS


def schedule(seed: int, faults: int = 10, kinds: Kinds = FAULTS) -> list[Step]:
    """People going on with their chats, and so many faults among what they do."""
    chance = random.Random(seed)
    steps = [step("open_page", session=session) for session in range(SESSIONS)]
    names = list(kinds)
    weights = [1 if name in SLOW else 3 for name in names]
    ends_after = chance.randrange(2 * faults)  # or not before all is healed
    for number, name in enumerate(chance.choices(names, weights, k=faults)):
        steps += [chance.choice(PEOPLE)(chance) for _ in range(chance.randint(1, 5))]
        steps.append(kinds[name](chance))
        steps += [chance.choice(PEOPLE[:4])(chance) for _ in range(chance.randint(0, 3))]
        if number == ends_after:
            steps.append(step("end_unseen"))
    return steps


def covering(part: int, parts: int, kinds: Kinds = FAULTS) -> list[Step]:
    """Every fault but the longest once: one of so many schedules that do it together."""
    chance = random.Random(part)
    steps = [step("open_page", session=session) for session in range(SESSIONS)]
    for name in [name for name in kinds if name not in LONG][part::parts]:
        steps += [
            step("say", session=_whose(chance), count=2),
            step("send", session=_whose(chance), count=2),
            step("say_unseen", count=1),
            kinds[name](chance),
            step("send", session=_whose(chance), count=1),
            step("say", session=_whose(chance), count=2),
            chance.choice(PEOPLE)(chance),
        ]
    return steps
