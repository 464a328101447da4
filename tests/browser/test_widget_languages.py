"""The widget in the visitor's language: whose that is, which way it runs, and without it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import assert_accessible
from tests.browser.conftest import OpenPage
from tests.browser.widget import TAG, Widget
from tests.processes import RunningDemo

LANGUAGES = {
    "ar": "اكتب رسالة",
    "de": "Nachricht schreiben",
    "es": "Escribe un mensaje",
    "fr": "Écrire un message",
    "he": "כתיבת הודעה",
    "it": "Scrivi un messaggio",
    "ja": "メッセージを入力",
    "ko": "메시지를 입력하세요",
    "nl": "Schrijf een bericht",
    "pl": "Napisz wiadomość",
    "pt": "Escreva uma mensagem",
    "zh": "输入消息",
}


def in_language(widget: Widget, language: str) -> None:
    """A page that says it is in ``language``; its widget's panel is open."""
    widget.page.add_init_script(
        f"addEventListener('DOMContentLoaded', () => document.documentElement.lang = '{language}')"
    )
    widget.visit()
    widget.launcher.click()


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_speaks_as_the_page_does(widget: Widget, language: str) -> None:
    in_language(widget, language)
    box = widget.page.get_by_role("textbox", name=LANGUAGES[language])
    expect(box).to_have_attribute("placeholder", LANGUAGES[language])


@pytest.mark.parametrize("language", ["ar", "de", "ja"])
def test_it_can_be_used_by_everybody(open_page: OpenPage, demo: RunningDemo, language: str) -> None:
    widget = Widget(open_page(color_scheme="light", reduced_motion="reduce"), demo)
    in_language(widget, language)
    panel = widget.page.locator(f"{TAG} dialog")
    box = panel.get_by_role("textbox", name=LANGUAGES[language])
    expect(panel.locator(".bubble").filter(has_text="Hello")).to_be_visible()
    box.fill("markdown")
    box.press("Enter")
    expect(panel.locator(".bubble").filter(has_text="bold")).to_be_visible()
    runs = "rtl" if language in ("ar", "he") else "ltr"
    assert panel.evaluate("dialog => [dialog.lang, dialog.dir]") == [language, runs]
    assert panel.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")
    assert_accessible(widget.page)


def test_its_first_opening_costs_one_small_request_more(widget: Widget) -> None:
    in_language(widget, "de-CH")
    expect(widget.page.get_by_role("textbox", name=LANGUAGES["de"])).to_be_visible()
    (name,) = [request.url for request in widget.requests if "strings." in request.url]
    assert re.search(r"/widget/v1/strings\.panel\.de\.[0-9a-f]{8}\.json$", name)
    assert widget.page.locator(f"{TAG} dialog").get_attribute("lang") == "de-CH"


@pytest.mark.parametrize("language", ["en-GB", "sv"])
def test_english_is_there_already_for_those_who_want_it_or_have_nothing_better(
    widget: Widget, language: str
) -> None:
    in_language(widget, language)
    expect(widget.box).to_be_visible()
    assert not [request for request in widget.requests if "strings." in request.url]


def test_english_is_what_remains_if_the_strings_cannot_be_had(
    widget: Widget, expected_problems: list[str]
) -> None:
    expected_problems.append(r"net::ERR_FAILED")
    widget.page.route("**/strings.*", lambda route: route.abort())
    in_language(widget, "fr")
    expect(widget.box).to_be_visible()
    assert widget.page.locator(f"{TAG} dialog").get_attribute("lang") == "en"


def test_the_visitors_own_language_where_the_page_tells_none_or_one_it_does_not_speak(
    open_page: OpenPage, demo: RunningDemo
) -> None:
    widget = Widget(open_page(locale="pl-PL"), demo)
    in_language(widget, "sv")
    expect(widget.page.get_by_role("textbox", name=LANGUAGES["pl"])).to_be_visible()
