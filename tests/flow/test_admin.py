"""The admin of a running proxy: what an operator does is felt, and no secret is on any page."""

import re
import time
from collections.abc import Iterator

import pytest
import requests

from chatproxy.widgets.demo_login import ADMIN_NAME, ADMIN_PASSWORD
from tests.flow.client import ENDED, Tab, Visitor, eventually
from tests.processes import RunningDemo

SESSIONS = "/admin/chat_sessions/chatsession/"


class Operator:
    """Somebody logged in to the admin, with a plain HTTP client."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False
        page = self.get("/admin/login/?next=/admin/")
        self.post("/admin/login/?next=/admin/", page, username=ADMIN_NAME, password=ADMIN_PASSWORD)

    def get(self, path: str) -> str:
        answer = self.http.get(self.url + path, timeout=20)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer.text

    def post(self, path: str, page: str, **fields: str) -> str:
        """Send a form as the browser would, with the token that stands in ``page``."""
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert found is not None
        answer = self.http.post(
            self.url + path,
            data={"csrfmiddlewaretoken": found[1], **fields},
            headers={"Origin": self.url, "Referer": self.url + path},
            timeout=20,
        )
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        return answer.text

    def act(self, session: str, action: str) -> str:
        path = f"{SESSIONS}{session}/{action}/"
        return self.post(path, self.get(path), confirmed="yes")


@pytest.fixture
def operator(demo: RunningDemo) -> Operator:
    return Operator(demo.url)


def pages(operator: Operator, session: str) -> Iterator[tuple[str, str]]:
    """Every page of the admin that tells of chats and widgets."""
    paths = [
        "/admin/",
        SESSIONS,
        *(f"{SESSIONS}?show={one}" for one in ("live", "stuck", "unlinked", "failed")),
        f"{SESSIONS}?q={session}",
        f"{SESSIONS}{session}/change/",
        f"{SESSIONS}{session}/end-chat/",
        f"{SESSIONS}{session}/revoke-keys/",
        f"{SESSIONS}{session}/history/",
        "/admin/widgets/widget/",
        "/admin/widgets/widget/1/change/",
    ]
    for path in paths:
        yield path, operator.get(path)


def said(tab: Tab, what: str) -> None:
    tab.wait(lambda frame: what in str(frame.get("content", "")))


def test_no_page_shows_a_secret(demo: RunningDemo, operator: Operator) -> None:
    visitor = Visitor(demo.url)
    tab = visitor.open_tab()
    for word in ("hello there", "file", "view", "signin"):
        visitor.send(word)
        said(tab, word)
    detail = f"{SESSIONS}{visitor.session}/change/"
    eventually(lambda: "hello there" in operator.get(detail), what="nothing said was stored")
    live = dict(pages(operator, visitor.session))
    operator.act(visitor.session, "end-chat")
    said(tab, ENDED)
    operator.act(visitor.session, "revoke-keys")
    over = {f"{path} (over)": page for path, page in pages(operator, visitor.session)}

    secrets = {entry["value"] for entry in demo.sandbox.state()["secrets"]}
    assert len(secrets) >= 3
    secrets |= {visitor.key, visitor.connection_key}
    sealed = "sealed1-"  # how everything sealed begins
    assert "hello there" in live[detail]
    assert f'href="{SESSIONS}{visitor.session}/history/"' in live[detail]
    for path, page in (live | over).items():
        for secret in secrets:
            assert secret not in page, f"{path} shows a secret"
            assert requests.utils.quote(secret, safe="") not in page, f"{path} shows a secret"
        assert sealed not in page, f"{path} shows something sealed"


def test_tab_hears_of_the_end_within_seconds(demo: RunningDemo, operator: Operator) -> None:
    visitor = Visitor(demo.url)
    tab = visitor.open_tab()
    visitor.send("hello there")
    said(tab, "hello there")
    asked = time.monotonic()
    page = operator.act(visitor.session, "end-chat")
    assert "is being ended; every tab is told within seconds." in page
    said(tab, ENDED)
    assert time.monotonic() - asked < 10  # seconds; most of it is this machine being busy
    # The tab is told first; the row follows, off the hot path.
    eventually(lambda: visitor.state() == "ended", what="the session never ended")
    assert visitor.get("session").json()["endedBy"] == "operator"
    assert visitor.call("message", {"ContentType": "text/plain", "Content": "x"}).status_code == 403


def test_revoked_key_is_worthless_at_once(demo: RunningDemo, operator: Operator) -> None:
    visitor = Visitor(demo.url)
    tab = visitor.open_tab()
    page = operator.act(visitor.session, "revoke-keys")
    assert "1 key is revoked" in page
    assert tab.wait_closed() == 4502
    assert visitor.get("session").status_code == 401
    assert visitor.call("message", {"ContentType": "text/plain", "Content": "x"}).status_code == 403
