"""A chat that is over is read and rated; whoever wants more is told to start anew."""

from __future__ import annotations

import json
import uuid

import requests

from tests.flow.bad_input.calls import CONNECTED, CONNECTION, DENIED, raw, start
from tests.flow.client import Visitor, eventually
from tests.flow.problem import assert_problem
from tests.processes import RunningDemo


def test_an_ended_chat_reads_and_rates_but_says_no_more(
    demo: RunningDemo, visitor: Visitor
) -> None:
    demo.sandbox.control("POST", f"contacts/{visitor.contact_id}/end", {})
    eventually(lambda: visitor.state() == "ended")
    for operation, body in CONNECTED.items():
        answer = visitor.call(operation, body)
        assert_problem(answer, 403, "chat-ended", DENIED, says="start a new")
    answer = visitor.call("connection", CONNECTION, visitor.key)
    assert_problem(answer, 403, "chat-ended", DENIED, says="start a new")
    assert visitor.get("session/transcript").status_code == 200
    rating = {"score": 5}
    headers = {"X-Amz-Bearer": visitor.key}
    url = f"{demo.url}/api/v1/session"
    assert requests.put(f"{url}/rating", json=rating, headers=headers, timeout=9).status_code == 204
    assert requests.delete(url, headers=headers, timeout=9).status_code == 204


def test_a_start_that_repeats_the_token_of_an_ended_chat_is_told_to_make_a_new_one(
    demo: RunningDemo,
) -> None:
    body = {"widget": "demo", "clientToken": str(uuid.uuid4())}
    first = start(demo, body).json()
    headers = {"X-Amz-Bearer": first["key"]}
    raw(demo, "/participant/connection", json.dumps(CONNECTION), first["key"])
    contact = first["startChatResult"]["ContactId"]
    demo.sandbox.control("POST", f"contacts/{contact}/end", {})
    session = f"{demo.url}/api/v1/session"
    eventually(lambda: requests.get(session, headers=headers, timeout=9).json()["state"] == "ended")
    assert_problem(start(demo, body), 410, "chat-ended", DENIED, says="new one")
