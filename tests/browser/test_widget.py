"""A visitor's chat from the first click to the next chat: sandbox, proxy and widget as they run."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.widget import Widget
from tests.processes import RunningDemo

INTERACTIVE = "application/vnd.amazonaws.connect.message.interactive"


@pytest.fixture
def widget(page: Page, demo: RunningDemo) -> Widget:
    demo.sandbox.change(bot_delay_s=0.05)
    return Widget(page, demo)


def test_a_visitor_without_a_chat_loads_one_small_script_and_nothing_else(widget: Widget) -> None:
    widget.page.add_init_script(
        """
        window.reads = []; window.timers = 0;
        const read = Storage.prototype.getItem;
        Storage.prototype.getItem = function (key) {
          window.reads.push(key);
          return read.call(this, key);
        };
        const timers = "setTimeout setInterval requestAnimationFrame requestIdleCallback";
        for (const name of timers.split(" ")) {
          const original = window[name];
          window[name] = (...args) => { window.timers += 1; return original.apply(window, args) };
        }
        """
    )
    widget.visit()
    widget.page.wait_for_load_state("networkidle")
    ours = [
        each.url for each in widget.requests if re.search("/widget/|/api/|/participant/", each.url)
    ]
    assert ours == [f"{widget.demo.url}/widget/v1/loader.js"]
    assert widget.stored() == {}
    assert widget.page.context.cookies() == []
    assert widget.page.evaluate("window.reads") == ["chatproxy:demo"]
    assert widget.page.evaluate("window.timers") == 0


def test_the_panel_comes_on_first_use_and_the_bot_greets(widget: Widget) -> None:
    widget.visit()
    expect(widget.launcher).to_have_attribute("aria-expanded", "false")
    widget.launcher.click()
    expect(widget.panel).to_be_visible()
    expect(widget.launcher).to_have_attribute("aria-expanded", "true")
    expect(widget.box).to_be_focused()
    expect(widget.said("Hello")).to_have_count(1)
    expect(widget.log).to_contain_text("Today")


def test_what_the_visitor_writes_is_sent_and_answered(widget: Widget) -> None:
    widget.start()
    widget.say("Do you have size 43?")
    expect(widget.own("Do you have size 43?")).to_contain_text("Sent")
    expect(widget.said("Do you have size 43?")).to_have_count(2)  # the bot quotes it
    expect(widget.box).to_have_value("")
    assert [
        each["Content"] for each in widget.contact()["transcript"] if each["Type"] == "MESSAGE"
    ][1] == "Do you have size 43?"


def test_lines_keep_their_breaks_and_shift_enter_makes_one(widget: Widget) -> None:
    widget.start()
    widget.box.press_sequentially("one")
    widget.box.press("Shift+Enter")
    widget.box.press_sequentially("two")
    widget.box.press("Enter")
    expect(widget.own("one").locator("p")).to_have_text("one\ntwo")


def test_markdown_becomes_elements(widget: Widget) -> None:
    widget.start()
    widget.say("markdown")
    expect(widget.bubbles.locator("strong", has_text="bold")).to_be_visible()
    expect(widget.bubbles.locator("ol > li")).to_have_count(3)
    link = widget.bubbles.get_by_role("link", name="link")
    expect(link).to_have_attribute("rel", re.compile("noopener"))


def test_a_quick_reply_is_answered_by_a_click_and_then_rests(widget: Widget) -> None:
    widget.start()
    widget.say("quick")
    widget.button("Yes, thank you").click()
    expect(widget.own("Yes, thank you")).to_have_count(1)
    expect(widget.button("Yes, thank you, chosen")).to_be_disabled()
    expect(widget.button("Not yet")).to_be_disabled()
    expect(widget.box).to_be_focused()


def test_a_list_picker_shows_its_subtitles_and_rests_after_any_answer(widget: Widget) -> None:
    widget.start()
    widget.say("list")
    option = widget.panel.get_by_role("button", name="Send something back")
    expect(option).to_contain_text("Free within 30 days")
    widget.say("something of my own")
    expect(option).to_be_disabled()


def test_every_other_template_can_be_read(widget: Widget) -> None:
    widget.start()
    for word, text in [
        ("time", "When shall we fit your shoes?"),
        ("carousel", "Seen lately"),
        ("view", "This window cannot show what was sent"),
    ]:
        widget.say(word)
        expect(widget.said(text).last).to_be_visible()


def test_a_streamed_answer_grows_and_is_whole_in_the_end(widget: Widget) -> None:
    widget.start()
    widget.act("stream", chunks=["The ref", "und is "], finish=False)
    bubble = widget.said("The refund is")
    expect(bubble.locator(".caret")).to_be_visible()
    widget.act("stream", chunks=["a"], text="All of it.")
    expect(widget.said("All of it.")).to_have_count(1)
    expect(widget.said("All of it.").locator(".caret")).to_have_count(0)


def test_typing_is_seen_on_both_sides(widget: Widget) -> None:
    widget.meet_agent()
    widget.act("typing")
    expect(widget.log.locator(".typing")).to_be_visible()
    expect(widget.panel.get_by_role("status").filter(has_text="Ann is typing")).to_be_attached()
    widget.hear("Here I am")
    expect(widget.log.locator(".typing")).to_be_hidden()
    widget.box.press_sequentially("abc")
    until(widget.page, lambda: typed(widget) == 1)
    widget.box.press("Enter")
    expect(widget.own("abc")).to_contain_text("Sent")
    widget.box.press_sequentially("de")
    until(widget.page, lambda: typed(widget) == 2)


def test_messages_are_sent_then_delivered_then_read(widget: Widget) -> None:
    widget.meet_agent()
    widget.say("Hello Ann")
    row = widget.own("Hello Ann")
    expect(row).to_contain_text("Sent")
    sent = next(
        each for each in widget.contact()["transcript"] if each.get("Content") == "Hello Ann"
    )
    widget.act("receipt", message_id=sent["Id"], is_read=False)
    expect(row).to_contain_text("Delivered")
    widget.act("receipt", message_id=sent["Id"])
    expect(row).to_contain_text("Read")


def test_the_agent_learns_that_a_message_was_read(widget: Widget) -> None:
    widget.meet_agent()
    widget.hear("Please read this")
    expect(widget.said("Please read this")).to_be_visible()

    def receipts() -> list[dict[str, str]]:
        said = [
            each
            for each in widget.contact()["transcript"]
            if each.get("Content") == "Please read this"
        ]
        found: list[dict[str, str]] = said[0].get("MessageMetadata", {}).get("Receipts", [])
        return found

    until(widget.page, lambda: any("ReadTimestamp" in each for each in receipts()))


def test_a_closed_panel_counts_what_is_unread(widget: Widget) -> None:
    widget.meet_agent()
    widget.page.keyboard.press("Escape")
    expect(widget.panel).to_be_hidden()
    expect(widget.launcher).to_be_focused()
    widget.hear("Are you still there?")
    expect(widget.launcher).to_have_accessible_name("Chat, 1 unread")
    widget.hear("Hello?")
    expect(widget.launcher).to_have_accessible_name("Chat, 2 unread")
    widget.launcher.click()
    expect(widget.launcher).to_have_accessible_name("Chat")


def test_files_go_up_with_progress_and_come_down(widget: Widget, tmp_path: Path) -> None:
    widget.start()
    file = tmp_path / "receipt.txt"
    file.write_text("paid")
    with widget.page.expect_file_chooser() as chooser:
        widget.button("Attach a file").click()
    chooser.value.set_files(file)
    mine = widget.log.locator(".message.own").get_by_role("button", name="Download receipt.txt")
    expect(mine).to_be_visible()
    with widget.page.expect_event("download") as download:
        mine.click()
    assert download.value.path().read_text() == "paid"


def test_a_file_that_is_scanned_is_shown_as_such_and_may_be_rejected(
    widget: Widget, tmp_path: Path
) -> None:
    widget.sandbox.change(scanner_s=0.6)
    widget.start()
    file = tmp_path / "virus.txt"
    file.write_text("x")
    widget.panel.locator("input[type=file]").set_input_files(file)
    expect(widget.own("virus.txt")).to_contain_text("Being checked")
    expect(widget.own("virus.txt")).to_contain_text("This file was not accepted")
    expect(widget.own("virus.txt")).to_have_count(1)


def test_a_file_nobody_wants_is_refused_before_it_travels(widget: Widget, tmp_path: Path) -> None:
    widget.start()
    for name, text, sentence in [
        ("tool.exe", "x", "Files of this type are not accepted"),
        ("empty.txt", "", "This file is empty"),
    ]:
        file = tmp_path / name
        file.write_text(text)
        widget.panel.locator("input[type=file]").set_input_files(file)
        expect(widget.panel.get_by_role("alert")).to_contain_text(sentence)
    expect(widget.log.locator(".message.own")).to_have_count(0)


def test_a_file_from_the_agent_can_be_fetched(widget: Widget) -> None:
    widget.meet_agent()
    widget.act("attach", name="label.pdf", content_type="application/pdf", text="%PDF-1.4")
    expect(widget.button("Download label.pdf")).to_be_enabled()


def test_a_file_of_a_chat_that_is_over_is_named_and_offers_nothing_that_fails(
    widget: Widget,
) -> None:
    widget.meet_agent()
    widget.act("attach", name="label.pdf", content_type="application/pdf", text="%PDF-1.4")
    expect(widget.button("Download label.pdf")).to_be_enabled()
    widget.act("end")
    expect(widget.said("label.pdf")).to_contain_text("Not available after the end of the chat.")
    expect(widget.button("Download label.pdf")).to_have_count(0)


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


def test_a_new_message_does_not_move_what_is_being_read(widget: Widget) -> None:
    widget.meet_agent()
    for number in range(1, 25):
        widget.hear(f"Line {number:03}")
    expect(widget.said("Line 024")).to_be_visible()
    widget.log.evaluate(
        "log => new Promise((done) => { log.onscrollend = done; log.scrollTop = 150 })"
    )
    widget.hear("Something new")
    widget.button("New messages").click()
    expect(widget.said("Something new")).to_be_in_viewport()
    expect(widget.button("New messages")).to_be_hidden()


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
    widget.sandbox.change(disconnect_flow_s=3)
    other = widget.second_tab().visit()
    expect(other.panel).to_be_visible()
    widget.end()
    for tab in (widget, other):
        expect(tab.panel).to_contain_text("Ending the chat…")
    widget.hear("How was it?")
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


def typed(widget: Widget) -> int:
    """How often the visitor's typing reached the service."""
    calls = widget.sandbox.control("GET", "calls")
    return sum("event.typing" in json.dumps(each) for each in calls)


def until(page: Page, is_so: Callable[[], bool], within_s: float = 15.0) -> None:
    """Wait for something the page does not show."""
    for _ in range(int(within_s * 10)):
        if is_so():
            return
        page.wait_for_timeout(100)
    pytest.fail("It did not come about in time.")
