"""A widget's caps hold to the chat, whoever starts at once: threads, processes, either database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from threading import Barrier

import pytest
import requests

from tests.flow.problem import assert_problem
from tests.processes import RunningDemo, RunningSandbox, started_demo

CROWD = 24
PLACES = 5


Proxies = Sequence[RunningDemo]
ONE_PLACE = {"live_chats": 1, "starts_per_day": 1}


@pytest.fixture(scope="module", params=["one process on SQLite", "two processes on PostgreSQL"])
def proxies(request: pytest.FixtureRequest, running_sandbox: RunningSandbox) -> Iterator[Proxies]:
    if "SQLite" in request.param:
        yield [request.getfixturevalue("running_demo")]
        return
    folder: Path = request.getfixturevalue("tmp_path_factory").mktemp("caps")
    shared = {
        "DATABASE_URL": request.getfixturevalue("postgres")(),
        "CHAT_SECRET_KEY": "the same in both, or they would not know each other's keys",
        "CHAT_VAULT_KEYS": "dGVzdHMgb25seSB0ZXN0cyBvbmx5IHRlc3RzIG9ubHk=",
    }
    with (
        started_demo(folder / "one", running_sandbox, **shared) as one,
        started_demo(folder / "two", running_sandbox, **shared) as two,
    ):
        yield [one, two]


@pytest.fixture(scope="module")
def widgets(proxies: Proxies) -> dict[str, str]:
    """Keys of new widgets: one with few live chats, one with few a day, one with a single place."""
    limits = {"live": {"live_chats": PLACES}, "day": {"starts_per_day": PLACES}, "one": ONE_PLACE}
    keys = {name: f"caps-{name}" for name in limits}
    rows = [
        {"key": keys[name], "name": name, "accepts_no_origin": True, **fields}
        for name, fields in limits.items()
    ]
    make = f"[Widget.objects.create(**row) for row in {rows!r}]"
    proxies[0].manage("shell", "-c", f"from chatproxy.widgets.models import Widget; {make}")
    return keys


@pytest.fixture(autouse=True)
def quiet(sandbox: RunningSandbox) -> None:
    sandbox.change(bot=False, quotas="off")


def start(demo: RunningDemo, widget: str, client_token: str | None = None) -> requests.Response:
    body = {"widget": widget, "clientToken": client_token or str(uuid.uuid4())}
    return requests.post(f"{demo.url}/api/v1/sessions", json=body, timeout=60)


def crowd(
    proxies: Proxies, widget: str, client_token: str | None = None, size: int = CROWD
) -> list[requests.Response]:
    """What everybody is answered who starts a chat at the same moment, at one door or the other."""
    barrier = Barrier(size)

    def one(demo: RunningDemo) -> requests.Response:
        barrier.wait()
        return start(demo, widget, client_token)

    doors = islice(cycle(proxies), size)
    with ThreadPoolExecutor(size) as people:
        return list(people.map(one, doors))


@pytest.mark.parametrize(("cap", "says"), [("live", "lines are busy"), ("day", "tomorrow")])
def test_a_crowd_gets_as_many_chats_as_there_are_places(
    proxies: Proxies, widgets: dict[str, str], sandbox: RunningSandbox, cap: str, says: str
) -> None:
    answers = crowd(proxies, widgets[cap])
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len(answers) - len(refused) == PLACES
    for answer in refused:
        assert_problem(answer, 429, "rate-limited", "ThrottlingException", says=says, waits=True)
    assert len(sandbox.state()["contacts"]) == PLACES


def test_a_place_is_free_again_when_the_start_failed(
    proxies: Proxies, widgets: dict[str, str], sandbox: RunningSandbox
) -> None:
    first, last, key = proxies[0], proxies[-1], widgets["one"]
    sandbox.add_fault(operation="StartChatContact", kind="error", error="AccessDeniedException")
    token = str(uuid.uuid4())
    assert start(first, key, token).status_code == 502
    sandbox.clear_faults()
    assert start(last, key).status_code == 201
    busy = start(first, key, token)  # somebody else has the place now
    assert_problem(busy, 429, "rate-limited", "ThrottlingException", waits=True)


def test_repeats_of_a_start_at_the_same_moment_leave_one_key(proxies: Proxies) -> None:
    answers = crowd(proxies, "demo", str(uuid.uuid4()), size=5)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["session"] for answer in answers}) == 1
    found = [
        requests.get(
            f"{proxies[0].url}/api/v1/session",
            headers={"X-Amz-Bearer": answer.json()["key"]},
            timeout=30,
        ).status_code
        for answer in answers
    ]
    assert sorted(found) == [200, 401, 401, 401, 401]
