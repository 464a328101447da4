"""A chat over reloads, tabs and origins, to its end and to the next one."""

import json
import re
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Download, Route, expect

from tests.browser.widget import Widget, until


def test_history_comes_while_scrolling_and_nothing_jumps(widget: Widget) -> None:
    widget.meet_agent()
    for number in range(1, 81):
        widget.hear(f"Line {number:03}")
    expect(widget.said("Line 080")).to_be_visible()
    widget.page.reload()
    expect(widget.said("Line 080")).to_be_visible()
    expect(widget.said("Line 040")).to_have_count(0)
    first = re.search(r"Line \d+", widget.bubbles.first.inner_text())
    assert first is not None
    place = """
        (log, text) => [...log.querySelectorAll(".bubble")]
          .find((bubble) => bubble.textContent.includes(text)).getBoundingClientRect().top
        """
    before = widget.log.evaluate(
        "(log, text) => { log.scrollTop = 60; return (" + place + ")(log, text) }", first.group()
    )
    expect(widget.said("Line 030")).to_have_count(1)
    assert abs(widget.log.evaluate(place, first.group()) - before) < 3
    # Asked for by the page: the last of it may come, and the button go, just before a click lands.
    ask = "log => log.querySelector('.older:not([hidden])')?.click()"
    all_there = "log => log.textContent.includes('Line 001')"
    until(widget.page, lambda: bool(widget.log.evaluate(ask) or widget.log.evaluate(all_there)))
    expect(widget.said("Line 001")).to_have_count(1)
    texts = [text for text in widget.bubbles.all_inner_texts() if "Line " in text]
    assert [text.split()[-1] for text in texts] == [f"{number:03}" for number in range(1, 81)]


def test_a_reload_continues_the_chat_and_a_second_tab_shares_it(widget: Widget) -> None:
    widget.start()
    widget.say("remember me")
    expect(widget.said("remember me")).to_have_count(2)
    widget.page.reload()
    expect(widget.panel).to_be_visible()
    expect(widget.said("remember me")).to_have_count(2)
    other = widget.second_tab().visit()
    expect(other.said("remember me")).to_have_count(2)
    other.say("from the other tab")
    expect(widget.own("from the other tab")).to_have_count(1)
    expect(other.own("from the other tab")).to_have_count(1)
    assert len(widget.sandbox.state()["contacts"]) == 1


def test_the_visitor_ends_the_chat_reads_saves_and_starts_anew(widget: Widget) -> None:
    widget.start()
    widget.say("keep this")
    expect(widget.said("keep this")).to_have_count(2)
    widget.button("More").click()
    widget.button("End chat").click()
    question = widget.panel.get_by_role("alertdialog", name="End this chat?")
    expect(question.get_by_role("button", name="Keep chatting")).to_be_focused()
    widget.page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    widget.end()
    expect(widget.panel).to_contain_text("You ended this chat.")
    expect(widget.said("keep this")).to_have_count(2)
    with widget.page.expect_download() as download:
        widget.button("Save transcript").last.click()
    assert "keep this" in download.value.path().read_text()
    widget.page.reload()
    expect(widget.panel).to_contain_text("You ended this chat.")
    expect(widget.said("keep this")).to_have_count(2)
    widget.button("Start a new chat").click()
    expect(widget.said("Hello")).to_have_count(1)
    expect(widget.said("keep this")).to_have_count(0)
    assert len(widget.sandbox.state()["contacts"]) == 2


def test_no_new_chat_is_offered_before_the_old_one_is_known_to_be_left(
    widget: Widget, expected_problems: list[str]
) -> None:
    expected_problems.append("status of 503")
    widget.start()
    held: list[Route] = []
    key = widget.stored()["chatproxy:demo"]
    widget.page.route(
        "**/api/v1/session",
        lambda route: held.append(route) if route.request.method == "DELETE" else route.continue_(),
    )
    widget.end()
    expect(widget.panel).to_contain_text("Ending the chat…")
    until(widget.page, lambda: bool(held))
    expect(widget.button("Start a new chat")).to_have_count(0)
    held.pop().fulfill(status=503, headers={"Access-Control-Allow-Origin": "*"})
    expect(widget.panel.get_by_role("alert")).to_contain_text("Please try again in a moment.")
    assert widget.stored()["chatproxy:demo"] == key
    widget.page.unroute("**/api/v1/session")
    widget.sandbox.change(disconnect_flow_s=60)
    widget.end()
    expect(widget.panel).to_contain_text("Ending the chat…")
    widget.button("Start a new chat").click()
    expect(widget.said("Hello")).to_have_count(1)
    widget.sandbox.advance(61)
    first = widget.sandbox.state()["contacts"][0]
    assert any("participant.left" in str(each) for each in first["transcript"])


@pytest.mark.parametrize(("number", "after_ms"), [(1, 0), (2, 800)])
def test_a_second_press_on_end_chat_does_not_start_another(
    widget: Widget, number: int, after_ms: int
) -> None:
    widget.start()
    widget.button("More").click()
    widget.button("End chat").click()
    sure = widget.panel.get_by_role("alertdialog").get_by_role("button", name="End chat")
    box = sure.bounding_box()
    assert box is not None
    spot = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    widget.page.mouse.click(*spot)
    start = widget.button("Start a new chat")
    expect(start).to_be_visible()
    widget.page.wait_for_timeout(after_ms)
    start_box = start.bounding_box()
    assert start_box is not None
    over = (spot[0], start_box["y"] + start_box["height"] / 2)
    downloads: list[Download] = []
    widget.page.on("download", lambda each: downloads.append(each))
    widget.page.mouse.move(*over)
    widget.page.mouse.down(click_count=number)
    widget.page.mouse.up(click_count=number)
    widget.page.wait_for_timeout(500)
    expect(widget.panel).to_contain_text("You ended this chat.")
    assert len(widget.sandbox.state()["contacts"]) == 1
    assert downloads == []
    start.press("Enter")  # a key is always meant
    expect(widget.box).to_be_visible()
    until(widget.page, lambda: len(widget.sandbox.state()["contacts"]) == 2)


def test_a_chat_that_was_ended_and_closed_costs_other_pages_nothing(widget: Widget) -> None:
    widget.start()
    widget.end()
    expect(widget.panel).to_contain_text("You ended this chat.")
    widget.button("Close chat").click()
    widget.page.goto("about:blank")
    widget.requests.clear()
    widget.visit()
    widget.page.wait_for_load_state("networkidle")
    ours = [each.url for each in widget.requests if re.search("/widget/|/api/", each.url)]
    assert ours == [f"{widget.demo.url}/widget/v1/loader.js"]
    widget.launcher.click()
    expect(widget.said("Hello")).to_have_count(1)
    expect(widget.button("Start a new chat")).to_be_visible()


def test_a_chat_that_ended_while_nobody_looked_is_there_complete(widget: Widget) -> None:
    widget.meet_agent()
    widget.say("I will be back")
    expect(widget.own("I will be back")).to_contain_text("Sent")
    widget.page.goto("about:blank")
    widget.hear("We are closing now")
    widget.act("end")
    widget.visit()
    expect(widget.panel).to_contain_text("This chat is over.")
    expect(widget.said("We are closing now")).to_have_count(1)
    expect(widget.own("I will be back")).to_have_count(1)
    expect(widget.box).to_have_count(0)


def test_a_chat_that_ended_while_the_page_was_offline_is_over_without_a_complaint(
    widget: Widget,
) -> None:
    widget.meet_agent()
    widget.page.context.set_offline(True)
    expect(widget.panel).to_contain_text("You are offline.")
    widget.say("written in a tunnel")
    widget.hear("We are closing now")
    widget.act("end")
    until(widget.page, lambda: not going_on(widget))
    widget.page.context.set_offline(False)
    expect(widget.panel).to_contain_text("This chat is over.")
    expect(widget.said("We are closing now")).to_have_count(1)
    expect(widget.own("written in a tunnel")).to_contain_text("The chat was over already.")


def test_a_chat_left_in_one_tab_is_left_in_the_other_and_its_last_words_come(
    widget: Widget,
) -> None:
    widget.meet_agent()
    widget.sandbox.change(disconnect_flow_s=60)
    other = widget.second_tab().visit()
    expect(other.panel).to_be_visible()
    widget.end()
    for tab in (widget, other):
        expect(tab.panel).to_contain_text("Ending the chat…")
    widget.hear("How was it?")
    widget.sandbox.advance(61)
    for tab in (widget, other):
        expect(tab.panel).to_contain_text("You ended this chat.")
        expect(tab.said("How was it?")).to_have_count(1)


def test_a_chat_only_the_sandbox_has_forgotten_can_be_left(
    widget: Widget, expected_problems: list[str]
) -> None:
    # Nobody has heard of this end: the proxy learns of it while the page asks for a connection.
    expected_problems.append(r"status of 403 \S+ \S+/participant/connection")
    widget.start()
    widget.sandbox.reset()
    widget.page.reload()
    widget.button("Start a new chat").click()
    expect(widget.said("Hello")).to_have_count(1)


def test_a_key_the_proxy_does_not_know_offers_a_new_chat(
    widget: Widget, expected_problems: list[str]
) -> None:
    expected_problems.append("401")
    widget.visit()
    record = json.dumps({"key": "sk1.00000000-0000-4000-8000-000000000000.nonsense"})
    widget.page.evaluate("record => localStorage.setItem('chatproxy:demo', record)", record)
    widget.page.reload()
    widget.launcher.click()
    expect(widget.panel).to_contain_text("This chat is no longer available.")
    widget.button("Start a new chat").click()
    expect(widget.said("Hello")).to_have_count(1)


def test_it_works_on_a_page_of_another_origin(widget: Widget, tmp_path: Path) -> None:
    widget.page.goto(f"http://localhost:{widget.demo.port}/demo/")
    widget.launcher.click()
    expect(widget.said("Hello")).to_have_count(1)
    widget.say("from elsewhere")
    expect(widget.own("from elsewhere")).to_contain_text("Sent")
    file = tmp_path / "notes.txt"
    file.write_text("x")
    widget.panel.locator("input[type=file]").set_input_files(file)
    expect(widget.button("Download notes.txt")).to_be_visible()
    widget.end()
    expect(widget.panel).to_contain_text("You ended this chat.")
    assert any(each.url.startswith(f"{widget.demo.url}/api/") for each in widget.requests)


def going_on(widget: Widget) -> bool:
    """Whether the proxy holds the chat for live."""
    key = json.loads(widget.stored()["chatproxy:demo"])["key"]
    url = f"{widget.demo.url}/api/v1/session"
    answer = requests.get(url, headers={"X-Amz-Bearer": key}, timeout=10)
    return bool(answer.json()["can"]["resume"])


def test_a_chat_begun_beside_a_tab_that_shows_the_last_one_is_kept_and_joined(
    widget: Widget,
) -> None:
    widget.start()
    other = widget.second_tab().visit()
    expect(other.said("Hello")).to_be_visible()
    for number in range(3):
        ended = widget.contact_id
        widget.end()
        for tab in (widget, other):
            expect(tab.button("Start a new chat")).to_be_visible()
        (other if number == 1 else widget).button("Start a new chat").click()
        widget.say(f"first words {number}")
        expect(other.said(f"first words {number}").first).to_be_visible()
        assert widget.contact_id != ended
        assert "key" in json.loads(widget.stored()["chatproxy:demo"])
    assert len(widget.sandbox.state()["contacts"]) == 4
    widget.page.reload()
    expect(widget.said("first words 2").first).to_be_visible()
