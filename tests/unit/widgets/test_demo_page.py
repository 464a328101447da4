"""The demo's page: the chat's one tag, on a page with a strict policy."""

import re

import pytest
from django.test import Client
from pytest_django import Settings

from chatproxy.widgets.demo import seed_demo
from chatproxy.widgets.models import INTERACTIVE_RESPONSE, Widget

pytestmark = pytest.mark.django_db
TAG = '<script src="http://127.0.0.1:8000/widget/v1/loader.js" data-widget="demo"'


def test_page_carries_the_one_tag() -> None:
    seed_demo(8000)
    page = Client().get("/demo/").content.decode()
    assert page.count("<script") == 1
    assert f"{TAG} async></script>" in page


def test_what_was_changed_in_the_admin_is_left_as_it_is() -> None:
    seed_demo(8000)
    assert INTERACTIVE_RESPONSE in Widget.objects.get(key="demo").sendable_content_types
    Widget.objects.update(content_types=["text/plain"])
    seed_demo(8000)
    assert Widget.objects.get(key="demo").content_types == ["text/plain"]


def test_a_server_of_ones_own_in_front_is_on_the_list(settings: Settings) -> None:
    settings.CHAT_PUBLIC_URL = "https://localhost:8443"
    seed_demo(8000)
    assert Widget.objects.get(key="demo").allowed_origins == [
        "http://127.0.0.1:8000",
        "http://localhost:8000",
        "https://localhost:8443",
    ]


def test_page_needs_nothing_inline() -> None:
    seed_demo(8000)
    answer = Client().get("/demo/")
    page = answer.content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "ws://127.0.0.1:8000" in answer["Content-Security-Policy"]


def test_colours_can_be_fixed() -> None:
    seed_demo(8000)
    page = Client().get("/demo/?theme=dark").content.decode()
    assert f'{TAG} data-scheme="dark" async></script>' in page
    assert 'data-theme="dark"' in page


def test_other_themes_are_ignored() -> None:
    seed_demo(8000)
    page = Client().get('/demo/?theme="><b>').content.decode()
    assert "<b>" not in page
    assert 'data-theme="auto"' in page


def test_bare_host_leads_to_the_page() -> None:
    answer = Client().get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/demo/")
    assert Client().get("/demo")["Location"] == "/demo/"


@pytest.mark.parametrize("path", ["/", "/demo/"])
def test_there_is_no_such_page_outside_the_demo(path: str, settings: Settings) -> None:
    settings.CHAT_DEMO = False
    assert Client().get(path).status_code == 404
