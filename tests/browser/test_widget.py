"""What a visitor and an agent say to each other: sandbox, proxy and widget as they run."""

import json
import re

from playwright.sync_api import Route, expect

from tests.browser.widget import Widget, until


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


def test_a_list_of_several_pages_can_be_leafed_through_and_chosen_from(widget: Widget) -> None:
    widget.start()
    widget.say("pages")
    expect(widget.said("Our shoes")).to_contain_text("1 to ")
    first = widget.said("Our shoes").inner_text()
    more = widget.button("Show more")
    more.press("Enter")
    expect(widget.said("Our shoes")).to_contain_text("5 to ")
    expect(more).to_be_focused()
    while more.count():
        seen = widget.said("Our shoes").inner_text()
        more.click()
        expect(widget.said("Our shoes")).not_to_contain_text(seen.splitlines()[-1])
    expect(widget.said("Our shoes")).to_have_count(1)
    previous = widget.button("Previous")
    expect(previous).to_be_focused()
    while previous.count():
        seen = widget.said("Our shoes").inner_text()
        previous.click()
        expect(widget.said("Our shoes")).not_to_contain_text(seen.splitlines()[-1])
    assert widget.said("Our shoes").inner_text() == first
    expect(widget.log.locator(".message.own")).to_have_count(1)
    more.dblclick()
    chosen = widget.log.locator(".option").nth(1)
    expect(widget.said("Our shoes")).to_contain_text("5 to ")
    title = chosen.inner_text()
    chosen.click()
    expect(widget.own(title)).to_have_count(1)
    expect(widget.said("Our shoes")).to_contain_text("5 to ")
    expect(widget.button(f"{title}, chosen")).to_be_disabled()
    expect(more).to_have_count(0)


def test_a_page_that_does_not_come_is_said_and_can_be_asked_for_again(
    widget: Widget, expected_problems: list[str]
) -> None:
    expected_problems.append("ERR_FAILED")
    widget.start()
    widget.say("pages")
    expect(widget.button("Show more")).to_be_visible()
    widget.page.route("**/participant/message", lambda route: route.abort())
    widget.button("Show more").click()
    expect(widget.panel.get_by_role("alert")).to_contain_text("cannot be reached")
    widget.page.unroute("**/participant/message")
    widget.button("Show more").click()
    expect(widget.said("Our shoes")).to_contain_text("5 to ")
    expect(widget.panel.get_by_role("alert")).to_have_count(0)


def test_where_paging_is_not_allowed_it_is_said_that_there_is_more(widget: Widget) -> None:
    def plain_only(route: Route) -> None:
        body = route.fetch().json()
        route.fulfill(json={**body, "contentTypes": ["text/plain"]})

    widget.page.route("**/api/v1/widgets/*", plain_only)
    widget.start()
    widget.say("pages")
    expect(widget.log).to_contain_text("There is more to choose from.")
    expect(widget.button("Show more")).to_have_count(0)


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


def typed(widget: Widget) -> int:
    """How often the visitor's typing reached the service."""
    calls = widget.sandbox.control("GET", "calls")
    return sum("event.typing" in json.dumps(each) for each in calls)
