"""The sandbox's agent console, used as an agent uses it, against customers on the real protocol."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.accessibility import assert_accessible
from tests.browser.customer import EVENTS, Customer
from tests.processes import RunningSandbox

OpenCustomer = Callable[..., Customer]
INTERACTIVE = "application/vnd.amazonaws.connect.message.interactive"
PICTURE = (
    Path(__file__).parents[2] / "chatproxy/sandbox/console/static/pictures/parcel.png"
).read_bytes()


@pytest.fixture
def arrive(sandbox: RunningSandbox) -> Iterator[OpenCustomer]:
    """``arrive("Jane")``: a customer in a chat with the bot."""
    sandbox.change(bot_delay_s=0.0)
    customers: list[Customer] = []

    def open_customer(name: str = "Jane Doe", **wanted: object) -> Customer:
        customers.append(Customer(sandbox.url, name, **wanted))
        return customers[-1]

    yield open_customer
    for customer in customers:
        customer.close()


@pytest.fixture
def console(page: Page, sandbox: RunningSandbox) -> Page:
    """The console, connected."""
    return opened(page, sandbox)


def opened(page: Page, sandbox: RunningSandbox) -> Page:
    page.goto(f"{sandbox.url}/console/")
    expect(page.get_by_text("Ready", exact=True)).to_be_visible()
    return page


def row(console: Page, customer: Customer) -> Locator:
    return console.locator(f'[data-chat="{customer.contact_id}"]')


def bubbles(console: Page) -> Locator:
    return console.get_by_role("log").locator(".bubble")


def take(console: Page, customer: Customer) -> None:
    """Ask for a person as the customer, and be that person."""
    customer.say("agent")
    console.get_by_role("button", name=f"Take the chat with {customer.name}").click()
    expect(console.get_by_role("heading", name=customer.name)).to_be_visible()
    expect(console.get_by_label("Message", exact=True)).to_be_focused()


def write(console: Page, text: str) -> None:
    console.get_by_label("Message", exact=True).fill(text)
    console.keyboard.press("Enter")


def test_a_waiting_chat_appears_by_itself_and_both_sides_talk(
    console: Page, arrive: OpenCustomer
) -> None:
    jane = arrive()
    expect(console.get_by_text("No chats yet")).not_to_be_visible()
    take(console, jane)
    jane.wait_for(ContentType=f"{EVENTS}participant.joined", DisplayName="Ann")

    write(console, "How can I help?")
    frame = jane.wait_for(Content="How can I help?")
    assert (frame["ParticipantRole"], frame["DisplayName"]) == ("AGENT", "Ann")
    jane.say("Hello Ann")

    expect(bubbles(console).last).to_have_text("Hello Ann")
    expect(bubbles(console).filter(has_text="How can I help?")).to_have_count(1)


def test_receipts_go_both_ways(console: Page, arrive: OpenCustomer) -> None:
    jane = arrive()
    take(console, jane)
    said = jane.say("Is it in stock?")
    receipt = jane.wait_for(Type="MESSAGEMETADATA", Id=said)["MessageMetadata"]["Receipts"][0]
    assert "DeliveredTimestamp" in receipt
    jane.wait_until_read(said)

    write(console, "Yes it is")
    line = console.locator(".line", has_text="Yes it is")
    expect(line).to_contain_text("Sent")
    answer = jane.wait_for(Content="Yes it is")["Id"]
    jane.event("message.delivered", {"messageId": answer})
    expect(line).to_contain_text("Delivered")
    jane.event("message.read", {"messageId": answer})
    expect(line).to_contain_text("Read")


def test_what_nobody_looks_at_is_delivered_but_not_read(
    console: Page, arrive: OpenCustomer
) -> None:
    jane, tom = arrive(), arrive("Tom")
    take(console, jane)
    take(console, tom)

    said = jane.say("Are you there?")
    receipt = jane.wait_for(Type="MESSAGEMETADATA", Id=said)["MessageMetadata"]["Receipts"][0]
    assert "ReadTimestamp" not in receipt
    expect(row(console, jane).get_by_label("1 unread")).to_be_visible()
    expect(console).to_have_title("(1) Agent console")

    row(console, jane).click()
    jane.wait_until_read(said)
    expect(row(console, jane).locator(".badge")).to_be_hidden()
    expect(console).to_have_title("Agent console")


def test_typing_shows_on_both_sides(console: Page, arrive: OpenCustomer) -> None:
    jane = arrive()
    take(console, jane)

    console.get_by_label("Message", exact=True).press_sequentially("Let me see")
    jane.wait_for(ContentType=f"{EVENTS}typing", DisplayName="Ann")
    jane.event("typing")

    expect(console.locator("#typing")).to_have_text("Jane Doe is typing")
    expect(row(console, jane)).to_contain_text("typing…")
    jane.say("Thank you")
    expect(console.locator("#typing")).to_be_empty()


def test_each_chat_keeps_its_own_draft(console: Page, arrive: OpenCustomer) -> None:
    jane, tom = arrive(), arrive("Tom")
    take(console, jane)
    box = console.get_by_label("Message", exact=True)
    box.fill("Dear Jane")
    take(console, tom)
    expect(box).to_have_value("")
    row(console, jane).click()
    expect(box).to_have_value("Dear Jane")


def test_files_go_both_ways(console: Page, arrive: OpenCustomer) -> None:
    jane = arrive()
    take(console, jane)
    jane.send_file("label.png", "image/png", PICTURE)
    picture = console.get_by_role("img", name="label.png")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 160

    text = {"name": "read me.txt", "mimeType": "text/plain", "buffer": b"Boots"}
    console.locator("#files").set_input_files([text])
    frame = jane.wait_for(Type="ATTACHMENT", ParticipantRole="AGENT")
    assert frame["Attachments"][0]["AttachmentName"] == "read me.txt"
    with console.expect_download() as download:
        console.get_by_role("link", name="read me.txt").click()
    assert download.value.suggested_filename == "read me.txt"
    assert download.value.path().read_bytes() == b"Boots"


def test_a_dropped_file_is_sent(console: Page, arrive: OpenCustomer) -> None:
    jane = arrive()
    take(console, jane)
    dropped = console.evaluate_handle(
        """() => {
            const data = new DataTransfer();
            data.items.add(new File(["Boots"], "dropped.txt", { type: "text/plain" }));
            return data;
        }"""
    )
    console.dispatch_event("#talk", "dragover", {"dataTransfer": dropped})
    expect(console.get_by_text("Drop to send")).to_be_visible()
    console.dispatch_event("#talk", "drop", {"dataTransfer": dropped})

    expect(console.get_by_role("link", name="dropped.txt")).to_be_visible()
    assert jane.wait_for(Type="ATTACHMENT", ParticipantRole="AGENT")


def test_every_ready_made_message_reaches_the_customer(console: Page, arrive: OpenCustomer) -> None:
    jane = arrive(ParticipantConfiguration={"ResponseMode": "INCREMENTAL"})
    take(console, jane)
    menu = console.get_by_role("menu", name="Ready-made messages")
    for word in ("Quick replies", "List picker", "Panel", "Time picker", "Carousel", "Paged list"):
        console.get_by_role("button", name="Ready-made messages").click()
        menu.get_by_role("menuitem", name=word).click()
        expect(console.locator(".card-kind").last).to_be_visible()
    for word, content_type in {
        "Form": INTERACTIVE,
        "Markdown": "text/markdown",
        "JSON": "application/json",
        "Ask to sign in": f"{EVENTS}authentication.initiated",
        "Customer is idle": f"{EVENTS}participant.idle",
        "Customer is back": f"{EVENTS}participant.returned",
    }.items():
        console.get_by_role("button", name="Ready-made messages").click()
        menu.get_by_role("menuitem", name=word).click()
        jane.wait_for(ContentType=content_type)

    shown = [f["Content"] for f in jane.frames if f.get("ContentType") == INTERACTIVE]
    kinds = [json.loads(content)["templateType"] for content in shown]
    assert kinds == [
        "QuickReply", "ListPicker", "Panel", "TimePicker", "Carousel", "ListPicker", "ViewResource",
    ]  # fmt: skip


def test_a_streamed_answer_grows_in_one_place(console: Page, arrive: OpenCustomer) -> None:
    jane = arrive(ParticipantConfiguration={"ResponseMode": "INCREMENTAL"})
    take(console, jane)
    console.get_by_role("button", name="Ready-made messages").click()
    console.get_by_role("menuitem", name="Streamed answer").click()

    answer = bubbles(console).filter(has_text="A refund takes")
    expect(answer).to_have_class(re.compile("is-streaming"))
    expect(answer).to_contain_text("to the card you paid with.")
    expect(answer).to_have_count(1)
    expect(answer).not_to_have_class(re.compile("is-streaming"))


def test_ending_asks_first_and_ends_it_for_both(console: Page, arrive: OpenCustomer) -> None:
    jane = arrive()
    take(console, jane)
    console.get_by_role("button", name="End chat").click()
    console.get_by_role("button", name="Keep it open").click()
    write(console, "Anything else?")
    jane.wait_for(Content="Anything else?")

    console.get_by_role("button", name="End chat").click()
    console.get_by_role("dialog").get_by_role("button", name="End chat").click()

    jane.wait_for(ContentType=f"{EVENTS}participant.left", DisplayName="Ann")
    jane.wait_for(ContentType=f"{EVENTS}chat.ended")
    expect(console.get_by_role("log")).to_contain_text("The chat has ended")
    expect(console.get_by_label("Message", exact=True)).to_be_hidden()
    expect(console.locator("#list-ended")).to_contain_text("Jane Doe")


def test_a_chat_the_customer_ends_moves_to_ended(console: Page, arrive: OpenCustomer) -> None:
    jane = arrive()
    take(console, jane)
    jane.post("disconnect", {})

    expect(console.locator("#list-ended")).to_contain_text("Jane Doe")
    expect(console.get_by_text("This chat has ended.")).to_be_visible()


def test_a_chat_goes_back_to_the_bot_or_into_the_line(console: Page, arrive: OpenCustomer) -> None:
    jane = arrive()
    take(console, jane)
    console.get_by_role("button", name="Back in line").click()
    expect(console.locator("#list-waiting")).to_contain_text("Jane Doe")
    console.get_by_role("button", name="Take the chat", exact=True).click()
    console.get_by_role("button", name="Give to bot").click()

    jane.wait_for(Content="You are back with the bot. Write help to see what I can show you.")
    expect(console.locator("#list-bot")).to_contain_text("Jane Doe")
    console.get_by_role("button", name="Take over").click()
    write(console, "I am back too")
    jane.wait_for(Content="I am back too")


def test_the_bot_can_be_watched(console: Page, arrive: OpenCustomer) -> None:
    jane = arrive()
    row(console, jane).click()
    jane.say("list")

    expect(console.get_by_role("log")).to_contain_text("What is it about?")
    expect(console.locator("#take")).to_contain_text("The bot is answering.")


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


def test_what_was_not_sent_can_be_sent_again(
    console: Page, arrive: OpenCustomer, expected_problems: list[str]
) -> None:
    expected_problems.append("ERR_FAILED")
    jane = arrive()
    take(console, jane)

    def fail(route: Route) -> None:
        route.abort()

    console.route("**/message", fail)
    write(console, "Can you hear me?")
    expect(console.get_by_text("Not sent")).to_be_visible()
    console.unroute("**/message", fail)
    console.get_by_role("button", name="Try again").click()

    jane.wait_for(Content="Can you hear me?")
    expect(bubbles(console).filter(has_text="Can you hear me?")).to_have_count(1)
    expect(console.get_by_text("Not sent")).to_be_hidden()


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
