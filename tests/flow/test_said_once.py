"""A message is said once, whatever happened between its tries: the transcript of the service tells.

The client does what `docs/rest.md` asks of it: it repeats with the same ClientToken, on the
connection key of its first try.
"""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest

from tests.flow.client import Visitor, eventually
from tests.processes import RunningDemo

Message = dict[str, Any]


@pytest.fixture
def visitor(demo: RunningDemo) -> Visitor:
    demo.sandbox.change(bot=False, quotas="off")
    visitor = Visitor(demo.url)
    visitor.connect()
    return visitor


def message(text: str) -> Message:
    return {"ContentType": "text/plain", "Content": text, "ClientToken": str(uuid.uuid4())}


def expire_token(demo: RunningDemo, visitor: Visitor) -> None:
    expired = {"kind": "connection", "contact_id": visitor.contact_id}
    demo.sandbox.control("POST", "expire", expired)


def said(demo: RunningDemo, visitor: Visitor) -> list[str]:
    items = demo.sandbox.control("GET", f"contacts/{visitor.contact_id}")["transcript"]
    return [item["Content"] for item in items if item["Type"] == "MESSAGE"]


def repeat(visitor: Visitor, sent: Message) -> dict[str, Any]:
    """The answer, once there is one."""
    answers = []

    def is_answered() -> bool:
        answers.append(visitor.call("message", sent))
        return answers[-1].status_code == 200

    eventually(is_answered, 30)
    return dict(answers[-1].json())


def test_an_answer_lost_by_the_service_then_a_new_token(
    demo: RunningDemo, visitor: Visitor
) -> None:
    once = message("once")
    demo.sandbox.add_fault(operation="SendMessage", kind="lose_answer", count=1)
    assert visitor.call("message", once).status_code == 500
    expire_token(demo, visitor)
    repeat(visitor, once)
    assert said(demo, visitor) == ["once"]
    repeat(visitor, message("once"))  # somebody says the same again, and means it
    assert said(demo, visitor) == ["once", "once"]


def test_an_answer_lost_on_the_way_to_the_page_then_a_new_token(
    demo: RunningDemo, visitor: Visitor
) -> None:
    once = message("once")
    first = visitor.call("message", once)  # and the page's network is gone, let us say
    expire_token(demo, visitor)
    assert repeat(visitor, once) == first.json()
    assert said(demo, visitor) == ["once"]


def test_an_answer_lost_by_the_service_then_a_crash_and_a_new_token(
    demo: RunningDemo, visitor: Visitor
) -> None:
    once = message("once")
    demo.sandbox.add_fault(operation="SendMessage", kind="lose_answer", count=1)
    assert visitor.call("message", once).status_code == 500
    demo.kill9()
    expire_token(demo, visitor)
    demo.restart()
    repeat(visitor, once)
    assert said(demo, visitor) == ["once"]


def test_an_answer_lost_on_the_way_to_the_page_then_a_crash_and_a_new_token(
    demo: RunningDemo, visitor: Visitor
) -> None:
    once = message("once")
    first = visitor.call("message", once)
    demo.kill9()
    expire_token(demo, visitor)
    demo.restart()
    assert repeat(visitor, once)["Id"] == first.json()["Id"]
    assert said(demo, visitor) == ["once"]


def test_the_same_words_again_are_another_message_after_a_restart_too(
    demo: RunningDemo, visitor: Visitor
) -> None:
    """Told from a repeat by who was answered what, which outlives the process."""
    first = repeat(visitor, message("ok"))
    demo.restart()
    expire_token(demo, visitor)
    second = repeat(visitor, message("ok"))
    assert second["Id"] != first["Id"]
    assert said(demo, visitor) == ["ok", "ok"]


def test_a_message_on_an_old_key_costs_no_transcript(demo: RunningDemo, visitor: Visitor) -> None:
    """A client may keep its first key for days: our own transcript tells whether it repeats.

    The service grants eight GetTranscript a second, to all chats together.
    """
    # Until the link has read the chat, who asks for the transcript is answered by the service.
    tab = visitor.open_tab()
    tab.wait(lambda _: any(told.get("state") == "connected" for told in tab.told()))
    tab.close()
    expire_token(demo, visitor)
    repeat(visitor, message("on a new token"))
    eventually(lambda: len(visitor.transcript()) == len(said(demo, visitor)) + 1)
    # By when they began: one of the link's own may still be on its way.
    begun = time.time()
    for number in range(3):
        repeat(visitor, message(f"again {number}"))
        eventually(lambda: visitor.transcript()[-1]["Content"] == f"again {number}")  # noqa: B023
    calls = demo.sandbox.calls("GetTranscript", visitor.contact_id)
    assert [call["at"] for call in calls if call["at"] > begun] == []
