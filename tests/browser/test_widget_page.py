"""The widget as part of a page: keyboard, screen reader, colours, policies, attributes, events."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.attacks import ATTACKS, assert_harmless
from tests.browser.conftest import OpenPage
from tests.browser.widget import TAG, Widget, until
from tests.processes import RunningDemo

INTERACTIVE = "application/vnd.amazonaws.connect.message.interactive"


def test_an_opening_without_trouble_speaks_of_none(widget: Widget) -> None:
    widget.page.add_init_script(
        """
        window.notices = [];
        setInterval(() => {
          const root = document.querySelector("chatproxy-widget")?.shadowRoot;
          const notice = root?.querySelector(".notice:not([hidden])");
          if (notice) window.notices.push(notice.textContent);
        }, 1);
        """
    )
    widget.start()
    widget.page.reload()
    expect(widget.said("Hello")).to_be_visible()
    widget.say("connected")
    expect(widget.own("connected")).to_contain_text("Sent")
    assert widget.page.evaluate("() => window.notices") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_light_and_dark(
    open_page: OpenPage, demo: RunningDemo, scheme: str, tmp_path: Path
) -> None:
    demo.sandbox.change(bot_delay_s=0.05)
    widget = Widget(open_page(color_scheme=scheme, reduced_motion="reduce"), demo)
    widget.visit()
    assert_accessible(widget.page)
    widget.start()
    for word, seen in [
        ("markdown", "bold"),
        ("list", "What is it about?"),
        ("quick", "Did that solve it?"),
    ]:
        widget.say(word)
        expect(widget.said(seen)).to_be_visible()
    widget.act("attach", name="label.pdf", content_type="application/pdf", text="%PDF-1.4")
    widget.act("typing")
    expect(widget.log.locator(".typing")).to_be_visible()
    widget.page.route("**/participant/message", lambda route: route.abort())
    widget.page.evaluate("() => dispatchEvent(new Event('offline'))")
    expect(widget.panel).to_contain_text("You are offline.")
    widget.say("not sent yet: https://example.com")
    expect(widget.own("not sent yet")).to_contain_text("Sending")
    assert_accessible(widget.page)
    widget.page.unroute("**/participant/message")
    widget.page.evaluate("() => dispatchEvent(new Event('online'))")
    expect(widget.panel).not_to_contain_text("You are offline.")
    widget.button("More").click()
    assert_accessible(widget.page)
    widget.button("End chat").click()
    assert_accessible(widget.page)
    widget.panel.get_by_role("alertdialog").get_by_role("button", name="End chat").click()
    expect(widget.button("Start a new chat")).to_be_visible()
    assert_accessible(widget.page)


def test_everything_can_be_done_by_keyboard(widget: Widget) -> None:
    widget.visit()
    keys = widget.page.keyboard
    widget.launcher.focus()
    keys.press("Enter")
    expect(widget.box).to_be_focused()
    expect(widget.said("Hello")).to_be_visible()
    keys.type("quick")
    keys.press("Enter")
    expect(widget.button("Not yet")).to_be_visible()
    tab_until(widget, "Not yet", key="Shift+Tab")
    keys.press("Enter")
    expect(widget.own("Not yet")).to_have_count(1)
    expect(widget.box).to_be_focused()
    tab_until(widget, "More", key="Shift+Tab")
    keys.press("Enter")
    keys.press("Escape")
    expect(widget.button("More")).to_be_focused()
    keys.press("Enter")
    keys.press("Tab")
    expect(widget.button("Save transcript")).to_be_focused()
    tab_until(widget, "Close chat")
    expect(widget.button("Save transcript")).to_be_hidden()
    tab_until(widget, "More", key="Shift+Tab")
    keys.press("Enter")
    tab_until(widget, "End chat")
    keys.press("Enter")
    question = widget.panel.get_by_role("alertdialog")
    keep = question.get_by_role("button", name="Keep chatting")
    expect(keep).to_be_focused()
    for _ in range(2):  # round and round: nothing else matters now
        keys.press("Tab")
    expect(keep).to_be_focused()
    keys.press("Tab")
    keys.press("Enter")
    expect(widget.panel).to_contain_text("You ended this chat.")
    tab_until(widget, "Start a new chat")
    keys.press("Enter")
    expect(widget.said("Hello")).to_be_visible()
    expect(widget.box).to_be_focused()
    keys.press("Escape")
    expect(widget.panel).to_be_hidden()
    expect(widget.launcher).to_be_focused()


def test_a_long_code_block_scrolls_by_keyboard_and_a_short_one_is_passed_by(
    widget: Widget,
) -> None:
    widget.meet_agent()
    widget.hear("```\nshort\n```", content_type="text/markdown")
    lines = "\n".join(f"line {number}" for number in range(40))
    widget.hear(f"```\n{lines}\n```", content_type="text/markdown")
    short, long = (widget.log.locator("pre", has_text=text) for text in ("short", "line 39"))
    expect(long).to_have_attribute("tabindex", "0")
    expect(short).not_to_have_attribute("tabindex", "0")
    assert_accessible(widget.page)
    long.focus()
    widget.page.keyboard.press("End")
    widget.page.keyboard.press("PageDown")
    until(widget.page, lambda: long.evaluate("it => it.scrollTop") > 0)
    widget.hear("and one more thing")  # draws the block's row again
    expect(widget.said("and one more thing")).to_be_visible()
    expect(long).to_be_focused()


def tab_until(widget: Widget, name: str, key: str = "Tab") -> None:
    """Walk with Tab until the focus is on the button ``name``."""
    focused = "() => { const root = document.querySelector('chatproxy-widget').shadowRoot; "
    focused += "return root.activeElement?.ariaLabel ?? root.activeElement?.textContent ?? '' }"
    for _ in range(30):
        widget.page.keyboard.press(key)
        if widget.page.evaluate(focused) == name:
            return
    pytest.fail(f"No way to {name} by keyboard.")


def test_the_focus_is_not_lost_when_what_has_it_changes(
    widget: Widget, expected_problems: list[str]
) -> None:
    expected_problems.append("status of 400")  # a message that is refused, below
    widget.start()
    widget.say("list")
    option = widget.panel.get_by_role("button", name="Opening hours")
    option.focus()
    widget.hear("and one more thing", role="SYSTEM", display_name="BOT")
    expect(widget.said("and one more thing")).to_be_visible()
    expect(option).to_be_focused()
    widget.page.route(
        "**/participant/message",
        lambda route: route.fulfill(
            status=400, content_type="application/problem+json", body='{"detail": "No."}'
        ),
    )
    widget.say("never mind")
    widget.button("Delete").focus()
    widget.page.keyboard.press("Enter")
    expect(widget.own("never mind")).to_have_count(0)
    expect(widget.box).to_be_focused()


def test_what_arrives_is_spoken_once_and_the_past_is_not(widget: Widget) -> None:
    widget.meet_agent()
    widget.page.evaluate(
        """() => {
          window.spoken = [];
          const root = document.querySelector('chatproxy-widget').shadowRoot;
          for (const region of root.querySelectorAll('[role=status], [role=alert], [role=log]'))
            if (region.ariaLive !== 'off')
              new MutationObserver(() => {
                if (region.textContent) window.spoken.push(region.textContent);
              }).observe(region, { childList: true, characterData: true, subtree: true });
        }"""
    )
    expect(widget.log).to_have_attribute("aria-live", "off")
    widget.hear("Can you **hear** me?", content_type="text/markdown")
    widget.say("my own words")
    expect(widget.own("my own words")).to_contain_text("Sent")
    widget.page.wait_for_function("() => window.spoken.some((text) => text.includes('hear'))")
    spoken = widget.page.evaluate("() => window.spoken")
    assert "\n".join(spoken).count("Ann: Can you hear me?") == 1
    assert not any("my own words" in text for text in spoken)


@pytest.mark.parametrize(("width", "height"), [(390, 780), (320, 568)])
def test_on_a_small_screen_the_panel_is_modal_and_fills_it(
    open_page: OpenPage, demo: RunningDemo, width: int, height: int
) -> None:
    demo.sandbox.change(bot_delay_s=0.05)
    page = open_page(viewport={"width": width, "height": height}, has_touch=True, is_mobile=True)
    widget = Widget(page, demo)
    widget.start()
    box = widget.panel.bounding_box()
    assert box is not None
    assert [round(box[side]) for side in ("x", "y", "width", "height")] == [0, 0, width, height]
    assert page.evaluate(
        f"document.querySelector('{TAG}').shadowRoot.querySelector('dialog').matches(':modal')"
    )
    assert widget.box.evaluate("box => parseFloat(getComputedStyle(box).fontSize)") >= 16
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    widget.button("Close chat").click()
    expect(widget.panel).to_be_hidden()
    expect(widget.launcher).to_be_focused()


def cards_of(attack: str) -> list[dict[str, object]]:
    """Interactive messages of every kind with ``attack`` wherever there is text."""
    words = {"title": attack, "subtitle": attack}
    words |= {"imageType": "URL", "imageData": attack, "imageDescription": attack}
    element = {**words, "type": "hyperlink", "url": attack}
    slots = [{"date": attack, "duration": attack}, {"date": "2031-01-01T10:00Z", "duration": 1}]
    place = {"location": {"title": attack}, "timeslots": slots}
    inner = {"templateType": "Panel", "data": {"content": {**words, "elements": [element]}}}
    return [
        {"templateType": kind, "version": "1.0", "data": {"content": {**words, **content}}}
        for kind, content in {
            "ListPicker": {"elements": [element, {**words, "actionDetail": attack}]},
            "TimePicker": place,
            "Carousel": {"elements": [{**inner, "templateIdentifier": attack}]},
            attack: {"elements": [element]},
        }.items()
    ]


def test_nothing_from_the_network_becomes_html(widget: Widget) -> None:
    widget.meet_agent()
    requests: list[str] = []
    widget.page.on("request", lambda request: requests.append(request.url))
    for attack in ATTACKS:
        widget.hear(attack)
        widget.hear(attack, content_type="text/markdown")
        for card in cards_of(attack):
            widget.act("say", content=json.dumps(card), content_type=INTERACTIVE, role="SYSTEM")
    widget.act("attach", name="<img src=x onerror=alert(1)>.txt", text="x")
    widget.hear("done", display_name="<b>Bob</b>")
    expect(widget.said("done")).to_be_visible()
    assert_harmless(widget.page, widget.log)
    assert not any("example.invalid" in url for url in requests)


def test_it_works_where_trusted_types_are_enforced(
    widget: Widget, expected_problems: list[str]
) -> None:
    expected_problems.append("'TrustedHTML' assignment")  # ours, at the end
    widget.page.add_init_script(
        """
        new MutationObserver((_, observer) => {
          if (!document.head) return;
          const policy = document.createElement("meta");
          policy.httpEquiv = "Content-Security-Policy";
          policy.content = "require-trusted-types-for 'script'; trusted-types chatproxy";
          document.head.prepend(policy);
          observer.disconnect();
        }).observe(document, { childList: true, subtree: true });
        """
    )
    widget.start()
    set_html = "() => { document.createElement('p').innerHTML = '<b>' }"
    with pytest.raises(Error, match="TrustedHTML"):
        widget.page.evaluate(set_html)


def test_calls_before_the_loader_are_played_and_events_tell_what_happens(widget: Widget) -> None:
    widget.page.add_init_script(
        """
        window.chatproxy = function () { (chatproxy.q = chatproxy.q || []).push(arguments) };
        window.heard = [];
        const note = ({ type, content, endedBy, own }) =>
          window.heard.push([type, content ?? endedBy ?? "", own ?? null]);
        for (const name of ["opened", "closed", "started", "message", "ended", "problem"])
          window.chatproxy("on", `chat-${name}`, note);
        window.chatproxy("set", { displayName: "Jane" });
        window.chatproxy("open");
        """
    )
    widget.visit()
    expect(widget.said("Hello Jane")).to_be_visible()
    widget.page.evaluate("() => chatproxy('send', 'from the page')")
    expect(widget.own("from the page")).to_contain_text("Sent")
    widget.page.evaluate("() => chatproxy('close')")
    expect(widget.panel).to_be_hidden()
    widget.page.evaluate("() => chatproxy('end')")
    widget.panel.get_by_role("alertdialog").get_by_role("button", name="End chat").click()
    expect(widget.panel).to_contain_text("You ended this chat.")
    widget.page.wait_for_function("() => window.heard.some(([name]) => name === 'chat-ended')")
    heard = widget.page.evaluate("() => window.heard")
    names = [name for name, *_ in heard]
    assert names[:2] == ["chat-opened", "chat-started"]
    assert ["chat-message", "from the page", True] in heard
    assert ["chat-ended", "customer", None] in heard
    assert names.count("chat-closed") == 1


def test_a_chat_may_begin_with_the_first_message(widget: Widget) -> None:
    with_attributes(widget, start="message")
    widget.launcher.click()
    expect(widget.panel).to_contain_text("How can we help?")
    assert widget.stored() == {}
    expect(widget.button("Attach a file")).to_be_disabled()
    widget.say("first words")
    expect(widget.own("first words")).to_contain_text("Sent")
    expect(widget.button("Attach a file")).to_be_enabled()
    expect(widget.own("first words")).to_have_count(1)


@pytest.mark.parametrize(("storage", "kept"), [("memory", 0), ("session", 1)])
def test_where_a_chat_is_kept_can_be_chosen(widget: Widget, storage: str, kept: int) -> None:
    with_attributes(widget, storage=storage)
    widget.launcher.click()
    expect(widget.said("Hello")).to_be_visible()
    assert widget.stored() == {}
    assert widget.page.evaluate("() => sessionStorage.length") == kept


def test_colours_follow_the_accent_and_stay_readable(widget: Widget) -> None:
    # Colours of what is still fading in are no colours yet.
    widget.page.emulate_media(reduced_motion="reduce")
    with_attributes(widget, accent="#ffd400", position="left")
    widget.launcher.click()
    expect(widget.said("Hello")).to_be_visible()
    widget.say("dark on yellow")
    expect(widget.own("dark on yellow")).to_contain_text("Sent")
    assert_accessible(widget.page)
    box = widget.panel.bounding_box()
    assert box is not None
    assert box["x"] < 50


def with_attributes(widget: Widget, **attributes: str) -> None:
    """Visit, with more ``data-…`` attributes on the page's tag."""
    widget.page.add_init_script(
        """
        new MutationObserver((_, observer) => {
          const script = document.querySelector("script[data-widget]");
          if (script) { Object.assign(script.dataset, ATTRIBUTES); observer.disconnect() }
        }).observe(document, { childList: true, subtree: true });
        """.replace("ATTRIBUTES", json.dumps(attributes))
    )
    widget.visit()


def test_a_page_that_throws_the_element_away_is_left_in_peace(widget: Widget) -> None:
    widget.start()
    sockets: list[str] = []
    widget.page.on("websocket", lambda socket: sockets.append(socket.url))
    widget.page.evaluate(f"() => document.querySelector('{TAG}').remove()")
    expect(widget.page.locator(TAG)).to_have_count(0)
    before = len(widget.requests)
    widget.page.evaluate(
        "() => { dispatchEvent(new Event('online')); dispatchEvent(new Event('pageshow')) }"
    )
    widget.page.wait_for_timeout(300)
    assert len(widget.requests) == before
    assert sockets == []
