"""What Prometheus is told of a proxy that carries a chat, and who may ask."""

from __future__ import annotations

import pytest
import requests
from django.test import Client, override_settings

from tests.flow.client import Visitor, eventually
from tests.metrics import metric
from tests.processes import METRICS_TOKEN as TOKEN
from tests.processes import RunningDemo, RunningSandbox


def ask(demo: RunningDemo, authorization: str | None) -> requests.Response:
    headers = {"Authorization": authorization} if authorization else {}
    return requests.get(f"{demo.url}/metrics", headers=headers, timeout=10)


@override_settings(CHAT_METRICS_TOKEN="")
def test_metrics_are_off_until_a_token_is_set(client: Client) -> None:
    for authorization in ("", "Bearer ", "Bearer x"):
        answer = client.get("/metrics", HTTP_HOST="127.0.0.1", HTTP_AUTHORIZATION=authorization)
        assert answer.status_code == 404


@pytest.mark.parametrize(
    "authorization", [None, "Bearer wrong", "Bearer", TOKEN, f"Basic {TOKEN}", "Bearer t\u00f6ken"]
)
def test_without_the_token_nothing_is_told(demo: RunningDemo, authorization: str | None) -> None:
    encoded = authorization.encode() if authorization else None
    answer = ask(demo, encoded)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "CHAT_METRICS_TOKEN" in answer.text
    assert "chatproxy_" not in answer.text


def test_a_chat_shows_in_the_figures(demo: RunningDemo, sandbox: RunningSandbox) -> None:
    sandbox.change(bot=False)
    visitor = Visitor(demo.url)
    tab = visitor.open_tab()
    visitor.send("counted")
    tab.wait_text("counted")

    assert metric(demo.url, "chatproxy_links", state="connected") >= 1
    watching = metric(demo.url, "chatproxy_tabs")
    assert watching >= 1
    assert metric(demo.url, "chatproxy_frames_in_total") >= 1
    assert metric(demo.url, "chatproxy_frames_out_total") >= 1
    assert metric(demo.url, "chatproxy_database_up") == 1
    calls = {"operation": "SendMessage", "outcome": "ok"}
    assert metric(demo.url, "chatproxy_upstream_call_seconds_count", **calls) >= 1
    granted = metric(demo.url, "chatproxy_governor_granted_total", group="message")
    assert granted >= 1
    route = {"route": "participant/message", "method": "POST", "status": "200"}
    assert metric(demo.url, "chatproxy_http_requests_total", **route) >= 1
    assert metric(demo.url, "chatproxy_pool_threads", pool="message") > 0
    eventually(lambda: metric(demo.url, "chatproxy_recorder_waiting") == 0)
    tab.close()
    eventually(lambda: metric(demo.url, "chatproxy_tabs") < watching)


def test_a_refusal_of_the_service_is_counted_by_its_name(
    demo: RunningDemo, sandbox: RunningSandbox
) -> None:
    sandbox.change(bot=False)
    visitor = Visitor(demo.url)
    visitor.connect()
    sandbox.add_fault(operation="SendMessage", kind="throttle", count=1)
    answer = visitor.call("message", {"ContentType": "text/plain", "Content": "hi"})
    assert answer.status_code == 429
    calls = {"operation": "SendMessage", "outcome": "ThrottlingException"}
    assert metric(demo.url, "chatproxy_upstream_call_seconds_count", **calls) >= 1
    assert metric(demo.url, "chatproxy_governor_penalties_total", group="message") >= 1


def test_a_deferred_answer_is_counted_with_its_own_status(demo: RunningDemo) -> None:
    route = {"route": "participant/connection", "status": "200"}
    before = metric(demo.url, "chatproxy_http_requests_total", **route)
    Visitor(demo.url).connect()  # waits for its link, so answers in a second hop
    assert metric(demo.url, "chatproxy_http_requests_total", **route) == before + 1


def test_no_address_key_or_word_of_a_visitor_is_in_the_figures(
    demo: RunningDemo, sandbox: RunningSandbox
) -> None:
    sandbox.change(bot=False)
    visitor = Visitor(demo.url)
    visitor.connect()
    visitor.send("not for dashboards")
    requests.get(f"{demo.url}/participant/views/a-view-token", timeout=10)
    text = ask(demo, f"Bearer {TOKEN}").text
    private = [visitor.session, visitor.contact_id, visitor.key, "dashboards", "a-view-token"]
    assert not [each for each in [*private, *map(str, sandbox.state()["secrets"])] if each in text]
