"""Addresses, methods, hosts and widgets that are not there, and pages that are not on the list."""

from __future__ import annotations

import json
import uuid

import pytest
import requests
from django.test import Client
from pytest_django import Settings

from tests.flow.bad_input.calls import CONNECTED, CONNECTION, DENIED, INVALID, raw, start
from tests.flow.client import Visitor
from tests.flow.problem import assert_problem
from tests.processes import RunningDemo


@pytest.mark.parametrize("path", ["/participant/nothing", "/api/v1/nothing", "/api/v2/session"])
def test_an_unknown_address_points_to_the_reference(demo: RunningDemo, path: str) -> None:
    answer = requests.get(f"{demo.url}{path}", timeout=10)
    assert_problem(answer, 404, "not-found", "ResourceNotFoundException", says="/api/docs")


ELSEWHERE = ["/nope", "/metrics/", "/widget/v1/nope.js", "/static/nope.css"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
@pytest.mark.parametrize("path", ELSEWHERE)
def test_outside_the_doors_a_client_is_told_in_the_same_shape(
    demo: RunningDemo, path: str, accept: str
) -> None:
    answer = requests.get(f"{demo.url}{path}", headers={"Accept": accept}, timeout=10)
    assert_problem(answer, 404, "not-found", "ResourceNotFoundException", says="/api/docs")


@pytest.mark.parametrize("path", ELSEWHERE)
def test_outside_the_doors_a_browser_gets_a_page(demo: RunningDemo, path: str) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = requests.get(f"{demo.url}{path}", headers=browser, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (404, "text/html")


def test_metrics_that_are_off_are_no_page_either(client: Client, settings: Settings) -> None:
    settings.CHAT_METRICS_TOKEN = ""
    answer = client.get("/metrics")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_head_answers_as_get_without_a_body(demo: RunningDemo) -> None:
    got, headed = (
        requests.request(method, f"{demo.url}/api/v1/widgets/demo", timeout=10)
        for method in ("GET", "HEAD")
    )
    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers["ETag"] == got.headers["ETag"]
    nope = requests.head(f"{demo.url}/api/v1/widgets/nope", timeout=10)
    assert nope.status_code == 404


def test_a_strange_host_writes_one_line_and_no_traceback(demo: RunningDemo) -> None:
    before = demo.child.log_size()
    for path in ("/api/v1/sessions", "/nope"):
        raw(demo, path, "{}", Host="evil.example")
    lines = [
        line for line in demo.child.written(since=before).splitlines() if "evil.example" in line
    ]
    assert len(lines) == 2
    assert all("warning" in line for line in lines)
    assert "Traceback" not in demo.child.written(since=before)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/participant/message", "POST"),
        ("DELETE", "/participant/connection", "POST"),
        ("POST", "/participant/views/x", "GET"),
        ("GET", "/api/v1/sessions", "POST"),
        ("PATCH", "/api/v1/session", "DELETE, GET"),
        ("POST", "/api/v1/widgets/demo", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_which_there_are(
    demo: RunningDemo, method: str, path: str, allowed: str
) -> None:
    answer = requests.request(method, f"{demo.url}{path}", timeout=10)
    assert_problem(answer, 405, "method-not-allowed", INVALID)
    assert sorted(answer.headers["Allow"].split(", ")) == allowed.split(", ")


def test_a_transcript_in_an_unknown_format_names_those_there_are(visitor: Visitor) -> None:
    answer = visitor.get("session/transcript?format=pdf")
    assert_problem(answer, 422, "invalid-fields", INVALID, says="txt")


def test_an_unknown_widget_is_named(demo: RunningDemo) -> None:
    assert_problem(start(demo, {"widget": "nope"}), 404, "widget-not-found", INVALID, says="nope")
    answer = requests.get(f"{demo.url}/api/v1/widgets/nope", timeout=10)
    assert_problem(answer, 404, "widget-not-found", INVALID, says="nope")


@pytest.mark.parametrize("key", ["%00", "a%00b", "%ff", "%2e%2e%2f", "x" * 5000])
def test_a_widget_key_that_is_none_is_unknown(demo: RunningDemo, key: str) -> None:
    answer = requests.get(f"{demo.url}/api/v1/widgets/{key}", timeout=10)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/v1/sessions", "/participant/message"])
def test_a_strange_host_is_told_that_this_is_not_its_address(demo: RunningDemo, path: str) -> None:
    answer = raw(demo, path, "{}", Host="evil.example")
    assert_problem(answer, 400, "host-not-allowed", INVALID, says="CHAT_PUBLIC_URL")


def test_a_widget_that_is_switched_off_is_unknown(demo: RunningDemo) -> None:
    key = f"off-{uuid.uuid4().hex[:8]}"
    make = (
        "from chatproxy.widgets.models import Widget; "
        f"Widget.objects.create(key={key!r}, name='Off', enabled=False)"
    )
    demo.manage("shell", "-c", make)
    answer = start(demo, {"widget": key})
    assert_problem(answer, 404, "widget-not-found", INVALID, says="switched off")


#: Origins that look like the demo's own, ``http://127.0.0.1:{port}``.
FOREIGN = {
    "null": "null",
    "other host": "https://evil.example",
    "other port": "http://127.0.0.1:1{port}",
    "no port": "http://127.0.0.1",
    "https for http": "https://127.0.0.1:{port}",
    "look-alike": "http://127.0.0.1.evil.example:{port}",
    "prefix": "http://evil-127.0.0.1:{port}",
    "trailing dot": "http://127.0.0.1.:{port}",
    "trailing slash": "http://127.0.0.1:{port}/",
    "punycode": "http://xn--lcalhost-54a:{port}",
    "upper case": "HTTP://127.0.0.1:{port}",
    "user info": "http://127.0.0.1:{port}@evil.example",
    "two": "http://127.0.0.1:{port} https://evil.example",
}


@pytest.mark.parametrize("shape", FOREIGN.values(), ids=FOREIGN)
def test_a_page_that_is_not_on_the_list_is_refused_everywhere(
    demo: RunningDemo, visitor: Visitor, shape: str
) -> None:
    page = {"Origin": shape.format(port=demo.port)}
    refused = [
        (start(demo, {"widget": "demo"}, **page), 403),
        (
            requests.get(
                f"{demo.url}/api/v1/session",
                headers={"X-Amz-Bearer": visitor.key, **page},
                timeout=10,
            ),
            403,
        ),
        (raw(demo, "/participant/connection", json.dumps(CONNECTION), visitor.key, **page), 403),
        (
            raw(
                demo,
                "/participant/message",
                json.dumps(CONNECTED["message"]),
                visitor.connection_key,
                **page,
            ),
            403,
        ),
    ]
    for answer, status in refused:
        assert_problem(answer, status, "origin-not-allowed", DENIED, says="allowed origins")
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("shape", FOREIGN.values(), ids=FOREIGN)
def test_a_preflight_from_a_strange_page_is_not_granted(demo: RunningDemo, shape: str) -> None:
    answer = requests.options(
        f"{demo.url}/participant/message",
        headers={
            "Origin": shape.format(port=demo.port),
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-amz-bearer",
        },
        timeout=10,
    )
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "origin" in answer.headers["Vary"].lower()


def test_a_page_on_the_list_may_read_its_errors(demo: RunningDemo) -> None:
    answer = raw(demo, "/participant/message", "{}", "wrong", Origin=demo.url)
    assert_problem(answer, 403, "session-key-invalid", DENIED)
    assert answer.headers["Access-Control-Allow-Origin"] == demo.url
    exposed = answer.headers["Access-Control-Expose-Headers"].lower()
    assert {"x-amzn-errortype", "x-amzn-requestid", "retry-after"} <= set(exposed.split(", "))
