"""The widget on bad days: networks, proxy and service fail, and nothing is lost or said twice."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.widget import Widget

NETWORK = r"ERR_|WebSocket|Failed to load resource"


@pytest.fixture
def widget(widget: Widget, expected_problems: list[str]) -> Widget:
    expected_problems.append(NETWORK)
    return widget


def test_offline_is_said_and_what_is_written_goes_out_later(widget: Widget) -> None:
    widget.meet_agent()
    widget.page.context.set_offline(True)
    expect(widget.panel).to_contain_text("You are offline.")
    widget.say("written in a tunnel")
    expect(widget.own("written in a tunnel")).to_contain_text("Sending")
    widget.hear("said meanwhile")
    widget.page.context.set_offline(False)
    expect(widget.own("written in a tunnel")).to_contain_text("Sent")
    expect(widget.said("said meanwhile")).to_have_count(1)
    expect(widget.panel).not_to_contain_text("You are offline.")
    assert times_said(widget, "written in a tunnel") == 1


def test_a_crash_of_the_proxy_costs_no_line_and_doubles_none(widget: Widget) -> None:
    widget.meet_agent()
    widget.say("before")
    expect(widget.own("before")).to_contain_text("Sent")
    widget.demo.kill9()
    expect(widget.panel).to_contain_text("Connection lost.")
    widget.say("while it is down")
    widget.hear("nobody hears this yet")
    widget.demo.restart()
    expect(widget.own("while it is down")).to_contain_text("Sent", timeout=40_000)
    expect(widget.said("nobody hears this yet")).to_have_count(1, timeout=40_000)
    widget.hear("and on we go")
    expect(widget.said("and on we go")).to_have_count(1)
    for text in ["Hello", "before", "while it is down"]:
        expect(widget.said(text)).to_have_count(1)
    assert times_said(widget, "while it is down") == 1


def test_an_answer_that_is_lost_does_not_say_it_twice(widget: Widget) -> None:
    widget.meet_agent()
    lose = {"left": 1}

    def lose_answer(route: object) -> None:
        if lose["left"]:
            lose["left"] -= 1
            route.fetch()  # type: ignore[attr-defined]
            route.abort()  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    widget.page.route("**/participant/message", lose_answer)
    widget.say("only once, please")
    expect(widget.own("only once, please")).to_contain_text("Sent")
    expect(widget.own("only once, please")).to_have_count(1)
    assert times_said(widget, "only once, please") == 1


def test_a_message_that_cannot_be_sent_can_be_retried_or_deleted(widget: Widget) -> None:
    widget.meet_agent()
    refusal = {
        "message": "This word is not allowed here.",
        "detail": "This word is not allowed here.",
    }
    widget.page.route(
        "**/participant/message",
        lambda route: route.fulfill(
            status=400,
            content_type="application/problem+json",
            headers={"Access-Control-Allow-Origin": "*"},
            body=json.dumps(refusal),
        ),
    )
    widget.say("first")
    widget.say("second")
    first, second = widget.own("first"), widget.own("second")
    expect(first).to_contain_text("Not sent. This word is not allowed here.")
    expect(second).to_contain_text("Not sent.")
    widget.page.reload()
    expect(first).to_contain_text("Not sent.")
    widget.page.unroute("**/participant/message")
    first.get_by_role("button", name="Retry").click()
    expect(first).to_contain_text("Sent")
    second.get_by_role("button", name="Delete").click()
    expect(second).to_have_count(0)
    widget.page.reload()
    expect(first).to_have_count(1)
    expect(second).to_have_count(0)


def test_what_the_network_stopped_goes_out_before_what_is_written_next(widget: Widget) -> None:
    widget.meet_agent()
    widget.page.route("**/participant/message", lambda route: route.abort())
    widget.say("first")
    expect(widget.own("first")).to_contain_text("Not sent.", timeout=30_000)
    widget.page.unroute("**/participant/message")
    widget.say("second")
    expect(widget.own("second")).to_contain_text("Sent")
    expect(widget.own("first")).not_to_contain_text("Not sent.")
    said = [each.get("Content") for each in widget.contact()["transcript"]]
    assert said.index("first") < said.index("second")


def test_new_messages_are_shown_as_such_above_one_that_was_not_sent(widget: Widget) -> None:
    widget.meet_agent()
    widget.page.route(
        "**/participant/message",
        lambda route: route.fulfill(
            status=400, content_type="application/problem+json", body='{"detail": "No."}'
        ),
    )
    widget.say("stays behind")
    expect(widget.own("stays behind")).to_contain_text("Not sent. No.")
    for number in range(1, 25):
        widget.hear(f"Line {number:03}")
    expect(widget.said("Line 024")).to_be_visible()
    widget.log.evaluate(
        "log => new Promise((done) => { log.onscrollend = done; log.scrollTop = 150 })"
    )
    widget.hear("Something new")
    widget.button("New messages").click()
    expect(widget.said("Something new")).to_be_in_viewport()


def test_a_message_in_the_air_survives_the_page(widget: Widget) -> None:
    widget.meet_agent()
    widget.page.route("**/participant/message", lambda route: route.abort())
    widget.say("do not forget me")
    expect(widget.own("do not forget me")).to_contain_text("Sending")
    widget.page.goto("about:blank")
    widget.page.unroute("**/participant/message")
    widget.visit()
    expect(widget.own("do not forget me")).to_contain_text("Sent")
    assert times_said(widget, "do not forget me") == 1


def test_a_start_that_is_refused_says_what_to_do(widget: Widget) -> None:
    widget.page.route(
        "**/api/v1/sessions",
        lambda route: route.fulfill(
            status=422,
            content_type="application/problem+json",
            body=json.dumps({"detail": "Please come back tomorrow."}),
        ),
    )
    widget.visit()
    widget.launcher.click()
    alert = widget.panel.get_by_role("alert").filter(has_text="Please come back tomorrow.")
    expect(alert).to_be_visible()
    assert widget.stored() == {}
    widget.page.unroute("**/api/v1/sessions")
    widget.button("Try again").click()
    expect(widget.said("Hello")).to_have_count(1)


def test_what_was_written_for_a_chat_that_did_not_begin_can_be_sent_again(widget: Widget) -> None:
    widget.page.route(
        "**/api/v1/sessions",
        lambda route: route.fulfill(
            status=422, content_type="application/problem+json", body='{"detail": "Not now."}'
        ),
    )
    widget.visit()
    widget.page.evaluate("() => { chatproxy('send', 'early bird'); chatproxy('open') }")
    row = widget.own("early bird")
    expect(row).to_contain_text("Not sent.")
    expect(widget.panel).to_contain_text("Not now.")
    widget.page.unroute("**/api/v1/sessions")
    row.get_by_role("button", name="Retry").click()
    expect(row).to_contain_text("Sent")
    expect(row).to_have_count(1)
    expect(widget.box).to_be_focused()


def test_the_service_behind_the_proxy_may_drop_its_socket(widget: Widget) -> None:
    widget.meet_agent()
    widget.act("drop-sockets")
    widget.hear("through the gap")
    expect(widget.said("through the gap")).to_have_count(1)


def test_a_panel_that_does_not_load_can_be_asked_for_again(widget: Widget) -> None:
    widget.page.route(re.compile(r"/widget/v1/(panel|manifest)"), lambda route: route.abort())
    widget.visit()
    widget.launcher.click()
    expect(widget.launcher).to_have_accessible_name("Chat did not load. Try again.")
    assert sign(widget) == '"Chat did not load. Try again."'
    widget.page.unroute(re.compile(r"/widget/v1/(panel|manifest)"))
    widget.launcher.click()
    expect(widget.said("Hello")).to_have_count(1)
    assert sign(widget) == "none"


def sign(widget: Widget) -> str:
    """What stands above the launcher, which the page draws without an element."""
    content: str = widget.launcher.evaluate("it => getComputedStyle(it, '::before').content")
    return content


def times_said(widget: Widget, text: str) -> int:
    """How often the service has it."""
    return sum(each.get("Content") == text for each in widget.contact()["transcript"])
