"""The chat survives: reloads, more tabs, a crash in the middle, an end nobody was there to see."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime

import requests

from tests.flow.client import ENDED, Visitor, eventually
from tests.processes import RunningDemo


def quiet(demo: RunningDemo) -> RunningDemo:
    demo.sandbox.change(bot=False, quotas="off")
    return demo


def end(demo: RunningDemo, visitor: Visitor, **how: object) -> None:
    demo.sandbox.control("POST", f"contacts/{visitor.contact_id}/end", how)


def test_a_new_tab_sees_what_comes_and_its_own_sends_once(demo: RunningDemo) -> None:
    visitor = Visitor(quiet(demo).url)
    tab = visitor.open_tab()
    sent = visitor.send("one")
    demo.sandbox.say(visitor.contact_id, "two")
    tab.wait_text("two")
    assert tab.texts() == ["one", "two"]
    assert [item["Id"] for item in tab.items()].count(sent["Id"]) == 1


def test_a_reloaded_page_resumes_behind_its_position(demo: RunningDemo) -> None:
    visitor = Visitor(quiet(demo).url)
    tab = visitor.open_tab()
    visitor.send("before")
    tab.wait_text("before")
    position = tab.position
    tab.close()
    demo.sandbox.say(visitor.contact_id, "meanwhile")
    again = visitor.open_tab(after=position)
    again.wait(lambda frame: "replayed" in (frame.get("content") or {}))
    again.wait_text("meanwhile")
    assert again.texts() == ["meanwhile"]


def test_every_tab_of_a_session_shares_one_upstream_socket(demo: RunningDemo) -> None:
    visitor = Visitor(quiet(demo).url)
    tabs = [visitor.open_tab() for _ in range(4)]
    demo.sandbox.say(visitor.contact_id, "to all")
    for tab in tabs:
        tab.wait_text("to all")
    contact = demo.sandbox.control("GET", f"contacts/{visitor.contact_id}")
    assert contact["sockets"] == 1


def test_kill_nine_in_the_middle_loses_and_doubles_nothing(demo: RunningDemo) -> None:
    visitor = Visitor(quiet(demo).url)
    tab = visitor.open_tab()
    visitor.send("first")
    demo.sandbox.say(visitor.contact_id, "second")
    tab.wait_text("second")
    position = tab.position
    demo.kill9()
    demo.sandbox.say(visitor.contact_id, "said while it was dead")
    demo.restart()
    again = visitor.open_tab(after=position)
    again.wait_text("said while it was dead")
    visitor.send("and on it goes")
    again.wait_text("and on it goes")
    said = ["first", "second", "said while it was dead", "and on it goes"]
    assert [i["Content"] for i in visitor.transcript() if i["Type"] == "MESSAGE"] == said
    assert [text for text in again.texts() if text not in ("first", "second")] == said[2:]


def test_after_a_crash_the_chat_is_taken_up_with_no_tab_open(demo: RunningDemo) -> None:
    visitor = Visitor(quiet(demo).url)
    visitor.connect()
    visitor.send("hello")

    def read() -> int:
        return len(demo.sandbox.calls("GetTranscript", visitor.contact_id))

    read_before = read()
    demo.kill9()
    demo.restart()
    # What the dead process had not stored can be read only while the chat goes on.
    eventually(lambda: read() > read_before, what="nobody took the chat up")
    demo.sandbox.say(visitor.contact_id, "still there?")
    end(demo, visitor)
    eventually(lambda: visitor.state() == "ended")
    items = visitor.get("session/transcript?format=json").json()["items"]
    assert [i["Content"] for i in items if i["Type"] == "MESSAGE"] == ["hello", "still there?"]
    assert items[-1]["ContentType"] == ENDED


def test_a_chat_that_ended_with_no_tab_open_is_there_complete(demo: RunningDemo) -> None:
    visitor = Visitor(quiet(demo).url)
    visitor.connect()
    visitor.send("anybody?")
    demo.sandbox.say(visitor.contact_id, "one moment")
    end(demo, visitor)
    eventually(lambda: visitor.state() == "ended")
    answer = visitor.get("session").json()
    assert answer["incompleteSince"] is None
    assert answer["can"]["download"]
    items = visitor.get("session/transcript?format=json").json()["items"]
    assert [i["Content"] for i in items if i["Type"] == "MESSAGE"] == ["anybody?", "one moment"]
    assert visitor.call("connection", {"Type": ["WEBSOCKET"]}, visitor.key).status_code == 403


def test_an_end_while_we_were_dead_is_told_and_marked_incomplete(demo: RunningDemo) -> None:
    visitor = Visitor(quiet(demo).url)
    visitor.connect()
    visitor.send("hello?")
    demo.kill9()
    lost_from = datetime.now(UTC)
    demo.sandbox.say(visitor.contact_id, "never heard of")
    end(demo, visitor)
    demo.restart()
    eventually(lambda: visitor.state() == "ended")
    answer = visitor.get("session").json()
    assert answer["startedAt"] <= answer["incompleteSince"] < lost_from.isoformat()


def test_a_lost_upstream_socket_is_told_and_its_gap_is_filled(demo: RunningDemo) -> None:
    visitor = Visitor(quiet(demo).url)
    tab = visitor.open_tab()
    visitor.send("one")
    tab.wait_text("one")
    demo.sandbox.add_fault(kind="refuse_handshake", seconds=2)
    demo.sandbox.control("POST", f"contacts/{visitor.contact_id}/drop-sockets", {})
    tab.wait(lambda f: f.get("content") == {"state": "reconnecting"})
    demo.sandbox.say(visitor.contact_id, "in the gap")
    tab.wait_text("in the gap")
    tab.wait(lambda f: f.get("content") == {"state": "connected"})
    assert tab.texts() == ["one", "in the gap"]


def test_a_tab_too_many_closes_the_oldest(demo: RunningDemo) -> None:
    visitor = Visitor(quiet(demo).url)
    tabs = [visitor.open_tab() for _ in range(9)]
    assert tabs[0].wait_closed() == 4500
    demo.sandbox.say(visitor.contact_id, "to eight")
    for tab in tabs[1:]:
        tab.wait_text("to eight")


def test_a_revoked_key_is_dead_and_its_tabs_are_closed(demo: RunningDemo) -> None:
    visitor = Visitor(quiet(demo).url)
    tab = visitor.open_tab()
    demo.manage(
        "shell",
        "-c",
        "from chatproxy.sessions.models import ChatSession;"
        "from chatproxy.sessions.lifecycle import revoke_keys;"
        f"revoke_keys(ChatSession.objects.get(pk='{visitor.session}'))",
    )
    assert tab.wait_closed(within_s=16) == 4502
    eventually(lambda: visitor.get("session").status_code == 401, within_s=16)


def test_a_repeated_start_gives_the_same_session_and_a_fresh_key(demo: RunningDemo) -> None:
    quiet(demo)
    body = {"widget": "demo", "clientToken": "only-this-page-knows-this"}
    first, second = (
        requests.post(f"{demo.url}/api/v1/sessions", json=body, timeout=10).json() for _ in range(2)
    )
    assert first["session"] == second["session"]
    assert first["key"] != second["key"]

    def status(key: str) -> int:
        url = f"{demo.url}/api/v1/session"
        return requests.get(url, headers={"X-Amz-Bearer": key}, timeout=10).status_code

    assert status(second["key"]) == 200
    assert status(first["key"]) == 401
    assert demo.sandbox.state()["requests"]["StartChatContact"] == 1


def test_a_deploy_tells_each_tab_when_to_come_back(demo: RunningDemo) -> None:
    visitor = Visitor(quiet(demo).url)
    tab = visitor.open_tab()
    visitor.send("before")
    tab.wait_text("before")
    position = tab.position
    stopping = threading.Thread(target=demo.stop)
    stopping.start()
    assert tab.wait_closed() == 1012
    assert 0 <= json.loads(tab.close_reason)["retryAfterMs"] <= 30_000
    stopping.join()
    demo.restart()
    again = visitor.open_tab(after=position)
    demo.sandbox.say(visitor.contact_id, "after")
    again.wait_text("after")
    assert [text for text in again.texts() if text != "before"] == ["after"]
