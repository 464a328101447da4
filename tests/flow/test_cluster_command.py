"""``make cluster``: all that a site of many processes is made of comes and goes together."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from chatproxy.child import ROOT, is_free
from tests.flow.client import eventually
from tests.processes import clean_environment, free_port

LINK = re.compile(r"http://[^ ]+/(?:demo/|console/|admin/)")
PARTS = (98, 99, 101)  # ports above nginx's: Redis, PostgreSQL, the first process


@contextmanager
def command(*options: str) -> Iterator[subprocess.Popen[str]]:
    """``manage.py cluster`` with these options, as the Makefile calls it."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "cluster", *options],
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def free_ports() -> int:
    """A port; those of the cluster's parts above it are free too."""
    while True:
        port = free_port()
        if all(is_free(port + above) for above in PARTS):
            return port


def test_it_serves_what_it_announces_and_ends_with_ctrl_c() -> None:
    port, sandbox_port = free_ports(), free_port()
    ports = ("--port", str(port), "--sandbox-port", str(sandbox_port))
    with command(*ports, "--processes", "1") as process:
        assert process.stdout
        printed = ""
        for line in process.stdout:
            printed += line
            if "Ctrl-C" in line:
                break
        if "There is no '" in printed:
            pytest.skip(printed)
        links = LINK.findall(printed)
        assert len(links) == 3, printed
        answers = {link: requests.get(link, timeout=10).status_code for link in links}
        assert answers == dict.fromkeys(links, 200)
        os.kill(child_at(process.pid, port + 101), signal.SIGKILL)
        assert any("proxy-1 ended (exit code -9) and is" in line for line in process.stdout)
        ready = f"http://127.0.0.1:{port + 101}/readyz"
        eventually(lambda: answers_200(ready), 60)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert all(is_free(one) for one in (port, sandbox_port, *(port + above for above in PARTS)))


def child_at(pid: int, port: int) -> int:
    """The child of a process that was told to listen there."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return next(
        int(child)
        for child in children
        if f"--port\0{port}\0".encode() in Path(f"/proc/{child}/cmdline").read_bytes()
    )


def answers_200(url: str) -> bool:
    try:
        return requests.get(url, timeout=10).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--port", "x"), "'x' is no port"),
        (("--processes", "0"), "'0' is no number of processes: give one from 1 to 32"),
        (("--port", "65500"), "PORT=65500 leaves no room"),
        (("--port", "20000", "--sandbox-port", "20098"), "SANDBOX_PORT=20098 is a port"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(options: tuple[str, ...], said: str) -> None:
    with command(*options) as process:
        printed, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert said in printed
    assert len(printed.splitlines()) == 1


def test_a_port_that_is_taken_is_named_with_a_way_out() -> None:
    port = free_ports()
    with socket.create_server(("127.0.0.1", port + 101)), command("--port", str(port)) as process:
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"Port {port + 101} is already in use" in printed
    assert f"make cluster PORT={port + 1000}" in printed
