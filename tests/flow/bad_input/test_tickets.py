"""A ticket opens one socket, once, of its own session, for its own page."""

from __future__ import annotations

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.flow.client import Visitor
from tests.processes import RunningDemo


def handshake(url: str, origin: str | None = None) -> int:
    """Status of a refused handshake; 101 if it was not."""
    headers = {"Origin": origin} if origin else {}
    try:
        with connect(url, proxy=None, additional_headers=headers, open_timeout=10):
            return 101
    except InvalidStatus as err:
        return err.response.status_code


def test_a_ticket_opens_one_socket_once(visitor: Visitor) -> None:
    url = visitor.connect()
    assert handshake(url) == 101
    assert handshake(url) == 403


def test_a_ticket_is_good_for_its_own_session_only(demo: RunningDemo, visitor: Visitor) -> None:
    other = Visitor(demo.url)
    foreign = visitor.connect().replace(visitor.session, other.session)
    assert handshake(foreign) == 403


def test_a_ticket_that_was_made_up_missing_or_expired_is_refused(
    demo: RunningDemo, visitor: Visitor
) -> None:
    url = visitor.connect()
    late = demo.manage("shell", "-v", "0", "-c", _expired_ticket(visitor)).strip().split()[-1]
    bare = url.partition("?")[0]
    assert handshake(bare) == 403
    assert handshake(f"{bare}?ticket=made.up") == 403
    assert handshake(f"{bare}?ticket={late}") == 403


def _expired_ticket(visitor: Visitor) -> str:
    key_id = visitor.connection_key.split(".")[3]
    return (
        "from chatproxy.sessions.keys import new_ticket; "
        f"print(new_ticket({visitor.session!r}, '', {key_id}, 1000))"
    )


def test_a_ticket_of_one_page_does_not_serve_another(demo: RunningDemo) -> None:
    page = f"http://127.0.0.1:{demo.port}"
    url = Visitor(demo.url, origin=page).connect()
    assert handshake(url, "https://evil.example") == 403
    assert handshake(url, f"http://localhost:{demo.port}") == 403
    assert handshake(url, page) == 101
