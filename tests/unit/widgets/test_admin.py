"""Widgets in the admin: made and changed with forgiving input, and ready to be copied to a page."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils.html import escape

from chatproxy.sessions.models import ChatSession
from chatproxy.widgets import contrast, lookup, snippet
from chatproxy.widgets.models import DEFAULT_CONTENT_TYPES, Widget

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]
ADD = "/admin/widgets/widget/add/"


@pytest.fixture
def admin() -> Client:
    user = get_user_model().objects.create_superuser("root", password="x")
    client = Client()
    client.force_login(user)
    return client


def filled(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Shop",
        "key": "shop",
        "enabled": "on",
        "allowed_origins": "https://shop.example",
        "content_types": ["text/plain"],
        "attribute_names": "",
        "title": "Ask us",
        "visitor_name": "Customer",
        "accent": "#2f55e0",
        "scheme": "auto",
        "position": "right",
        "storage": "local",
        "texts": "{}",
        "attachment_max_bytes": "1000",
        "max_length": "1024",
        "chat_minutes": "1500",
        "starts_per_day": "10",
        "live_chats": "5",
        **changes,
    }


def complaints(answer: Any) -> str:
    assert answer.status_code == 200
    errors = answer.context["adminform"].form.errors
    return " ".join(error for field in errors.values() for error in field)


def test_lists_are_written_one_a_line(admin: Client) -> None:
    typed = "HTTPS://Shop.Example/\n\n http://127.0.0.1:8080\nhttps://shop.example:443\n"
    names = "order\norder_total, customer-id"
    answer = admin.post(ADD, filled(allowed_origins=typed, attribute_names=names))
    assert answer.status_code == 302
    widget = Widget.objects.get(key="shop")
    assert widget.allowed_origins == ["https://shop.example", "http://127.0.0.1:8080"]
    assert widget.attribute_names == ["order", "order_total", "customer-id"]
    page = admin.get(f"/admin/widgets/widget/{widget.pk}/change/").content.decode()
    assert "https://shop.example\nhttp://127.0.0.1:8080</textarea>" in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("https://shop.example/chat", "has a path"),
        ("shop.example", "is not an origin"),
        ("https://*.shop.example", "is not an origin"),
        ("ftp://shop.example", "is not an origin"),
        ("null", "is not an origin"),
        ("https://shop.example:port", "is not an origin"),
        ("https://user@shop.example", "is not an origin"),
    ],
)
def test_wrong_origin_is_named(admin: Client, typed: str, said: str) -> None:
    answer = admin.post(ADD, filled(allowed_origins=f"https://good.example\n{typed}"))
    assert said in complaints(answer)
    assert typed in complaints(answer)
    assert "good.example" not in complaints(answer)
    assert escape(typed) in answer.content.decode()
    assert not Widget.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("attribute_names", "two words!", "use letters, digits"),
        ("accent", "blue", "Write a colour as #rrggbb"),
        ("key", "Not A Key", "Use 2 to 63 of"),
        ("texts", '["launcher"]', "each key with its text"),
        ("texts", '{"launcher": 1}', "each key with its text"),
        ("texts", "{", "valid JSON"),
        ("chat_minutes", "30", "greater than or equal to 60"),
        ("max_length", "0", "greater than or equal to 1"),
        ("content_types", ["text/html"], "not one of the available choices"),
    ],
)
def test_wrong_value_is_explained(admin: Client, field: str, value: Any, said: str) -> None:
    assert said in complaints(admin.post(ADD, filled(**{field: value})))


def test_plain_text_can_always_be_sent(admin: Client) -> None:
    admin.post(ADD, filled(content_types=["application/json"]))
    assert Widget.objects.get().content_types == ["text/plain", "application/json"]


def test_default_content_types_are_ticked(admin: Client) -> None:
    page = admin.get(ADD).content.decode()
    ticked = re.findall(r'name="content_types" value="([^"]+)"[^>]* checked', page)
    assert ticked == DEFAULT_CONTENT_TYPES


def test_saving_is_felt_at_once_here(admin: Client) -> None:
    widget = Widget.objects.create(key="shop", name="Shop")
    lookup.forget()
    assert lookup.widget_by_key("shop") is not None
    assert "https://shop.example" not in lookup.all_origins()
    admin.post(f"/admin/widgets/widget/{widget.pk}/change/", filled(enabled=""))
    assert lookup.widget_by_key("shop") is None
    assert "https://shop.example" in lookup.all_origins()


def test_key_stays_because_pages_carry_it(admin: Client) -> None:
    widget = Widget.objects.create(key="shop", name="Shop")
    admin.post(f"/admin/widgets/widget/{widget.pk}/change/", filled(key="other", name="New"))
    widget.refresh_from_db()
    assert (widget.key, widget.name) == ("shop", "New")


def test_widget_without_a_page_is_warned_about(admin: Client) -> None:
    answer = admin.post(ADD, filled(allowed_origins=""), follow=True)
    assert any("No page may embed it yet" in str(note) for note in answer.context["messages"])


def test_widget_that_had_chats_is_kept(admin: Client) -> None:
    widget = Widget.objects.create(key="shop", name="Shop")
    address = f"/admin/widgets/widget/{widget.pk}/delete/"
    assert admin.get(address).status_code == 200
    ChatSession.objects.create(widget=widget, display_name="x", expires_at="2030-01-01T00:00Z")
    assert admin.get(address).status_code == 403


def test_tag_is_there_to_be_read_not_run(admin: Client) -> None:
    widget = Widget.objects.create(key="shop", name="Shop")
    page = admin.get(f"/admin/widgets/widget/{widget.pk}/change/").content.decode()
    tag = '<script src="http://127.0.0.1:8000/widget/v1/loader.js" data-widget="shop" async>'
    assert escape(f"{tag}</script>") in page
    assert tag not in page
    assert page.count("data-copy") == 3


def test_tag_says_what_the_launcher_cannot_know() -> None:
    plain = Widget(key="shop")
    assert "data-widget" in snippet.tag(plain)
    assert snippet.tag(plain).count("data-") == 1
    other = Widget(key="shop", storage="session", position="left", scheme="dark", accent="#aa0000")
    for said in ("storage='session'", "position='left'", "scheme='dark'", "accent='#aa0000'"):
        assert f"data-{said}".replace("'", '"') in snippet.tag(other)


def test_policy_lines_name_us_and_where_files_lie(settings: Any) -> None:
    settings.CHAT_DEMO = False
    settings.CHAT_PUBLIC_URL = "https://chat.example.com"
    settings.CONNECT_REGION = "eu-central-1"
    files = "https://*.s3.eu-central-1.amazonaws.com"
    assert snippet.csp_lines().splitlines() == [
        "script-src https://chat.example.com;",
        f"connect-src https://chat.example.com wss://chat.example.com {files};",
        f"img-src {files};",
    ]


def test_policy_lines_are_those_of_the_document(settings: Any) -> None:
    settings.CHAT_DEMO = False
    settings.CHAT_PUBLIC_URL = "https://chat.example.com"
    settings.CONNECT_REGION = "<region>"
    document = (ROOT / "docs/widget.md").read_text()
    block = re.search(r"^## Content Security Policy\n.*?^```\n(.*?)^```$", document, re.M | re.S)
    assert block is not None
    lines = [re.sub(r" +", " ", line.partition("   (")[0]) for line in block[1].splitlines()]
    assert lines == [*snippet.csp_lines().splitlines(), snippet.trusted_types_line()]


def test_list_leads_to_the_widgets_chats(admin: Client) -> None:
    widget = Widget.objects.create(key="shop", name="Shop", allowed_origins=["https://a.example"])
    page = admin.get("/admin/widgets/widget/").content.decode()
    address = f"/admin/chat_sessions/chatsession/?widget__id__exact={widget.pk}"
    assert address in page
    assert "https://a.example" in page
    assert admin.get(address).status_code == 200


def test_dates_are_written_as_on_the_pages_about_sessions(admin: Client) -> None:
    widget = Widget.objects.create(key="shop", name="Shop")
    for path in ("", f"{widget.pk}/change/"):
        page = admin.get(f"/admin/widgets/widget/{path}").content.decode()
        assert f"{widget.changed_at:%d %b %Y %H:%M:%S} UTC" in page


def test_pages_need_nothing_inline(admin: Client) -> None:
    widget = Widget.objects.create(key="shop", name="Shop")
    for path in ("", "add/", f"{widget.pk}/change/"):
        answer = admin.get(f"/admin/widgets/widget/{path}")
        assert not re.search(r"<style|\sstyle=|\son\w+=\"|javascript:", answer.content.decode())
        assert "unsafe" not in answer["Content-Security-Policy"]


# --- contrast -----------------------------------------------------------------------------------


def test_ratio_is_wcags() -> None:
    assert contrast.ratio("#000000", "#ffffff") == pytest.approx(21)
    assert contrast.ratio("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_text_is_legible_on_any_accent() -> None:
    greys = (f"#{level:02x}{level:02x}{level:02x}" for level in range(256))
    assert all(contrast.judge(grey).text_ratio >= 4.5 for grey in greys)


def test_faint_accents_are_named() -> None:
    assert contrast.judge("#ffee88").faint_on == ("light",)
    assert contrast.judge("#101820").faint_on == ("dark",)
    assert contrast.judge("#2F55E0").faint_on == ()
    assert "Hard to see on a light page" in str(contrast.judge("#ffee88"))
