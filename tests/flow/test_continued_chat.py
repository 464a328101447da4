"""A chat that goes on from an earlier one: its past is there, and only its owner can ask for it."""

from __future__ import annotations

import requests

from tests.flow.client import Visitor, eventually
from tests.processes import RunningDemo


def ended_chat(demo: RunningDemo, text: str) -> Visitor:
    demo.sandbox.change(bot=False, quotas="off")
    visitor = Visitor(demo.url)
    visitor.connect()
    visitor.send(text)
    demo.sandbox.control("POST", f"contacts/{visitor.contact_id}/end", {})
    eventually(lambda: visitor.state() == "ended")
    return visitor


def test_the_past_can_be_paged_into(demo: RunningDemo) -> None:
    earlier = ended_chat(demo, "last week")
    visitor = Visitor(demo.url, continues=earlier.key)
    visitor.connect()
    visitor.send("today")

    def texts() -> list[str]:
        return [item["Content"] for item in visitor.transcript() if item["Type"] == "MESSAGE"]

    eventually(lambda: texts() == ["last week", "today"], what=str(texts()))
    first = visitor.call("transcript", {"MaxResults": 1}).json()
    assert [item.get("Content") for item in first["Transcript"]] == ["today"]
    past = [item for item in visitor.transcript() if "RelatedContactId" in item]
    assert {item["RelatedContactId"] for item in past} == {earlier.contact_id}


def test_a_start_position_does_not_reach_the_past(demo: RunningDemo) -> None:
    earlier = ended_chat(demo, "long ago")
    visitor = Visitor(demo.url, continues=earlier.key)
    visitor.connect()
    sent = visitor.send("now")
    eventually(lambda: any(item["Id"] == sent["Id"] for item in visitor.transcript()))
    page = visitor.call(
        "transcript",
        {"StartPosition": {"Id": sent["Id"]}, "ScanDirection": "BACKWARD", "MaxResults": 100},
    ).json()
    assert "long ago" not in [item.get("Content") for item in page["Transcript"]]
    assert "NextToken" not in page


def test_a_chat_that_goes_on_cannot_be_continued(demo: RunningDemo) -> None:
    demo.sandbox.change(bot=False, quotas="off")
    visitor = Visitor(demo.url)
    body = {"widget": "demo", "continue": visitor.key}
    answer = requests.post(f"{demo.url}/api/v1/sessions", json=body, timeout=10)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/continue"


def test_a_contact_id_continues_nothing(demo: RunningDemo) -> None:
    earlier = ended_chat(demo, "mine")
    body = {"widget": "demo", "continue": earlier.contact_id}
    answer = requests.post(f"{demo.url}/api/v1/sessions", json=body, timeout=10)
    assert answer.status_code == 401
