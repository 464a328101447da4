"""What a process tells systemd: that it is ready, and that its event loop turns."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import RunningDemo, RunningSandbox


def heard_until_silent(systemd: socket.socket) -> int:
    """How much it had said before."""
    for heard in range(100):
        try:
            systemd.recv(100)
        except TimeoutError:
            return heard
    pytest.fail("It goes on.")


def test_it_says_that_it_is_ready_and_is_silent_when_it_hangs(
    start_demo: Callable[..., RunningDemo], running_sandbox: RunningSandbox, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        asked = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000"}
        demo = start_demo(running_sandbox, **asked)
        assert [systemd.recv(100) for _ in range(4)] == [b"READY=1", *[b"WATCHDOG=1"] * 3]
        demo.child.pause()
        systemd.settimeout(1)
        assert heard_until_silent(systemd) < 10
        demo.child.resume()
        assert systemd.recv(100) == b"WATCHDOG=1"
