"""``make run``: two servers, seeded, that come and go together."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from chatproxy.child import ROOT, is_free
from tests.flow.client import Visitor, eventually
from tests.processes import clean_environment, free_port

LINK = re.compile(r"http://[^ ]+/(?:demo/|console/|admin/|api/docs)")


class Demo:
    """``manage.py demo`` as ``make run`` starts it."""

    def __init__(self, database: Path, **environ: str) -> None:
        self.port, self.sandbox_port = free_port(), free_port()
        ports = ["--port", str(self.port), "--sandbox-port", str(self.sandbox_port)]
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo", *ports],
            cwd=ROOT,
            env={**clean_environment(), "DATABASE_URL": f"sqlite:///{database}", **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.printed = ""

    def wait_ready(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.printed += line
            if "Ctrl-C" in line:
                return
        pytest.fail(f"It ended before it was ready:\n{self.printed}")

    def wait_end(self) -> int:
        """Its exit code; ``printed`` is complete then."""
        rest, _ = self.process.communicate(timeout=30)
        self.printed += rest
        return self.process.returncode

    def children(self) -> list[int]:
        """Process ids of the two servers, oldest first."""
        pid = self.process.pid
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return sorted(int(child) for child in listed.split())

    def ports_are_free(self) -> bool:
        return is_free(self.port) and is_free(self.sandbox_port)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests here: whichever comes second starts on what the first one left."""
    return tmp_path_factory.mktemp("demo") / "demo.sqlite3"


@pytest.fixture
def start(database: Path) -> Iterator[Callable[..., Demo]]:
    started: list[Demo] = []

    def start(**environ: str) -> Demo:
        started.append(Demo(database, **environ))
        return started[-1]

    yield start
    for demo in started:
        demo.process.terminate()
        demo.process.communicate(timeout=30)


def test_it_serves_what_it_announces_and_ends_with_ctrl_c(start: Callable[..., Demo]) -> None:
    demo = start()
    demo.wait_ready()
    links = LINK.findall(demo.printed)
    assert len(links) == 4
    assert {link: requests.get(link, timeout=10).status_code for link in links} == dict.fromkeys(
        links, 200
    )
    demo.process.send_signal(signal.SIGINT)
    assert demo.wait_end() == 0
    assert demo.ports_are_free()


def test_it_takes_chats_and_ends_whole_when_a_server_dies(
    start: Callable[..., Demo],
) -> None:
    demo = start()
    demo.wait_ready()
    for name in ("127.0.0.1", "localhost"):
        answer = requests.post(
            f"http://127.0.0.1:{demo.port}/api/v1/sessions",
            json={"widget": "demo"},
            headers={"Origin": f"http://{name}:{demo.port}"},
            timeout=20,
        )
        assert answer.status_code == 201, answer.text
    os.kill(demo.children()[0], signal.SIGKILL)
    assert demo.wait_end() == 1
    assert "The sandbox ended by itself" in demo.printed
    assert demo.ports_are_free()


@contextmanager
def alone(which: str, ports: tuple[int, int], database: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``manage.py demo --only which``, once it answers; ended afterwards."""
    port, sandbox_port = ports
    options = ["--port", str(port), "--sandbox-port", str(sandbox_port), "--only", which]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", *options],
        cwd=ROOT,
        env={**clean_environment(), "DATABASE_URL": f"sqlite:///{database}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        listens = port if which == "proxy" else sandbox_port
        eventually(lambda: not is_free(listens), 60, f"the {which} never listened")
        yield process
    finally:
        process.terminate()
        process.wait(30)


def test_the_proxy_alone_can_be_killed_and_started_again_in_the_middle_of_a_chat(
    tmp_path: Path,
) -> None:
    ports, database = (free_port(), free_port()), tmp_path / "demo.sqlite3"
    with alone("sandbox", ports, database):
        with alone("proxy", ports, database) as proxy:
            visitor = Visitor(f"http://127.0.0.1:{ports[0]}")
            visitor.connect()
            visitor.send("said before")
            proxy.kill()
            proxy.wait(30)
            assert not is_free(ports[1])
            assert is_free(ports[0])
        with alone("proxy", ports, database):
            visitor.send("said after")
            said = [item.get("Content") for item in visitor.transcript()]
    assert "said before" in said
    assert "said after" in said


#: As a newcomer's shell has it, also where the tests themselves are run by make.
OUTSIDE_MAKE = {
    name: value
    for name, value in clean_environment().items()
    if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PORT", "SANDBOX_PORT")
}


@pytest.mark.parametrize("given", ["99999", "0", "-1", "abc", "9" * 5000])
@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_what_is_no_port_is_said_in_one_sentence(name: str, given: str) -> None:
    done = subprocess.run(
        ["make", "-s", "run", f"{name}={given}"],
        cwd=ROOT,
        env=OUTSIDE_MAKE,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
    assert len(said) == 1, done.stderr
    assert "is no port: give a number from 1 to 65535" in said[0]
    assert name in said[0]


def test_demo_rows_are_refused_off_this_machine(start: Callable[..., Demo]) -> None:
    demo = start(CHAT_PUBLIC_URL="https://chat.example.com")
    assert demo.wait_end() == 1
    assert "not on this machine" in demo.printed


def test_demo_rows_are_refused_out_of_demo_mode(start: Callable[..., Demo]) -> None:
    demo = start(CHAT_DEMO="0")
    assert demo.wait_end() == 1
    assert "CHAT_DEMO=1" in demo.printed
