"""Files in a chat: up with progress, checked, down again, and refused before they travel."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.widget import Widget


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
    widget.sandbox.change(scanner_s=60)
    widget.start()
    file = tmp_path / "virus.txt"
    file.write_text("x")
    widget.panel.locator("input[type=file]").set_input_files(file)
    # The upload says "Being checked" too, before the service knows; "Sent" says the scanner has it.
    expect(widget.own("virus.txt")).to_contain_text("Sent")
    expect(widget.own("virus.txt")).to_contain_text("Being checked")
    widget.sandbox.advance(61)
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


def test_a_file_the_service_refuses_says_why_and_goes_up_when_tried_again(
    widget: Widget, tmp_path: Path, expected_problems: list[str]
) -> None:
    expected_problems.append("status of 4")
    widget.start()
    operation, error = "StartAttachmentUpload", "AccessDeniedException"
    widget.sandbox.add_fault(operation=operation, kind="error", error=error)
    file = tmp_path / "receipt.txt"
    file.write_text("paid")
    widget.panel.locator("input[type=file]").set_input_files(file)
    row = widget.own("receipt.txt")
    expect(row.locator(".meta.bad")).to_be_visible()
    expect(row).not_to_contain_text("could not be uploaded")  # but in words that fit
    widget.sandbox.clear_faults()
    widget.button("Retry").click()
    expect(widget.button("Download receipt.txt")).to_be_visible()
