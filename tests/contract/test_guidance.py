"""Views of step-by-step guides, and signing in from a chat."""

import json
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests

from tests.contract.ground import EVENT, Chat, Ground, assert_refused, differs

BACK = "https://shop.example/chat?from=sign-in"


def describe(chat: Chat, view_token: str, token: str | None = None) -> requests.Response:
    url = f"{chat.ground.url}/participant/views/{quote(view_token, safe='')}"
    headers = {"X-Amz-Bearer": chat.token if token is None else token}
    return requests.get(url, headers=headers, timeout=10)


def test_a_view_is_described_as_json_strings(ground: Ground) -> None:
    chat = ground.live()
    template = {"Head": {"Title": "How was it?"}}
    token = chat.act("view", template=template, name="survey", actions=["Submit"])["view_token"]
    assert "/" in token
    assert "+" in token
    view = describe(chat, token).json()["View"]
    assert (view["Name"], view["Version"]) == ("survey", 1)
    assert json.loads(view["Content"]["Template"]) == template
    assert json.loads(view["Content"]["InputSchema"]) == {}
    assert view["Content"]["Actions"] == ["Submit"]
    by_boto = ground.boto().describe_view(ViewToken=token, ConnectionToken=chat.token)
    assert by_boto["View"] == view


def test_an_unknown_view_is_not_found(ground: Ground) -> None:
    chat = ground.live()
    assert_refused(describe(chat, "made/up+=="), 404, "ResourceNotFoundException")
    assert_refused(describe(chat, "x", "made-up"), 403, "AccessDeniedException")
    assert_refused(describe(chat, "x" * 1001), 400, "ValidationException")


def test_a_customer_signs_in(ground: Ground) -> None:
    chat = ground.live()
    session_id = chat.act("sign-in")["session_id"]
    asked = chat.ear.item(ContentType=EVENT + "authentication.initiated")
    assert json.loads(asked["Content"]) == {"SessionId": session_id}
    body = {"SessionId": session_id, "RedirectUri": BACK}
    url = chat.done("authentication-url", body)["AuthenticationUrl"]
    assert len(url) <= 2083
    assert "Sign in" in requests.get(url, timeout=10).text
    form = {"name": "Jane Doe", "choice": "yes"}
    back = requests.post(url, data=form, allow_redirects=False, timeout=10).headers["Location"]
    assert back.startswith(BACK + "&")
    assert parse_qs(urlsplit(back).query)["state"] == [session_id]
    chat.ear.item(ContentType=EVENT + "authentication.succeeded")
    chat.ear.item(ContentType=EVENT + "participant.displayname.updated", DisplayName="Jane Doe")


def test_a_customer_declines_at_the_page(ground: Ground) -> None:
    chat = ground.live()
    session_id = chat.act("sign-in")["session_id"]
    body = {"SessionId": session_id, "RedirectUri": BACK}
    url = chat.done("authentication-url", body)["AuthenticationUrl"]
    requests.post(url, data={"choice": "no"}, allow_redirects=False, timeout=10)
    chat.ear.item(ContentType=EVENT + "authentication.failed")
    assert requests.get(url, timeout=10).status_code == 404


def test_a_customer_cancels_in_the_chat(ground: Ground) -> None:
    chat = ground.live()
    session_id = chat.act("sign-in")["session_id"]
    assert chat.done("cancel-authentication", {"SessionId": session_id}) == {}
    chat.ear.item(ContentType=EVENT + "authentication.cancelled")
    for path, more in (
        ("cancel-authentication", {}),
        ("authentication-url", {"RedirectUri": BACK}),
    ):
        answer = chat.post(path, {"SessionId": session_id} | more)
        assert_refused(answer, 400, "ValidationException")


@differs("proxy", "the minute runs on the service's clock")
def test_the_url_is_to_be_asked_for_within_a_minute(ground: Ground) -> None:
    ground.sandbox.stop_clock()
    chat = ground.live()
    body = {"SessionId": chat.act("sign-in")["session_id"], "RedirectUri": BACK}
    ground.sandbox.advance(59)
    assert chat.post("authentication-url", body).status_code == 200
    ground.sandbox.advance(2)
    assert_refused(chat.post("authentication-url", body), 400, "ValidationException")


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "data:text/html,x"])
def test_the_page_leads_back_to_the_web_only(ground: Ground, uri: str) -> None:
    chat = ground.live()
    body = {"SessionId": chat.act("sign-in")["session_id"], "RedirectUri": uri}
    answer = chat.post("authentication-url", body)
    if answer.status_code == 200:
        assert requests.get(answer.json()["AuthenticationUrl"], timeout=10).status_code == 404
