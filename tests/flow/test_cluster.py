"""Several processes behind the nginx that is shipped: a chat notices nothing of how many."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from chatproxy.child import Child
from chatproxy.upstream.vocabulary import MessageType
from tests.cluster import RunningCluster, started_cluster
from tests.flow.client import ENDED, Tab, Visitor, eventually
from tests.flow.problem import MEMBERS

PROCESSES = 3
MOST_LINKS = 3


@pytest.fixture(scope="module")
def running_cluster() -> Iterator[RunningCluster]:
    with started_cluster(processes=PROCESSES) as running:
        yield running


@pytest.fixture
def cluster(running_cluster: RunningCluster) -> RunningCluster:
    """The module's cluster, all of it up, its sandbox fresh and quiet."""
    for proxy in running_cluster.proxies:
        if not proxy.is_ready():
            running_cluster.restart(proxy)
    running_cluster.sandbox.reset()
    running_cluster.sandbox.change(bot=False, quotas="off")
    return running_cluster


@pytest.fixture(scope="module")
def scattered() -> Iterator[RunningCluster]:
    """A cluster whose balancer sends every request anywhere."""
    with started_cluster(processes=PROCESSES, routing="random") as running:
        running.sandbox.change(bot=False, quotas="off")
        yield running


def tabs_at(proxy: Child) -> int:
    return int(requests.get(f"{proxy.url}/readyz", timeout=10).json()["tabs"])


def held(cluster: RunningCluster, visitors: list[Visitor]) -> list[tuple[str, int]]:
    """Who holds a link for these, and how many tabs it feeds: one line a link."""
    with psycopg.connect(cluster.cluster.environ["DATABASE_URL"]) as database:
        return database.execute(
            "SELECT holder, tabs FROM chat_sessions_linklease"
            " WHERE session_id = ANY(%s) AND expires_at > now()",
            [[uuid.UUID(visitor.session) for visitor in visitors]],
        ).fetchall()


def sockets(cluster: RunningCluster, visitor: Visitor) -> int:
    return int(cluster.sandbox.control("GET", f"contacts/{visitor.contact_id}")["sockets"])


def said_upstream(cluster: RunningCluster, visitor: Visitor) -> list[str]:
    items = cluster.sandbox.control("GET", f"contacts/{visitor.contact_id}")["transcript"]
    return [item["Content"] for item in items if item.get("ContentType") == MessageType.PLAIN]


def test_requests_tabs_and_link_of_a_session_meet_in_one_process(cluster: RunningCluster) -> None:
    visitors = [Visitor(cluster.url) for _ in range(12)]
    tabs = [visitor.open_tab() for visitor in visitors for _ in range(2)]
    for visitor in visitors:
        visitor.send("hello")
        assert "hello" in [item.get("Content") for item in visitor.transcript()]
    eventually(lambda: {tabs for _, tabs in held(cluster, visitors)} == {2})
    assert len(held(cluster, visitors)) == len(visitors)
    assert len({holder for holder, _ in held(cluster, visitors)}) > 1
    assert {sockets(cluster, visitor) for visitor in visitors} == {1}
    for tab in tabs:
        tab.wait_text("hello")
        tab.close()


def test_a_whole_chat_goes_through_nginx(cluster: RunningCluster) -> None:
    visitor = Visitor(cluster.url)
    with_a_long_word = visitor.open_tab()
    text = "long " * 3_000
    visitor.send(text)
    cluster.sandbox.say(visitor.contact_id, "and back")
    with_a_long_word.wait_text("and back")
    assert with_a_long_word.texts() == [text, "and back"]
    assert visitor.call("disconnect", {}).status_code == 200
    with_a_long_word.wait_item(ENDED)
    eventually(lambda: visitor.state() == "ended")
    assert "and back" in visitor.get("session/transcript?format=txt").text


def test_more_lines_at_once_than_a_channel_layer_holds_all_arrive(cluster: RunningCluster) -> None:
    """A layer drops what is above its capacity and tells nobody; frames go through none."""
    visitor = Visitor(cluster.url)
    tabs = [visitor.open_tab() for _ in range(2)]
    lines = [f"line {number}" for number in range(1_050)]
    for line in lines:
        cluster.sandbox.say(visitor.contact_id, line)
    for tab in tabs:
        tab.wait(lambda frame: '"line 1049"' in str(frame.get("content")))
        assert tab.texts() == lines
        tab.close()


def test_a_process_that_dies_hands_its_chats_to_another(cluster: RunningCluster) -> None:
    visitors = [Visitor(cluster.url) for _ in range(6)]
    tabs = {visitor: visitor.open_tab() for visitor in visitors}
    for visitor in visitors:
        cluster.sandbox.say(visitor.contact_id, "before")
        tabs[visitor].wait_text("before")
    dies = max(cluster.proxies, key=tabs_at)
    assert tabs_at(dies) > 0
    dies.kill()
    for visitor in visitors:
        cluster.sandbox.say(visitor.contact_id, "meanwhile")
    back = {visitor: _come_back(visitor, tab) for visitor, tab in tabs.items()}
    for visitor, tab in back.items():
        visitor.send("after")
        tab.wait_text("after")
        assert _texts(tabs[visitor], tab) == said_upstream(cluster, visitor)
        assert said_upstream(cluster, visitor) == ["before", "meanwhile", "after"]
        tab.close()


def _come_back(visitor: Visitor, tab: Tab) -> Tab:
    """The same tab if it is open still, or a new one after the place where it was cut off."""
    tab.read_for(0.5)
    return tab if tab.close_code is None else visitor.open_tab(after=tab.position)


def _texts(*tabs: Tab) -> list[str]:
    """What the tabs saw between them: by Id, in the order of the service's times."""
    items = {item["Id"]: item for tab in tabs for item in tab.items()}
    items = {key: item for key, item in items.items() if item["Type"] == "MESSAGE"}
    return [i["Content"] for i in sorted(items.values(), key=lambda one: one["AbsoluteTime"])]


def test_with_random_routing_it_is_still_right(scattered: RunningCluster) -> None:
    visitors = [Visitor(scattered.url) for _ in range(4)]
    tabs = {visitor: [visitor.open_tab() for _ in range(3)] for visitor in visitors}
    for visitor in visitors:
        for number in range(4):
            token = str(uuid.uuid4())
            visitor.send(f"mine {number}", token)
            visitor.send(f"mine {number}", token)  # a repeat, through another process
            scattered.sandbox.say(visitor.contact_id, f"theirs {number}")
    expected = [f"{who} {number}" for number in range(4) for who in ("mine", "theirs")]
    for visitor, its_tabs in tabs.items():
        assert said_upstream(scattered, visitor) == expected
        for tab in its_tabs:
            tab.wait_text("theirs 3")
            assert tab.texts() == expected
        assert 1 <= sockets(scattered, visitor) <= MOST_LINKS
        assert [i["Content"] for i in visitor.transcript() if i["Type"] == "MESSAGE"] == expected


# --- what nginx itself answers --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "body", "status", "advice"),
    [
        ({"X-Junk": "x" * 30_000}, b"{}", 400, "Send less"),
        ({}, b"x" * 3_000_000, 413, "StartAttachmentUpload"),
    ],
)
def test_what_is_too_large_is_answered_in_words(
    cluster: RunningCluster, headers: dict[str, str], body: bytes, status: int, advice: str
) -> None:
    answer = requests.post(
        f"{cluster.url}/participant/message", data=body, headers=headers, timeout=30
    )
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["x-amzn-ErrorType"] == "ValidationException"
    told = answer.json()
    assert set(told) <= MEMBERS
    assert advice in told["detail"]
    assert told["message"] == told["detail"]


def test_nginx_puts_nothing_of_a_chat_on_a_disk(cluster: RunningCluster) -> None:
    """It would put what does not fit its memory into files, and say so in its log."""
    visitor = Visitor(cluster.url)
    visitor.connect()
    long = "é" * 8000  # 48 kB as JSON writes it
    for _ in range(3):
        visitor.send(long)
    assert said_upstream(cluster, visitor) == [long] * 3
    assert "temporary file" not in cluster.cluster.nginx.written()


def test_metrics_are_for_the_processes_neighbours_only(cluster: RunningCluster) -> None:
    assert requests.get(f"{cluster.url}/metrics", timeout=10).status_code == 404


def test_visitors_cannot_choose_the_address_they_are_counted_by(cluster: RunningCluster) -> None:
    """Set, not appended to."""
    shipped = Path(__file__).parents[2] / "deploy" / "nginx" / "locations.conf"
    assert re.search(r"proxy_set_header\s+X-Forwarded-For \$remote_addr;", shipped.read_text())


def test_no_ticket_and_no_key_is_in_any_log(cluster: RunningCluster) -> None:
    visitor = Visitor(cluster.url)
    url = visitor.connect()
    ticket = url.partition("ticket=")[2]
    Tab(url).close()
    requests.get(url.replace("ws:", "http:"), timeout=10)
    requests.get(f"{cluster.url}/participant/views/secret-view-token", timeout=10)
    folder = cluster.cluster.folder
    logs = [path for path in folder.rglob("*.log") if path.parent.name in {"log", "nginx"}]
    written = "".join(path.read_text() for path in logs)
    assert "/ws/chat/" in written
    for secret in (ticket, visitor.key, visitor.connection_key, "secret-view-token"):
        assert secret not in written
