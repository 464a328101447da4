"""Whether anything was lost, came twice or out of order. The service's own transcript is the truth.

Never our store: that is one more witness, and has to agree.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.faults.ground import Ground
from tests.faults.page import Page, Session
from tests.faults.schedule import SESSIONS, Step
from tests.faults.world import World

QUIET_WITHIN_S = 90.0
#: A link that is half-open notices within sixteen seconds, and reads what it missed.
STORED_WITHIN_S = 40.0


@dataclass
class Verdict:
    """What was wrong with one schedule: nothing, if all counts are zero."""

    counts: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    twice: int = 0
    disordered: int = 0
    complaints: list[str] = field(default_factory=list)
    stories: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.complaints


def judged(ground: Ground, steps: list[Step]) -> Verdict:
    """Play a schedule, heal everything, wait until it is quiet, and look."""
    world = World(ground)
    try:
        world.play(steps)
        ground.heal()
        world.end_unseen()
        for session in range(SESSIONS):
            world.open_page(session)
            world.say(session, 1)
        _wait_until_quiet(world)
        return _verdict(world)
    finally:
        ground.heal()
        world.leave()


def _wait_until_quiet(world: World) -> None:
    """Until every page shows what the service has; after a time of patience, as it is."""
    end = time.monotonic() + QUIET_WITHIN_S
    while time.monotonic() < end:
        if all(outbox.is_empty for outbox in world.outboxes) and not any(_differences(world)):
            return
        time.sleep(0.1)


def _differences(world: World) -> Iterator[str]:
    for session in range(SESSIONS):
        truth = _said(world, world.sessions[session])
        for number, page in enumerate(world.pages[session]):
            yield from _difference(f"session {session}, page {number}", truth, page)


def _said(world: World, chat: Session, until: str = "9") -> list[str]:
    """Ids of all messages. Of one moment they may stand either way round; those who show them sort
    by that."""
    said = [item for item in world.transcript(chat) if item["Type"] == "MESSAGE"]
    known = [item for item in said if str(item["AbsoluteTime"]) <= until]
    return [str(item["Id"]) for item in sorted(known, key=lambda item: item["AbsoluteTime"])]


def _difference(where: str, truth: list[str], page: Page) -> Iterator[str]:
    shown = page.shown()
    if missing := [one for one in truth if one not in set(shown)]:
        yield f"{where}: lost {len(missing)} of {len(truth)}, {missing[0]} first"
    elif more := [page.items[one] for one in shown if one not in set(truth)]:
        yield f"{where}: more than there is: {more[0]}"


def _verdict(world: World) -> Verdict:
    verdict = Verdict(world.counts)
    for session in range(SESSIONS):
        chat = world.sessions[session]
        truth = _said(world, chat)
        for number, page in enumerate(world.pages[session]):
            if any(_difference("", truth, page)):
                verdict.stories.append("\n".join(page.story))
            verdict.counts["reconnects"] += page.reconnects
            verdict.counts["rereads"] += page.rereads
            verdict.lost += len(set(truth) - set(page.shown()))
            for complaint in _difference(f"session {session}, page {number}", truth, page):
                verdict.disordered += "order" in complaint
                verdict.complaints.append(complaint)
        _judge_sends(world, session, verdict)
        _judge_store(chat, f"session {session}", truth, verdict)
        _judge_links(world, session, verdict)
    _judge_unseen(world, verdict)
    return verdict


def _judge_sends(world: World, session: int, verdict: Verdict) -> None:
    texts = Counter(
        str(item.get("Content"))
        for item in world.transcript(world.sessions[session])
        if item["Type"] == "MESSAGE"
    )
    for entry in world.outboxes[session].entries:
        times = texts[entry.text]
        if entry.state != "sent":
            verdict.complaints.append(f"session {session}: {entry.text!r} is {entry.state}")
        if times == 0:
            verdict.lost += 1
            verdict.complaints.append(f"session {session}: {entry.text!r} never arrived")
        elif times > 1:
            verdict.twice += times - 1
            verdict.complaints.append(f"session {session}: {entry.text!r} arrived {times} times")
    written = [entry.text for entry in world.outboxes[session].entries]
    arrived = [text for text in texts if text.startswith("mine ")]
    if arrived != written:
        verdict.disordered += 1
        verdict.complaints.append(f"session {session}: sent {written}, arrived {arrived}")


def _judge_links(world: World, session: int, verdict: Verdict) -> None:
    """One at least, and no more than processes may have, once those of the dead have run out."""
    end = time.monotonic() + STORED_WITHIN_S
    allowed = range(1, world.ground.most_links + 1)
    while (links := world.sockets(world.sessions[session])) not in allowed:
        if time.monotonic() > end:
            verdict.complaints.append(f"session {session}: {links} links")
            return
        time.sleep(0.2)


def _judge_unseen(world: World, verdict: Verdict) -> None:
    """Of a chat that ended with nobody there, all is there, or it is said since when not.

    As long as nothing is late: of what the service says after the end, nobody can know.
    """
    chat, end = world.unseen, time.monotonic() + QUIET_WITHIN_S
    while (told := _told(chat)).get("state") != "ended" and time.monotonic() < end:
        time.sleep(0.2)
    if told.get("state") != "ended":
        verdict.complaints.append(f"unseen: it is over, but told to be {told}")
        return
    until = str(told.get("incompleteSince") or "9")
    verdict.counts["unseen, incomplete"] += until != "9"
    _judge_store(chat, "unseen", _said(world, chat, until), verdict)


def _judge_store(chat: Session, name: str, truth: list[str], verdict: Verdict) -> None:
    """The download has it all, once what waits is written and the link knows of everything."""
    end = time.monotonic() + STORED_WITHIN_S
    while set(truth) - set(stored := _stored(chat)) and time.monotonic() < end:
        time.sleep(0.2)
    if missing := set(truth) - set(stored):
        verdict.lost += len(missing)
        verdict.complaints.append(f"{name}: the download lacks {len(missing)}")
    if len(set(stored)) < len(stored):
        verdict.complaints.append(f"{name}: the download has something twice")


def _told(chat: Session) -> dict[str, Any]:
    answer = requests.get(
        f"{chat.url}/api/v1/session", headers={"X-Amz-Bearer": chat.key}, timeout=30
    )
    return dict(answer.json()) if answer.status_code == 200 else {}


def _stored(chat: Session) -> list[str]:
    answer = requests.get(
        f"{chat.url}/api/v1/session/transcript?format=json",
        headers={"X-Amz-Bearer": chat.key},
        timeout=30,
    )
    if answer.status_code != 200:
        return []
    return [str(item["Id"]) for item in answer.json()["items"] if item["Type"] == "MESSAGE"]
