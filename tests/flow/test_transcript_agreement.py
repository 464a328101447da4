"""GetTranscript through us is what upstream answers, item by item, on any page, whoever answers."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest
import requests

from tests.contract.ground import participant_client
from tests.flow.client import Visitor, eventually
from tests.processes import RunningDemo, RunningSandbox

Wire = dict[str, Any]


class Upstream:
    """GetTranscript asked at the sandbox itself, as the chat's agent."""

    def __init__(self, sandbox: RunningSandbox, contact_id: str) -> None:
        joined = sandbox.control("POST", f"contacts/{contact_id}/join", {"display_name": "Ann"})
        self.url = sandbox.url
        made = self._post(
            "connection", {"Type": ["CONNECTION_CREDENTIALS"]}, joined["participant_token"]
        )
        self.token = made["ConnectionCredentials"]["ConnectionToken"]

    def transcript(self, query: Wire) -> Wire:
        return self._post("transcript", query, self.token)

    def _post(self, path: str, body: Wire, token: str) -> Wire:
        answer = requests.post(
            f"{self.url}/participant/{path}",
            json=body,
            headers={"X-Amz-Bearer": token},
            timeout=10,
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def talk(demo: RunningDemo, visitor: Visitor, chance: random.Random) -> None:
    """A conversation with something of every kind in it."""

    def act(action: str, **body: object) -> Any:
        return demo.sandbox.control("POST", f"contacts/{visitor.contact_id}/{action}", body)

    said: list[str] = []
    for number in range(40):
        match chance.randrange(8):
            case 0 | 1:
                said.append(visitor.send(f"visitor {number}")["Id"])
            case 2 | 3:
                act("say", content=f"agent {number}", display_name="Ann")
            case 4:
                act("stream", chunks=[f"bot {number} ", "goes on"], text=f"bot {number} goes on")
            case 5:
                act("typing", display_name="Ann")
            case 6 if said:
                is_read = chance.random() < 0.5
                message_id = chance.choice(said)
                act("receipt", message_id=message_id, is_read=is_read, display_name="Ann")
            case _:
                act("attach", name=f"{number}.txt", content_type="text/plain", text="hello")


def some_query(chance: random.Random, items: list[Wire]) -> Wire:
    query: Wire = {}
    if chance.random() < 0.8:
        query["MaxResults"] = chance.choice([0, 1, 2, 3, 7, 15, 99, 100])
    if chance.random() < 0.6:
        query["ScanDirection"] = chance.choice(["FORWARD", "BACKWARD"])
    if chance.random() < 0.6:
        query["SortOrder"] = chance.choice(["ASCENDING", "DESCENDING"])
    item = chance.choice(items)
    start = chance.choice(
        [
            None,
            {},
            {"Id": item["Id"]},
            {"AbsoluteTime": item["AbsoluteTime"]},
            {"MostRecent": chance.choice([0, 1, 5, 100])},
        ]
    )
    if start is not None:
        query["StartPosition"] = start
    return query


def pages(ask: Any, query: Wire) -> list[list[Wire]]:
    """All pages of a query, to the end."""
    found = []
    while True:
        answer = ask(query)
        found.append(answer["Transcript"])
        if "NextToken" not in answer or len(found) > 60:
            return found
        query = {**query, "NextToken": answer["NextToken"]}


@pytest.mark.parametrize("seed", [1, 2])
def test_local_and_upstream_pages_are_the_same(demo: RunningDemo, seed: int) -> None:
    demo.sandbox.change(bot=False, quotas="off")
    chance = random.Random(seed)
    visitor = Visitor(demo.url)
    tab = visitor.open_tab()
    upstream = Upstream(demo.sandbox, visitor.contact_id)
    talk(demo, visitor, chance)

    everything = upstream.transcript({"MaxResults": 100})["Transcript"]
    eventually(lambda: visitor.transcript()[-1] == everything[0], what="the relay is behind")
    before = demo.sandbox.state()["requests"].get("GetTranscript", 0)

    def local(query: Wire) -> Wire:
        answer = visitor.call("transcript", query)
        assert answer.status_code == 200, (query, answer.text)
        return dict(answer.json())

    queries = [some_query(chance, everything) for _ in range(60)]
    local_pages = [pages(local, query) for query in queries]
    asked = demo.sandbox.state()["requests"].get("GetTranscript", 0) - before
    assert asked == 0, "these were to be answered from memory"
    for query, ours in zip(queries, local_pages, strict=True):
        theirs = pages(upstream.transcript, query)
        assert [len(page) for page in ours] == [len(page) for page in theirs], query
        for mine, original in zip(chain(*ours), chain(*theirs), strict=True):
            assert mine == original, query
    tab.close()


def test_pages_go_on_when_the_link_is_lost_between_them(demo: RunningDemo) -> None:
    demo.sandbox.change(bot=False, quotas="off")
    visitor = Visitor(demo.url)
    visitor.connect()
    for number in range(12):
        visitor.send(str(number))
    eventually(lambda: len(visitor.transcript()) == 13)
    first = visitor.call("transcript", {"MaxResults": 5}).json()
    demo.sandbox.add_fault(kind="refuse_handshake", seconds=3)
    demo.sandbox.control("POST", f"contacts/{visitor.contact_id}/drop-sockets", {})
    second = visitor.call("transcript", {"MaxResults": 5, "NextToken": first["NextToken"]}).json()
    texts = [item["Content"] for item in first["Transcript"] + second["Transcript"]]
    assert texts == [str(number) for number in range(11, 1, -1)]


class Reader:
    """An SDK's client that pages through a transcript.

    Args:
        repeats: Whether it says again with each NextToken where it wanted to begin.
    """

    def __init__(self, url: str, token: Callable[[], str], query: Wire, *, repeats: bool) -> None:
        self._client = participant_client(url)
        self._token = token
        self._query = query
        self._repeats = repeats
        self.pages: list[list[Wire]] = []
        self.is_done = False

    def turn(self) -> None:
        """Read the next page, if there is one."""
        if self.is_done:
            return
        answer = self._client.get_transcript(ConnectionToken=self._token(), **self._query)
        self.pages.append(answer["Transcript"])
        self.is_done = "NextToken" not in answer
        if not self._repeats:
            self._query.pop("StartPosition", None)
        self._query["NextToken"] = answer.get("NextToken")


class Line:
    """The link of one visitor's session, to be cut and mended."""

    def __init__(self, demo: RunningDemo, visitor: Visitor) -> None:
        self._demo = demo
        self._visitor = visitor

    def act(self, act: str) -> None:
        """``down``, ``up``, ``restart`` of the proxy (killed), or that upstream ``forget``s."""
        getattr(self, act)()

    def down(self) -> None:
        contact = self._visitor.contact_id
        self._demo.sandbox.add_fault(kind="refuse_handshake", contact_id=contact)
        self._demo.sandbox.control("POST", f"contacts/{contact}/drop-sockets", {})
        eventually(lambda: not self._is_local(), what="it is still answered from memory")

    def up(self) -> None:
        self._demo.sandbox.clear_faults()
        # Not often: who asks goes before the link, which has to read the same transcript.
        eventually(self._is_local, 60, "it is not answered from memory again", every_s=1.0)

    def restart(self) -> None:
        self._demo.kill9()
        self._demo.restart()
        self._visitor.connect()

    def forget(self) -> None:
        """Upstream knows its next NextToken no more, as after a replaced connection."""
        self._demo.sandbox.add_fault(
            kind="error",
            operation="GetTranscript",
            error="ValidationException",
            count=1,
            contact_id=self._visitor.contact_id,
        )

    def _is_local(self) -> bool:
        def asked() -> int:
            return int(self._demo.sandbox.state()["requests"].get("GetTranscript", 0))

        before = asked()
        assert self._visitor.call("transcript", {"MaxResults": 1}).status_code == 200
        return asked() == before


def with_a_past(demo: RunningDemo) -> Visitor:
    """A chat that continues one that continued another; nobody is connected to it yet."""
    demo.sandbox.change(bot=False, quotas="off")
    earlier: Visitor | None = None
    for number, length in enumerate((5, 8)):
        visitor = Visitor(demo.url, continues=earlier.key if earlier else None)
        visitor.connect()
        for line in range(length):
            demo.sandbox.say(visitor.contact_id, f"chat {number}, line {line}")
        demo.sandbox.control("POST", f"contacts/{visitor.contact_id}/end", {})
        eventually(lambda visitor=visitor: visitor.state() == "ended")
        earlier = visitor
    assert earlier is not None
    return Visitor(demo.url, continues=earlier.key)


# What happens to the link before which page is asked for.
SCHEDULES = {
    "down from the start": {0: "down", 5: "up"},
    "goes down": {1: "down", 3: "restart"},
    "goes down in the past": {2: "restart", 5: "down", 6: "up"},
    "upstream forgets": {0: "down", 1: "forget", 4: "forget"},
}


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES.keys())
def test_the_past_is_whole_whatever_becomes_of_the_link_between_two_pages(
    demo: RunningDemo, schedule: dict[int, str]
) -> None:
    visitor = with_a_past(demo)
    if 0 in schedule:  # and was never up
        demo.sandbox.add_fault(kind="refuse_handshake", contact_id=visitor.contact_id)
    visitor.connect()
    for number in range(11):
        demo.sandbox.say(visitor.contact_id, f"today {number}")
    upstream = Upstream(demo.sandbox, visitor.contact_id)
    line = Line(demo, visitor)
    if 0 not in schedule:
        line.up()
    first = upstream.transcript({"MaxResults": 100})["Transcript"][-1]["Id"]
    queries: list[Wire] = [
        {"MaxResults": 4},
        {"MaxResults": 6, "SortOrder": "ASCENDING", "ScanDirection": "BACKWARD"},
        {"MaxResults": 3, "StartPosition": {"MostRecent": 4}, "ScanDirection": "BACKWARD"},
        {"MaxResults": 4, "StartPosition": {"Id": first}, "SortOrder": "ASCENDING"},
    ]
    asked = [(query, repeats) for query in queries for repeats in (True, False)]
    ours = [
        Reader(demo.url, lambda: visitor.connection_key, dict(query), repeats=repeats)
        for query, repeats in asked
    ]
    theirs = [
        Reader(upstream.url, lambda: upstream.token, dict(query), repeats=repeats)
        for query, repeats in asked
    ]
    for page in range(12):
        if page in schedule:
            line.act(schedule[page])
        for reader in [*ours, *theirs]:
            reader.turn()
    for mine, original in zip(ours, theirs, strict=True):
        assert mine.is_done
        assert mine.pages == original.pages
    texts = [item.get("Content") for item in chain(*ours[0].pages)]
    assert {"chat 0, line 0", "chat 1, line 7", "today 0"} <= set(texts)
    assert "chat 1, line 7" not in [item.get("Content") for item in chain(*ours[4].pages)]
