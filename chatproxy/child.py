"""A server as a child process, ours or another's: started, waited for, stopped, killed.

The demo supervisor runs the sandbox and the proxy as two of these, and the tests do the same, so
that what a newcomer starts and what the suite proves are one thing. Output goes to a file, because
two servers writing to one terminal cannot be read, and because the end of that file is what to
show when a child dies. Which commands to run, and with what settings, is for others to say.
"""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: children run here, so relative paths in settings mean the same in all of them."""


class ChildFailed(Exception):
    """A child ended, or did not become ready; the sentence ends with the last lines it wrote."""


class Program:
    """One server process in a process group of its own, reached on loopback.

    Args:
        name: What a person calls it ("redis"); also the name of its log file.
        command: Its command line.
        environ: Its whole environment.
        port: Where it listens once it serves.
        log_dir: Folder of its log file; the file is appended to, also across restarts.
        folder: Where it runs.
        user: Who it runs as, and that user's group; ourselves when left out.

    Attributes:
        environ: As given.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environ: Mapping[str, str],
        port: int,
        log_dir: Path,
        folder: Path = ROOT,
        user: str | None = None,
    ) -> None:
        self.name = name
        self.port = port
        self.log_path = log_dir / f"{name}.log"
        self.folder = folder
        self._command = list(command)
        self.environ = dict(environ)
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def exit_code(self) -> int | None:
        """None while it runs, and before it was started."""
        return self._process.poll() if self._process else None

    @property
    def pid(self) -> int | None:
        """Its number, once it was started."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it without waiting. Its group is its own: Ctrl-C reaches it through us only."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(  # noqa: S603  (no words of anybody else)
                self._command,
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
            )

    def wait_ready(self, timeout_s: float = 30.0) -> None:
        """Return once it is ready.

        Raises:
            ChildFailed: it ended first, or ``timeout_s`` passed.
        """
        deadline = time.monotonic() + timeout_s
        while not self.is_ready():
            if self.exit_code is not None:
                raise ChildFailed(self.obituary())
            if time.monotonic() > deadline:
                raise ChildFailed(
                    f"The {self.name} was not ready within {timeout_s:.0f} s.\n{self.tail()}"
                )
            time.sleep(0.05)

    def is_ready(self) -> bool:
        """Whether it can be connected to right now."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 2):
            return True
        return False

    def stop(self, grace_s: float = 10.0) -> None:
        """Ask it to end, and end it for good if it has not within ``grace_s``. Idempotent."""
        if self._process is None:
            return
        self.ask_to_end()
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def ask_to_end(self) -> None:
        """As `stop` does, without waiting (SIGTERM)."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does: no clean-up of its own runs. Idempotent."""
        if self._process is not None:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def pause(self) -> None:
        """Stop it where it stands, its connections left open (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def written(self, since: int | None = None) -> str:
        """What it wrote to its log from byte ``since`` on, or since it was last started."""
        with contextlib.suppress(FileNotFoundError), self.log_path.open("rb") as log:
            log.seek(self._log_start if since is None else since)
            return log.read().decode(errors="replace")
        return ""

    def log_size(self) -> int:
        """Bytes in its log file, those of earlier starts included."""
        return self.log_path.stat().st_size if self.log_path.exists() else 0

    def tail(self, lines: int = 25) -> str:
        """The last ``lines`` it wrote since it was started, for a person to read."""
        last = self.written().splitlines()[-lines:]
        return "\n".join([f"Its last lines ({self.log_path}):", *(f"  {line}" for line in last)])

    def obituary(self) -> str:
        """A sentence saying how it ended, and its last lines."""
        return f"The {self.name} ended by itself (exit code {self.exit_code}).\n{self.tail()}"

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


class Child(Program):
    """A server of ours, run by our own interpreter; ready once ``GET /readyz`` answers 200.

    Args:
        arguments: What follows the Python interpreter on its command line.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environ: Mapping[str, str],
        port: int,
        log_dir: Path,
    ) -> None:
        super().__init__(
            name,
            [sys.executable, *arguments],
            environ={**environ, "PYTHONUNBUFFERED": "1"},
            port=port,
            log_dir=log_dir,
        )

    def become(self) -> NoReturn:
        """Run it in place of this process, on this terminal: it is what signals then reach."""
        sys.stdout.flush()
        os.chdir(ROOT)
        os.execve(self._command[0], self._command, self.environ)  # noqa: S606  (as above)

    def is_ready(self) -> bool:
        """Whether it answers ``/readyz`` with 200 right now."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def watch(*programs: Program) -> NoReturn:
    """Stay while all of them run.

    Raises:
        ChildFailed: one has ended by itself.
    """
    while True:
        for program in programs:
            if program.exit_code is not None:
                raise ChildFailed(program.obituary())
        time.sleep(0.2)


def be_interrupted() -> None:
    """Take a request to end for Ctrl-C, so that whoever started children gets to end them."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    # Ctrl-C too: a shell that starts something in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):  # taken, or no port at all
            return False
        return True
