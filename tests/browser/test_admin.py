"""The admin in a real browser: under the strict policy, accessible, and felt by visitors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, Page, expect

from chatproxy.widgets.demo import ADMIN_NAME, ADMIN_PASSWORD
from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import RESULTS, OpenPage
from tests.browser.widget import Widget
from tests.flow.client import Visitor, eventually
from tests.processes import RunningDemo

LogIn = Callable[..., Page]


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    """What a browser that has logged in keeps: whoever is first does it for all."""
    return {}


@pytest.fixture
def log_in(open_page: OpenPage, demo: RunningDemo, known: dict[str, Any]) -> LogIn:
    """``log_in(**options)``: the admin's first page, in a browser of its own."""

    def log_in(**options: object) -> Page:
        page = open_page(viewport={"width": 1360, "height": 900}, **known, **options)
        page.goto(f"{demo.url}/admin/")
        if not known:
            page.get_by_label("Username").fill(ADMIN_NAME)
            page.get_by_label("Password").fill(ADMIN_PASSWORD)
            page.get_by_label("Password").press("Enter")
        expect(page.get_by_role("heading", name="Chats at a glance")).to_be_visible()
        known["storage_state"] = page.context.storage_state()
        return page

    return log_in


@pytest.fixture
def visitor(open_page: OpenPage, demo: RunningDemo) -> Widget:
    """Somebody in the middle of a chat."""
    demo.sandbox.change(bot_delay_s=0.05)
    widget = Widget(open_page(), demo).start()
    widget.say("<b>It hung</b> at ten past two")
    expect(widget.said("You wrote")).to_be_visible()
    return widget


def offers_to_end(page: Page) -> bool:
    page.reload()
    return page.get_by_role("link", name="End chat").count() > 0


def newest_session(page: Page) -> None:
    """From anywhere, by way of the list, to the session that began last."""
    page.get_by_role("link", name="Sessions").first.click()
    page.locator("#result_list tbody tr").first.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()


def test_operator_finds_a_chat_reads_it_and_ends_it(log_in: LogIn, visitor: Widget) -> None:
    page = log_in()
    page.get_by_role("link", name="Live now").click()
    row = page.locator("#result_list tbody tr").first
    expect(row).to_contain_text("Active")
    page.get_by_role("searchbox", name="Search").fill(visitor.contact_id)
    page.keyboard.press("Enter")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.locator("#result_list tbody tr").get_by_role("link").click()
    expect(page.locator(".transcript")).to_contain_text("<b>It hung</b> at ten past two")
    expect(page.locator(".timeline")).to_contain_text("Upstream connected")

    page.get_by_role("link", name="End chat").click()
    page.get_by_role("button", name="End chat").click()
    expect(page.get_by_text("is being ended; every tab is told within seconds")).to_be_visible()
    expect(visitor.log).to_contain_text("ended", timeout=5000)
    eventually(lambda: not offers_to_end(page), what="the record of the end")  # tabs hear it first
    expect(page.get_by_text("Ended by", exact=True)).to_be_visible()


def test_several_are_chosen_in_the_list(
    log_in: LogIn, visitor: Widget, expected_problems: list[str]
) -> None:
    expected_problems.append("40[13]")  # the visitor's page finds its key refused
    page = log_in()
    page.get_by_role("link", name="Live now").click()
    page.locator("#result_list tbody tr").first.get_by_role("checkbox").check()
    page.get_by_role("combobox").select_option("Revoke keys")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("heading", name="Revoke keys?")).to_be_visible()
    page.get_by_role("button", name="Revoke keys").click()
    expect(page.get_by_text("1 key is revoked")).to_be_visible()


def test_a_dozen_chats_are_ended_at_the_pace_of_the_quota(log_in: LogIn, demo: RunningDemo) -> None:
    demo.sandbox.change(quotas="exact")
    visitors = [Visitor(demo.url) for _ in range(12)]
    page = log_in()
    page.get_by_role("link", name="Sessions").first.click()
    newest = page.locator("#result_list tbody tr")
    for number in range(len(visitors)):
        newest.nth(number).get_by_role("checkbox").check()
    page.get_by_role("combobox").select_option("End chat")
    page.get_by_role("button", name="Go").click()
    page.get_by_role("button", name="End chat").click()
    expect(page.get_by_text(" of 12 done.")).to_be_visible()
    said = page.locator(".messagelist li")
    expect(said).to_have_count(1, timeout=30_000)
    expect(said).to_contain_text("the chat is being ended; every tab is told within seconds.")
    for visitor in visitors:
        expect(said).to_contain_text(visitor.session[:8])
    assert "StopContact" not in demo.sandbox.state()["throttled"]


def test_dates_narrow_the_list(log_in: LogIn, visitor: Widget) -> None:
    page = log_in()
    page.get_by_role("link", name="Sessions").first.click()
    page.get_by_label("To", exact=True).fill("2020-01-01")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("0 sessions")).to_be_visible()
    page.get_by_role("link", name="Any time").click()
    expect(page.locator("#result_list tbody tr").first).to_be_visible()


def test_tag_is_copied(log_in: LogIn, demo: RunningDemo) -> None:
    page = log_in()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=demo.url)
    page.get_by_role("link", name="Widgets").first.click()
    page.get_by_role("link", name="Demo").first.click()
    page.get_by_role("button", name="Copy the tag").click()
    expect(page.get_by_role("button", name="Copy the tag")).to_have_text("Copied")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    loader = f"{demo.url}/widget/v1/loader.js"
    assert copied == f'<script src="{loader}" data-widget="demo" async></script>'


def test_a_page_with_exactly_the_lines_shown_runs_the_chat(
    log_in: LogIn,
    open_page: OpenPage,
    demo: RunningDemo,
    expected_problems: list[str],
    tmp_path: Path,
) -> None:
    expected_problems.append("'TrustedHTML' assignment")  # ours, to see that it is enforced
    admin = log_in()
    admin.get_by_role("link", name="Widgets").first.click()
    admin.get_by_role("link", name="Demo").first.click()
    expect(admin.locator(".to-copy code")).to_have_count(3)
    tag, *lines = admin.locator(".to-copy code").all_inner_texts()
    policy = " ".join(["default-src 'none';", *lines]).replace("\n", " ")
    page = open_page()
    page.route(
        "**/strict",
        lambda route: route.fulfill(
            content_type="text/html",
            headers={"Content-Security-Policy": policy},
            body=f'<!doctype html><html lang="en"><title>Shop</title><h1>Shop</h1>{tag}',
        ),
    )
    demo.sandbox.change(bot_delay_s=0.05)
    widget = Widget(page, demo)
    page.goto(f"{demo.url}/strict")
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("() => { document.createElement('p').innerHTML = '<b>' }")
    widget.launcher.click()
    expect(widget.said("Hello")).to_be_visible()
    widget.say("markdown")
    expect(widget.said("bold")).to_be_visible()
    document = tmp_path / "bill.pdf"
    document.write_bytes(b"%PDF-1.4")
    with page.expect_file_chooser() as chooser:
        widget.button("Attach a file").click()
    chooser.value.set_files(document)
    expect(widget.log).to_contain_text("bill.pdf")
    expect(widget.button("Download bill.pdf")).to_be_visible()
    with page.expect_download() as download:
        widget.button("Download bill.pdf").click()
    assert download.value.suggested_filename == "bill.pdf"


def test_origins_and_colours_are_judged_while_typed(log_in: LogIn) -> None:
    page = log_in()
    page.get_by_role("link", name="Widgets").first.click()
    page.get_by_role("link", name="Demo").first.click()
    page.get_by_label("Allowed origins").fill("https://good.example\nhttps://shop.example/chat")
    note = page.get_by_text("https://shop.example/chat has a path. Write https://shop.example.")
    expect(note).to_be_visible()
    page.get_by_label("Allowed origins").fill("https://good.example")
    expect(note).to_have_count(0)
    page.get_by_label("Accent").fill("#ffee88")
    expect(page.get_by_text("Text on it is black")).to_contain_text("Hard to see on a light page")


def test_a_refused_origin_is_complained_of_once_below_the_field(log_in: LogIn) -> None:
    page = log_in()
    page.get_by_role("link", name="Widgets").first.click()
    page.get_by_role("link", name="Demo").first.click()
    field = page.get_by_label("Allowed origins")
    field.fill("https://shop.example/chat")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Please correct the error below")).to_be_visible()
    complaint = page.get_by_text("has a path")
    expect(complaint).to_have_count(1)
    field_box, complaint_box = field.bounding_box(), complaint.bounding_box()
    assert field_box is not None
    assert complaint_box is not None
    assert complaint_box["y"] > field_box["y"] + field_box["height"]
    assert complaint_box["x"] >= field_box["x"]
    assert_accessible(page)
    field.fill("https://shop.example")
    expect(page.get_by_text("has a path")).to_have_count(0)


def test_on_a_phone_a_widgets_fields_stay_in_their_card(log_in: LogIn) -> None:
    page = log_in()
    page.get_by_role("link", name="Widgets").first.click()
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("link", name="Demo").first.click()
    assert (
        page.locator(".module").evaluate_all(
            """cards => cards.flatMap((card) => {
              const end = card.getBoundingClientRect().right;
              const inside = [...card.querySelectorAll("input, select, textarea, button, pre")];
              return inside.filter((each) => each.getBoundingClientRect().right > end);
            }).map((each) => each.outerHTML)"""
        )
        == []
    )
    assert_accessible(page)


def test_on_a_phone_long_words_stay_in_their_card(log_in: LogIn, demo: RunningDemo) -> None:
    visitor = Visitor(demo.url)
    visitor.open_tab()
    name = "Donaudampfschifffahrtsgesellschaftskapitaenswitwe" * 2
    contact = f"contacts/{visitor.contact_id}"
    demo.sandbox.control("POST", f"{contact}/join", {"display_name": name})
    demo.sandbox.control("POST", f"{contact}/say", {"display_name": name, "content": "Hello"})
    page = log_in()
    page.set_viewport_size({"width": 390, "height": 844})
    eventually(lambda: has_heard(page, demo, visitor, name), what="the agent's words")
    card = page.get_by_role("region", name="Transcript")
    assert card.evaluate("card => card.scrollWidth <= card.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def has_heard(page: Page, demo: RunningDemo, visitor: Visitor, name: str) -> bool:
    page.goto(f"{demo.url}/admin/chat_sessions/chatsession/{visitor.session}/change/")
    return page.locator(".transcript .head", has_text=name).count() > 0


def log_out(page: Page, demo: RunningDemo) -> None:
    page.context.clear_cookies()
    page.goto(f"{demo.url}/admin/")
    expect(page.get_by_label("Password")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_look_right_and_are_accessible(
    log_in: LogIn, visitor: Widget, demo: RunningDemo, scheme: str
) -> None:
    """What they look like is kept in test-results/ for people to see."""
    RESULTS.mkdir(exist_ok=True)
    page = log_in(color_scheme=scheme)
    visits = {
        "index": lambda: None,
        "sessions": lambda: page.get_by_role("link", name="Sessions").first.click(),
        "session": lambda: newest_session(page),
        "confirm": lambda: page.get_by_role("link", name="Revoke keys").click(),
        "widgets": lambda: page.get_by_role("link", name="Widgets").first.click(),
        "widget": lambda: page.get_by_role("link", name="Demo").first.click(),
        "login": lambda: log_out(page, demo),
    }
    for name, visit in visits.items():
        visit()
        page.wait_for_load_state()
        page.screenshot(path=RESULTS / f"admin-{name}-{scheme}.png", full_page=True)
        assert_accessible(page)
