"""A server under measurement: a process on a core of its own, its CPU time read from outside."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = {_CORES[0]}, {_CORES[-1]}  # the same when there is only one


def cpu_s(pid: int) -> float:
    """CPU time of a process, user and system, its threads included."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) * _TICK_S


class Process:
    """A program that listens on ``port``; ``command`` is its path and arguments."""

    def __init__(self, command: list[str], port: int, environ: Mapping[str, str], log: Path):
        self.port = port
        self._output = log.open("ab")
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environ),
            stdout=self._output,
            stderr=subprocess.STDOUT,
            # Before it begins: a thread it starts keeps the core of the one that started it.
            preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CORE),
        )

    def wait_ready(self, within_s: float = 60.0) -> None:
        """Until it accepts connections.

        Raises:
            RuntimeError: it ended, or took too long; says where its log is.
        """
        end = time.monotonic() + within_s
        while time.monotonic() < end and self._process.poll() is None:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            time.sleep(0.05)
        raise RuntimeError(f"The server did not come up; see {self._output.name}")

    def cpu_s(self) -> float:
        """CPU time, user and system, its threads included."""
        return cpu_s(self._process.pid)

    def resident_kb(self) -> int:
        """Memory it holds (RSS), in kB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0])

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()

    def death(self) -> str:
        """How it ended by itself, and the last it said; empty while it runs."""
        code = self._process.poll()
        if code is None:
            return ""
        last = Path(self._output.name).read_text(errors="replace").splitlines()[-5:]
        return "\n".join([f"The server ended by itself, with {code}; its last lines:", *last])


@contextlib.contextmanager
def running(
    command: list[str], port: int, environ: Mapping[str, str], log: Path
) -> Iterator[Process]:
    """The program while the block runs, once it accepts connections.

    Raises:
        RuntimeError: it did not come up, or ended by itself meanwhile; says how.
    """
    process = Process(command, port, environ, log)
    try:
        process.wait_ready()
        yield process
    except Exception as err:
        if death := process.death():
            raise RuntimeError(death) from err
        raise
    finally:
        process.stop()


def python(*arguments: str) -> list[str]:
    """The command that runs this Python with ``arguments``."""
    return [sys.executable, *arguments]


def program(name: str) -> str:
    """Where a program is, also one that only administrators have on their path.

    Raises:
        RuntimeError: nowhere.
    """
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    if found := shutil.which(name, path=path):
        return found
    raise RuntimeError(f"There is no {name} here; `make bench` says what to install.")


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pin_load() -> None:
    """Keep the load generator off the server's core, and both ahead of other work if we may."""
    os.sched_setaffinity(0, LOAD_CORE)
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, -10)
