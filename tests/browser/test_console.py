"""The agent console, used as an agent uses it, against customers on the real protocol."""

import json
import re
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from tests.browser.customer import EVENTS
from tests.browser.desk import OpenCustomer, bubbles, row, take, write

INTERACTIVE = "application/vnd.amazonaws.connect.message.interactive"
PICTURE = (
    Path(__file__).parents[2] / "chatproxy/sandbox/console/static/pictures/parcel.png"
).read_bytes()


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


def test_an_agent_sends_the_types_of_the_service_and_no_others(
    console: Page, arrive: OpenCustomer, expected_problems: list[str]
) -> None:
    expected_problems.append("status of 409")
    jane = arrive()
    take(console, jane)
    for name, kind in [("evil.exe", "application/x-msdownload"), ("evil.exe", "text/plain")]:
        program = {"name": name, "mimeType": kind, "buffer": b"MZ"}
        console.locator("#files").set_input_files([program])
        said = f"Files of this type are not supported: {name} ({kind})."
        expect(console.get_by_role("alert")).to_contain_text(said)
    unknown_to_the_browser = {"name": "shoe.heic", "mimeType": "", "buffer": b"heic"}
    console.locator("#files").set_input_files([unknown_to_the_browser])
    [file] = jane.wait_for(Type="ATTACHMENT", ParticipantRole="AGENT")["Attachments"]
    assert (file["AttachmentName"], file["ContentType"]) == ("shoe.heic", "image/heic")


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
