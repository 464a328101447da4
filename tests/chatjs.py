"""Amazon's own browser library, unmodified, in Node: driven from a test, whatever stands behind."""

import json
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chatproxy.child import ROOT

Wire = dict[str, Any]

JOINED = "application/vnd.amazonaws.connect.event.participant.joined"
NODE = shutil.which("node")
DRIVER = Path(__file__).with_name("chatjs.cjs")
VERSIONS = {"5": "amazon-connect-chatjs", "3": "chatjs-3", "2": "chatjs-2"}

needs_chatjs = pytest.mark.skipif(
    NODE is None or not (ROOT / "node_modules" / "amazon-connect-chatjs").is_dir(),
    reason="needs Node 20 and `npm ci`",
)


class ChatJs:
    """One running ChatJS session.

    Attributes:
        sockets: How many it has tried to open.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.sockets = 0
        self._process = process
        self._lines: queue.Queue[Wire] = queue.Queue()
        self._unheard: list[Wire] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def do(self, action: str, **argument: Any) -> Any:
        """Call a method of the session; what its promise resolved to."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"action": action, "argument": argument}) + "\n")
        self._process.stdin.flush()
        answer = self._next(lambda line: action in (line.get("done"), line.get("failed")))
        assert "done" in answer, answer
        return answer["data"]

    def connect(self, within_s: float = 10.0) -> None:
        """Connect, and wait until the socket is subscribed: ChatJS resolves before that."""
        assert self.do("connect")["connectSuccess"] is True
        self.hear("onMessage", within_s, ContentType=JOINED)

    def hear(self, listener: str, within_s: float = 10.0, **members: object) -> Wire:
        """Wait for a listener to be called with these members in its data."""

        def is_it(line: Wire) -> bool:
            data = line.get("data") or {}
            wanted = all(data.get(name) == value for name, value in members.items())
            return line.get("heard") == listener and wanted

        return dict(self._next(is_it, within_s).get("data") or {})

    def end(self) -> None:
        """Kill it, and read to the end: its output may be closed then."""
        self._process.kill()
        self._reader.join()

    def _next(self, wanted: Any, within_s: float = 10.0) -> Wire:
        end = time.monotonic() + within_s
        while True:
            for index, line in enumerate(self._unheard):
                if wanted(line):
                    return self._unheard.pop(index)
            try:
                self._unheard.append(self._lines.get(timeout=max(0.01, end - time.monotonic())))
            except queue.Empty:
                raise AssertionError(f"not heard; only {self._unheard}") from None

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.startswith("{"):
                continue
            told = json.loads(line)
            if "opens" in told:
                self.sockets += 1
            else:
                self._lines.put(told)


@contextmanager
def chatjs(
    version: str,
    url: str,
    *,
    contact_id: str,
    participant_id: str,
    participant_token: str,
    page_url: str = "",
) -> Iterator[ChatJs]:
    """A session of this version of ChatJS with the Participant Service at ``url``.

    Args:
        page_url: Where the page is that uses it, on the widget's list of origins; only version 2,
            in jsdom, has a page. By default another name of the same server.
    """
    page_url = page_url or url.replace("127.0.0.1", "localhost")
    assert NODE is not None
    with subprocess.Popen(
        [NODE, str(DRIVER), VERSIONS[version], url, page_url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        session = ChatJs(process)
        try:
            session.do(
                "create",
                contactId=contact_id,
                participantId=participant_id,
                participantToken=participant_token,
            )
            yield session
        finally:
            session.end()
