"""GetTranscript answered from memory is what upstream answers, item by item, on any page."""

from __future__ import annotations

import random
from itertools import chain
from typing import Any

import pytest
import requests

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
