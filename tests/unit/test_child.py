"""Child processes: ready when they say so, gone when told, and quoted when they die."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatproxy.child import Child, ChildFailed, is_free
from tests.processes import free_port

SERVER = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
print("serving now")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""


@pytest.fixture
def make_child(tmp_path: Path) -> Iterator[Callable[[str], Child]]:
    made: list[Child] = []

    def make(program: str) -> Child:
        port = free_port()
        child = Child(
            "thing", ["-c", program, str(port)], environ={}, port=port, log_dir=tmp_path / "log"
        )
        made.append(child)
        return child

    yield make
    for child in made:
        child.kill()


def test_a_child_is_ready_once_it_answers(make_child: Callable[[str], Child]) -> None:
    child = make_child(SERVER)
    child.start()
    child.wait_ready(20)
    assert child.exit_code is None
    assert not is_free(child.port)


def test_a_stopped_child_is_gone_and_can_start_again(make_child: Callable[[str], Child]) -> None:
    child = make_child(SERVER)
    for _ in range(2):
        child.start()
        child.wait_ready(20)
        child.stop()
        assert child.exit_code is not None
        assert is_free(child.port)


def test_a_child_that_ignores_the_request_to_stop_is_killed(
    make_child: Callable[[str], Child],
) -> None:
    child = make_child("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER)
    child.start()
    child.wait_ready(20)
    child.stop(grace_s=0.2)
    assert child.exit_code == -9


def test_a_child_that_dies_is_quoted(make_child: Callable[[str], Child]) -> None:
    child = make_child("print('no such setting'); raise SystemExit(3)")
    child.start()
    with pytest.raises(ChildFailed, match=r"(?s)thing ended by itself \(exit code 3\).*no such"):
        child.wait_ready(20)


def test_a_child_that_never_answers_is_given_up(make_child: Callable[[str], Child]) -> None:
    child = make_child("import time; time.sleep(60)")
    child.start()
    with pytest.raises(ChildFailed, match="not ready within 0 s"):
        child.wait_ready(0.2)


def test_stopping_what_was_never_started_does_nothing(make_child: Callable[[str], Child]) -> None:
    child = make_child(SERVER)
    child.stop()
    child.kill()
    assert child.exit_code is None
    assert child.written() == ""
