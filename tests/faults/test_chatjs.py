"""Amazon's own library, unmodified, lives through every fault, and does not storm.

It misses what is said while it has no socket, and tells its users to read the transcript then; that
is what its user does here. It asks anew at once, and for ever, whatever it is told; and it gives up
for good after three quick failures of CreateParticipantConnection. So it needs somebody to answer
that: it outlives a process where there are two, and no network of its own that is gone for seconds.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from chatproxy.child import Child
from tests.chatjs import VERSIONS, ChatJs, chatjs, needs_chatjs
from tests.faults.ground import Ground, started_ground
from tests.faults.schedule import Step, covering
from tests.faults.world import World

pytestmark = needs_chatjs

PARTS = 3
ALIVE_WITHIN_S = 30.0
#: That it may try to open while things fail. It has no pause of its own between two.
MOST_SOCKETS = 10


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with started_ground(tmp_path_factory.mktemp("faults"), "hash") as running:
        yield running


@pytest.fixture
def world(ground: Ground) -> Iterator[World]:
    world = World(ground)
    yield world
    ground.heal()
    world.leave()


@pytest.fixture(params=VERSIONS)
def session(request: pytest.FixtureRequest, world: World) -> Iterator[ChatJs]:
    """ChatJS in the first of the world's chats, connected."""
    chat = world.sessions[0]
    with chatjs(
        request.param,
        world.ground.url,
        contact_id=chat.contact_id,
        participant_id=chat.participant_id,
        participant_token=chat.key,
        page_url=f"http://localhost:{world.ground.wires['browser'].target}",
    ) as session:
        session.connect()
        yield session


@pytest.mark.parametrize("part", range(PARTS))
def test_it_is_alive_after_everything_that_can_go_wrong(
    world: World, session: ChatJs, part: int
) -> None:
    answered = list[str]()
    before = session.sockets
    for number, step in enumerate(covering(part, PARTS)):
        if step.what == "send" and _sent(session, f"mine {number}"):
            answered.append(f"mine {number}")
        elif step.what not in ("send", "open_page", "close_page", "doze"):
            world.play([_for_this_chat(step)])
    tries = session.sockets - before
    world.ground.heal()
    _wait_until_it_hears(world, session)
    assert _sent(session, "and still here")
    said = Counter(item.get("Content") for item in world.transcript(world.sessions[0]))
    assert {text: said[text] for text in answered} == dict.fromkeys(answered, 1)
    assert tries <= MOST_SOCKETS


@pytest.mark.parametrize("end", ["kill -9", "SIGTERM"])
def test_it_outlives_its_process(world: World, session: ChatJs, end: str) -> None:
    (its,) = [one for one in world.ground.processes if _tabs(one)]
    before = session.sockets
    if end == "kill -9":
        its.kill()
    else:
        its.ask_to_end()
    _wait_until_it_hears(world, session)
    assert _sent(session, "and still here")
    assert session.sockets - before <= MOST_SOCKETS


def _tabs(process: Child) -> int:
    return int(requests.get(f"{process.url}/readyz", timeout=10).json()["tabs"])


def _for_this_chat(step: Step) -> Step:
    given = {**step.given, "session": 0} if "session" in step.given else {**step.given}
    if "refuses" in given or "reset_after_bytes" in given:
        given["side"] = "upstream"
    return replace(step, given=given)


def _sent(session: ChatJs, text: str) -> bool:
    """Whether it was answered; its user sees if not."""
    try:
        session.do("sendMessage", contentType="text/plain", message=text)
    except AssertionError:
        return False
    return True


def _wait_until_it_hears(world: World, session: ChatJs) -> None:
    """What is said while it has no socket passes it by: so somebody speaks until it hears."""
    end, number = time.monotonic() + ALIVE_WITHIN_S, 0
    while True:
        number += 1
        world.act(0, "say", content=f"anybody there? {number}")
        try:
            session.hear("onMessage", 1.0, Content=f"anybody there? {number}")
        except AssertionError:
            assert time.monotonic() < end, "it hears nothing any more"
        else:
            return
