"""The agent console as a page: safe, kept over reloads, usable by keys, on a phone, by ear."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.customer import Customer
from tests.browser.desk import OpenCustomer, bubbles, opened, row, take, write
from tests.processes import RunningSandbox

INTERACTIVE = "application/vnd.amazonaws.connect.message.interactive"


def test_a_lost_sandbox_is_said_and_found_again(
    page: Page, start_sandbox: Callable[..., RunningSandbox], expected_problems: list[str]
) -> None:
    expected_problems.append("ERR_")
    sandbox = start_sandbox()
    opened(page, sandbox)
    sandbox.child.stop()
    expect(page.get_by_text("No connection to the sandbox.")).to_be_visible()
    sandbox.child.start()
    sandbox.child.wait_ready(60)

    expect(page.get_by_text("No connection to the sandbox.")).to_be_hidden(timeout=30_000)
    customer = Customer(sandbox.url, "Jane Doe")
    expect(row(page, customer)).to_be_visible()
    customer.close()


def test_words_from_the_network_never_become_html(console: Page, arrive: OpenCustomer) -> None:
    nasty = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    jane = arrive(nasty)
    jane.say("agent")
    console.get_by_role("button", name=re.compile("^Take the chat with")).click()
    jane.say(nasty)
    jane.say(f"**{nasty}** [x](javascript:alert(1))", "text/markdown")
    jane.say(json.dumps({"data": {nasty: nasty}, "action": nasty}), f"{INTERACTIVE}.response")

    log = console.get_by_role("log")
    expect(log.locator(".bubble")).to_have_count(6)
    assert log.locator("script, img, a").count() == 0
    expect(log).to_contain_text("[x](javascript:alert(1))")
    expect(console).to_have_title("Agent console")


def test_the_page_allows_no_foreign_or_inline_code(sandbox: RunningSandbox, page: Page) -> None:
    answer = page.goto(f"{sandbox.url}/console/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=", answer.text())


def test_another_site_cannot_act_in_the_agents_name(
    sandbox: RunningSandbox, arrive: OpenCustomer, page: Page
) -> None:
    jane = arrive()
    path = f"{sandbox.url}/console/chats/{jane.contact_id}/end"
    assert page.request.post(path, data={}).status == 403
    assert page.request.get(f"{sandbox.url}/console/static/../views.py").status == 404
    assert page.request.get(f"{sandbox.url}/console/static/%2e%2e/views.py").status == 404


def test_it_works_by_keyboard_alone(console: Page, arrive: OpenCustomer) -> None:
    jane = arrive()
    jane.say("agent")
    expect(console.locator("#list-waiting")).to_contain_text("Jane Doe")
    console.keyboard.press("Alt+n")
    console.keyboard.press("Alt+a")
    expect(console.get_by_label("Message", exact=True)).to_be_focused()
    console.keyboard.type("Hello")
    console.keyboard.press("Shift+Enter")
    console.keyboard.type("Jane")
    console.keyboard.press("Enter")
    jane.wait_for(Content="Hello\nJane")

    console.keyboard.press("/")
    expect(console.get_by_role("menuitem", name="Quick replies")).to_be_focused()
    console.keyboard.press("ArrowDown")
    console.keyboard.press("Enter")
    assert "ListPicker" in jane.wait_for(ContentType=INTERACTIVE)["Content"]

    console.keyboard.press("Escape")
    expect(row(console, jane)).to_be_focused()
    console.keyboard.press("?")
    expect(console.get_by_role("dialog", name="Keyboard")).to_be_visible()
    console.keyboard.press("Escape")
    expect(console.get_by_role("dialog", name="Keyboard")).to_be_hidden()


def test_reading_further_up_is_not_disturbed(console: Page, arrive: OpenCustomer) -> None:
    jane = arrive()
    take(console, jane)
    for number in range(30):
        jane.say(f"Line {number}")
    expect(bubbles(console).last).to_have_text("Line 29")
    console.get_by_role("log").evaluate("(log) => log.scrollTo(0, 0)")
    said = jane.say("Below")
    expect(console.get_by_role("button", name="New messages")).to_be_visible()
    assert console.get_by_role("log").evaluate("(log) => log.scrollTop") == 0
    receipt = jane.wait_for(Type="MESSAGEMETADATA", Id=said)["MessageMetadata"]["Receipts"][0]
    assert "ReadTimestamp" not in receipt

    console.get_by_role("button", name="New messages").click()
    expect(bubbles(console).last).to_be_in_viewport()
    jane.wait_until_read(said)


def test_it_fits_a_phone(
    open_page: Callable[..., Page], sandbox: RunningSandbox, arrive: OpenCustomer
) -> None:
    phone = open_page(viewport={"width": 360, "height": 640}, has_touch=True)
    console = opened(phone, sandbox)
    jane = arrive()
    jane.say("agent")
    console.get_by_role("button", name="Take the chat with Jane Doe").tap()
    console.get_by_label("Message", exact=True).fill("Hello")
    console.get_by_role("button", name="Send", exact=True).tap()
    jane.wait_for(Content="Hello")
    assert console.evaluate("document.documentElement.scrollWidth") <= 360

    console.get_by_role("button", name="All chats").tap()
    expect(row(console, jane)).to_be_visible()
    expect(console.get_by_role("log")).to_be_hidden()


def test_axe_finds_nothing_on_a_phone(
    open_page: Callable[..., Page], sandbox: RunningSandbox, arrive: OpenCustomer
) -> None:
    phone = open_page(viewport={"width": 390, "height": 780}, reduced_motion="reduce")
    console = opened(phone, sandbox)
    assert_accessible(console)
    take(console, arrive())
    assert_accessible(console)
    console.get_by_role("button", name="About this chat").click()
    expect(console.get_by_text("ContactId", exact=True)).to_be_visible()
    assert_accessible(console)


@pytest.mark.parametrize("width", [390, 1280])
def test_a_long_name_leaves_room_for_the_role(
    open_page: Callable[..., Page], sandbox: RunningSandbox, arrive: OpenCustomer, width: int
) -> None:
    console = opened(open_page(viewport={"width": width, "height": 800}), sandbox)
    customer = arrive("Maximiliane Donaudampfschifffahrtsgesellschaftskapitaenswitwe von und zu")
    take(console, customer)
    console.get_by_role("button", name="About this chat").click()
    customer.event("typing")
    expect(console.locator("#typing")).to_contain_text("is typing")
    assert console.locator("#scroll").evaluate("(log) => log.scrollWidth <= log.clientWidth")
    role = console.locator(".people").get_by_text("CUSTOMER", exact=True)
    box = role.bounding_box()
    assert box is not None
    assert box["height"] < 30  # pixels: one line
    assert console.locator("#about").evaluate("(about) => about.scrollWidth <= about.clientWidth")


def test_after_the_end_nobody_is_in_the_chat(console: Page, arrive: OpenCustomer) -> None:
    jane = arrive()
    take(console, jane)
    console.get_by_role("button", name="About this chat").click()
    expect(console.locator("#about")).to_contain_text("CUSTOMER")
    jane.post("disconnect", {})
    expect(console.locator("#about")).to_contain_text("Nobody any more.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(
    open_page: Callable[..., Page], sandbox: RunningSandbox, arrive: OpenCustomer, scheme: str
) -> None:
    console = opened(open_page(color_scheme=scheme, reduced_motion="reduce"), sandbox)
    assert_accessible(console)
    jane, tom = arrive(), arrive("Tom")
    arrive("Li").say("agent")
    take(console, tom)
    take(console, jane)
    tom.say("Hello?")
    for word in ("quick", "carousel", "markdown", "file"):
        console.get_by_role("button", name="Ready-made messages").click()
        console.locator(f"[data-word={word}]").click()
    write(console, "There you are")
    jane.say("Thank you", "text/markdown")
    jane.event("typing")
    expect(console.locator("#typing")).not_to_be_empty()
    console.get_by_role("button", name="About this chat").click()
    expect(console.get_by_text("ContactId", exact=True)).to_be_visible()
    assert_accessible(console)
    console.get_by_role("button", name="Ready-made messages").click()
    assert_accessible(console)
    jane.post("disconnect", {})
    expect(console.locator("#list-ended")).to_contain_text("Jane Doe")
    assert_accessible(console)


def test_a_reload_keeps_chats_selection_and_name(console: Page, arrive: OpenCustomer) -> None:
    jane, tom = arrive(), arrive("Tom")
    take(console, jane)
    write(console, "How can I help?")
    jane.wait_for(Content="How can I help?")
    tom.say("agent")
    console.get_by_title("Change the name customers see").click()
    console.get_by_label("Name", exact=True).fill("Robin")
    console.keyboard.press("Enter")
    expect(console.locator("#me-name")).to_have_text("Robin")

    console.reload()

    expect(console.get_by_role("heading", name="Jane Doe")).to_be_visible()
    expect(bubbles(console).filter(has_text="How can I help?")).to_have_count(1)
    expect(console.locator("#list-waiting")).to_contain_text("Tom")
    expect(console.locator("#me-name")).to_have_text("Robin")
    write(console, "It is me again")
    assert jane.wait_for(Content="It is me again")["DisplayName"] == "Robin"


def test_two_pages_show_the_same(
    console: Page, sandbox: RunningSandbox, arrive: OpenCustomer
) -> None:
    jane = arrive()
    take(console, jane)
    other = opened(console.context.new_page(), sandbox)
    row(other, jane).click()
    write(other, "From the other page")

    expect(bubbles(console).last).to_have_text("From the other page")
    expect(bubbles(other).last).to_have_text("From the other page")
