"""The sandbox and the proxy as real processes, for tests that need the whole thing.

Both are started once for a run, by the code ``make run`` uses, on free ports, with a database of
their own. ``sandbox`` and ``demo`` give them to one test with the sandbox's memory wiped; a test
that needs other settings, or breaks things for good, starts its own with ``start_sandbox`` or
``start_demo``. When a test fails, what the servers wrote meanwhile is part of its report.
"""

import os
import random
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import pytest
import requests

from chatproxy.child import ROOT, Child, is_free
from chatproxy.demo import environment, proxy_process, sandbox_process

_children: list[Child] = []
_log_starts = pytest.StashKey[dict[int, int]]()
LOG_SHOWN = 8000
METRICS_TOKEN = "tests may read the metrics"
#: For ``manage.py shell``: as many chats as one likes.
UNLIMITED = (
    "from chatproxy.widgets.models import Widget;"
    "Widget.objects.update(starts_per_day=10**6, live_chats=10**6, accepts_no_origin=True)"
)
READY_WITHIN_S = 180.0
"""Generous: two loaded cores may be starting browsers and other servers at the same time."""


def free_port() -> int:
    """A loopback port nothing listens on, and that nobody else who asks here is given meanwhile.

    From below the range that the system hands out for outgoing connections: one of those could take
    it before the server that it is meant for does. Runs beside this one tell by the UDP port of the
    same number, which is kept for as long as this process lives.
    """
    chosen = random.SystemRandom()  # the module's own generator begins anew with each test
    while True:
        port = chosen.randrange(20_000, 32_000)
        mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            mark.bind(("127.0.0.1", port))
        except OSError:
            mark.close()
            continue
        mark.detach()  # left open
        if is_free(port):
            return port


def clean_environment() -> dict[str, str]:
    """This process's environment without any setting of ours, of AWS, or of a web proxy."""
    ours = ("CHAT_", "CONNECT_", "AWS_")
    others = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "HTTP_PROXY", "HTTPS_PROXY"}
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) and name.upper() not in others
    }


@dataclass
class RunningSandbox:
    """An Amazon Connect sandbox in a process of its own, and its control API."""

    child: Child

    @property
    def url(self) -> str:
        return self.child.url

    @property
    def port(self) -> int:
        return self.child.port

    def control(self, method: str, path: str, body: object | None = None) -> Any:
        """Call ``/control/<path>``; the parsed answer, or None if it has no body."""
        answer = requests.request(method, f"{self.url}/control/{path}", json=body, timeout=30)
        assert answer.ok, f"{method} /control/{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None

    def reset(self) -> None:
        """Forget every contact, fault, count and changed setting."""
        self.control("POST", "reset")

    def state(self) -> Any:
        """What it has seen and holds: requests per operation, throttles, contacts, secrets."""
        return self.control("GET", "state")

    def calls(self, operation: str, contact_id: str) -> list[Any]:
        """The answered calls of one operation in one chat, among the last 5,000."""
        found = self.control("GET", "calls")
        return [
            call
            for call in found
            if (call["operation"], call["contact_id"]) == (operation, contact_id)
        ]

    def change(self, **settings: object) -> None:
        """Change settings of the sandbox until the next reset."""
        self.control("PUT", "settings", settings)

    def stop_clock(self) -> None:
        """From here on its time passes in ``advance`` alone, not with ours."""
        self.control("POST", "clock", {"stopped": True})

    def advance(self, seconds: float) -> None:
        """Let its time pass; what falls due meanwhile has happened."""
        self.control("POST", "clock", {"advance_s": seconds})

    def say(self, contact_id: str, text: str) -> None:
        """The chat's agent says ``text``."""
        self.control("POST", f"contacts/{contact_id}/say", {"content": text})

    def add_fault(self, **fault: object) -> Any:
        return self.control("POST", "faults", fault)

    def clear_faults(self) -> None:
        self.control("DELETE", "faults")


@dataclass
class RunningDemo:
    """A proxy in a process of its own, in front of a sandbox in another."""

    child: Child
    sandbox: RunningSandbox
    environ: dict[str, str] = field(repr=False)

    @property
    def url(self) -> str:
        return self.child.url

    @property
    def port(self) -> int:
        return self.child.port

    @property
    def sandbox_url(self) -> str:
        return self.sandbox.url

    @property
    def database(self) -> Path:
        return Path(unquote(self.environ["DATABASE_URL"].removeprefix("sqlite:///")))

    def kill9(self) -> None:
        """End the proxy at once, mid-sentence, as a crash does."""
        self.child.kill()

    def stop(self) -> None:
        """End the proxy as a deploy does."""
        self.child.stop()

    def restart(self) -> None:
        """Start the proxy again, same port, same database; stops it first if it runs."""
        self.child.stop()
        self.child.start()
        self.child.wait_ready(READY_WITHIN_S)

    def manage(self, *arguments: str) -> str:
        """Run a management command with the proxy's settings; what it printed."""
        return manage(self.environ, *arguments)


def manage(environ: dict[str, str], *arguments: str) -> str:
    """Run a management command with these settings; what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=READY_WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, f"manage.py {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
    return done.stdout


@contextmanager
def started_sandbox(folder: Path, **environ: str) -> Iterator[RunningSandbox]:
    """A sandbox on a free port; ``environ`` adds to its environment."""
    child = sandbox_process(free_port(), environ={**clean_environment(), **environ}, log_dir=folder)
    with _kept_running(child):
        yield RunningSandbox(child)


@contextmanager
def started_demo(
    folder: Path,
    sandbox: RunningSandbox,
    server: Literal["daphne", "uvicorn"] = "daphne",
    **environ: str,
) -> Iterator[RunningDemo]:
    """A migrated, seeded proxy in front of ``sandbox``; ``environ`` wins over the demo's own."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    given = {
        "CHAT_STARTS_PER_ADDRESS": "100000/minute",
        "CHAT_REQUESTS_PER_KEY": "10000/second",
        "CHAT_METRICS_TOKEN": METRICS_TOKEN,
        "CHAT_OPENED_CACHE_SECONDS": "2",  # a test that revokes a key need not wait for the most
        **environ,
    }
    settings = environment(port, sandbox.port, {**clean_environment(), **given}, var=folder)
    manage(settings, "demo", "--prepare", "--port", str(port))
    if server == "uvicorn":
        child = Child("proxy", _uvicorn(port), environ=settings, port=port, log_dir=folder)
    else:
        child = proxy_process(port, environ=settings, log_dir=folder)
    with _kept_running(child):
        yield RunningDemo(child, sandbox, settings)


def _uvicorn(port: int) -> list[str]:
    """As docs/operations.md tells to start it."""
    options = "--loop uvloop --http httptools --ws websockets-sansio --ws-per-message-deflate false"
    where = f"--host 127.0.0.1 --port {port}"
    return f"-m uvicorn chatproxy.asgi:application {options} {where}".split()


@contextmanager
def _kept_running(child: Child) -> Iterator[None]:
    with children_shown(child):
        try:
            child.start()
            child.wait_ready(READY_WITHIN_S)
            yield
        finally:
            child.stop(grace_s=5)


@contextmanager
def children_shown(*children: Child) -> Iterator[None]:
    """While it lasts, what these write is part of a failed test's report."""
    _children.extend(children)
    try:
        yield
    finally:
        for child in children:
            _children.remove(child)


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """One sandbox for the whole run. A test asks for ``sandbox`` instead."""
    with started_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(scope="session")
def running_demo(
    running_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDemo]:
    """One proxy in front of that sandbox for the whole run. A test asks for ``demo`` instead."""
    with started_demo(tmp_path_factory.mktemp("demo"), running_sandbox) as running:
        yield running


@pytest.fixture
def sandbox(running_sandbox: RunningSandbox) -> RunningSandbox:
    """The run's sandbox, as fresh as if it had just been started."""
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture
def demo(running_demo: RunningDemo, sandbox: RunningSandbox) -> RunningDemo:
    """The run's proxy, up, in front of a fresh sandbox."""
    if not running_demo.child.is_ready():  # a test before this one killed it
        running_demo.restart()
    return running_demo


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Iterator[Callable[..., RunningSandbox]]:
    """``start_sandbox(**environ)``: another sandbox, for this test alone."""
    with ExitStack() as stack:
        yield lambda **environ: stack.enter_context(
            started_sandbox(_new_folder(tmp_path), **environ)
        )


@pytest.fixture
def start_demo(tmp_path: Path) -> Iterator[Callable[..., RunningDemo]]:
    """``start_demo(sandbox, **environ)``: another proxy, for this test alone."""
    with ExitStack() as stack:
        yield lambda sandbox, **environ: stack.enter_context(
            started_demo(_new_folder(tmp_path), sandbox, **environ)
        )


def _new_folder(parent: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=parent))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[_log_starts] = {id(child): child.log_size() for child in _children}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What the servers wrote during a test is shown when it fails."""
    report = yield
    if report.failed:
        starts = item.stash.get(_log_starts, {})
        for child in _children:
            if written := child.written(since=starts.get(id(child), 0)):
                report.sections.append((f"{child.name}, meanwhile", written[-LOG_SHOWN:]))
    return report
