"""A small ASGI program served by our launcher in its own process, for tests of daphne itself."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """A running program; its arguments are the port and any words a test gives it."""

    def __init__(self, source: str, port: int, *words: str) -> None:
        self.port = port
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-c", source, str(port), *words],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def until(self, text: str) -> str:
        """The line that holds ``text``, once the program has printed it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"{text!r} never came: {self.lines} {self.end()}")

    def end(self) -> str:
        """Wait for the process; what it wrote to stderr."""
        out, err = self.process.communicate(timeout=20)
        self.lines += out.splitlines()
        return err

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def socket_url(self, path: str) -> str:
        return f"ws://127.0.0.1:{self.port}{path}"


@contextlib.contextmanager
def running(source: str, port: int, *words: str) -> Iterator[Program]:
    """The program, killed at the end if it has not ended by itself."""
    program = Program(source, port, *words)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.process.kill()
            program.process.communicate()
        for stream in (program.process.stdout, program.process.stderr):
            if stream is not None:
                stream.close()
