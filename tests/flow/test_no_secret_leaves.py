"""Promise 1: no token, websocket URL or credential of the service in anything that leaves us.

Every answer, frame, page, metric, log line (at DEBUG) and the database file are searched for every
secret the sandbox ever issued. What may pass is named: one-file URLs, the AuthenticationUrl, view
tokens; they are issued under other names and must appear in the one answer they are for, only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import requests

from tests.flow.client import Visitor, eventually
from tests.processes import RunningDemo, RunningSandbox

ADMIN_PAGES = ("", "widgets/widget/", "chat_sessions/chatsession/")
PUBLIC_PAGES = (
    "/healthz",
    "/readyz",
    "/demo/",
    "/api/docs",
    "/api/v1/openapi.json",
    "/api/v1/widgets/demo",
    "/widget/v1/loader.js",
    "/nothing/here",
)


class Haystack:
    """Everything a person outside could have seen, with where it was seen."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def add(self, where: str, what: str) -> None:
        self.seen.append((where, what))

    def answer(self, where: str, answer: requests.Response) -> requests.Response:
        self.add(f"{where} headers", json.dumps(dict(answer.headers)))
        self.add(f"{where} body", answer.text)
        return answer

    def assert_free_of(self, secrets: list[str]) -> None:
        for secret in secrets:
            found = [where for where, what in self.seen if secret in what]
            assert not found, f"a secret of {len(secret)} characters is in {found}"


def whole_chat(demo: RunningDemo, hay: Haystack) -> Visitor:
    visitor = Visitor(demo.url)
    hay.add("session", visitor.get("session").text)
    tab = visitor.open_tab()
    calls: tuple[tuple[str, dict[str, object]], ...] = (
        ("message", {"ContentType": "text/plain", "Content": "hello"}),
        ("event", {"ContentType": "application/vnd.amazonaws.connect.event.typing"}),
        ("transcript", {}),
        ("message", {"ContentType": "text/html", "Content": "no"}),
        ("attachment", {"AttachmentId": "unknown"}),
        ("connection", {"Type": ["WEBSOCKET", "CONNECTION_CREDENTIALS"]}),
    )
    for operation, body in calls:
        hay.answer(operation, visitor.call(operation, body))
    demo.sandbox.add_fault(kind="error", operation="SendMessage", error="AccessDeniedException")
    hay.answer("renewed", visitor.call("message", dict(calls[0][1])))
    for kind in ("nonsense", "reset", "throttle"):
        demo.sandbox.add_fault(kind=kind, operation="SendMessage", count=1)
        hay.answer(kind, visitor.call("message", dict(calls[0][1])))
    demo.sandbox.control("POST", f"contacts/{visitor.contact_id}/drop-sockets", {})
    tab.wait(lambda frame: frame.get("content") == {"state": "connected"})
    hay.answer("disconnect", visitor.call("disconnect", {}))
    eventually(lambda: visitor.state() == "ended")
    hay.answer("after the end", visitor.call("message", dict(calls[0][1])))
    for form in ("json", "txt", "html"):
        hay.answer(form, visitor.get(f"session/transcript?format={form}"))
    tab.read_for(0.5)
    hay.add("frames", json.dumps(tab.frames))
    tab.close()
    return visitor


def admin_pages(demo: RunningDemo, hay: Haystack, visitor: Visitor) -> None:
    browser = requests.Session()
    login = f"{demo.url}/admin/login/"
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get(login).text)
    assert token is not None
    fields = {"username": "demo", "password": "demo-only", "csrfmiddlewaretoken": token[1]}
    browser.post(login, data=fields, headers={"Referer": login}, timeout=10)
    pages = [*ADMIN_PAGES, f"chat_sessions/chatsession/{visitor.session}/change/"]
    for page in pages:
        answer = hay.answer(page, browser.get(f"{demo.url}/admin/{page}", timeout=20))
        assert answer.status_code == 200, page
    browser.close()


def test_no_secret_of_the_service_is_seen_anywhere(
    sandbox: RunningSandbox, start_demo: Callable[..., RunningDemo], tmp_path: Path
) -> None:
    demo = start_demo(sandbox, CHAT_LOG_LEVEL="DEBUG")
    sandbox.change(bot=False, quotas="off")
    hay = Haystack()
    visitor = whole_chat(demo, hay)
    admin_pages(demo, hay, visitor)
    for page in PUBLIC_PAGES:
        hay.answer(page, requests.get(f"{demo.url}{page}", timeout=10))
    hay.add("log", demo.child.written())
    for file in demo.database.parent.glob(f"{demo.database.name}*"):
        hay.add(file.name, file.read_bytes().decode("latin-1"))

    secrets = [str(one["value"] if isinstance(one, dict) else one) for one in _secrets(sandbox)]
    assert len(secrets) >= 4, "participant token, connection tokens and websocket URLs"
    hay.assert_free_of([*secrets, demo.environ["AWS_SECRET_ACCESS_KEY"] + "-secret"])


def _secrets(sandbox: RunningSandbox) -> list[object]:
    found = sandbox.state()["secrets"]
    return [each for kind in found.values() for each in kind] if isinstance(found, dict) else found
