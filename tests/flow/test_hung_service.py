"""A service that hangs leaves the database to others: PostgreSQL's pool lends ten connections."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.flow.client import Visitor, eventually
from tests.processes import RunningSandbox, started_demo

CROWD = 14
"""More than the pool has connections, fewer than there are threads for messages."""


def test_calls_that_hang_hold_no_database_connection(
    sandbox: RunningSandbox, postgres: Callable[[], str], tmp_path: Path
) -> None:
    sandbox.change(bot=False, quotas="off")
    settings = {
        "DATABASE_URL": postgres(),
        "CHAT_OPENED_CACHE_SECONDS": "0",  # every request reads its session
        "CHAT_GOVERNOR": "0",
    }
    with started_demo(tmp_path / "proxy", sandbox, **settings) as demo:
        visitors = [Visitor(demo.url) for _ in range(CROWD)]
        for visitor in visitors:
            visitor.connect()
        sandbox.add_fault(operation="SendMessage", kind="hang")
        message = {"ContentType": "text/plain", "Content": "hello"}
        with ThreadPoolExecutor(CROWD) as crowd:
            hung = [crowd.submit(each.call, "message", message) for each in visitors]
            eventually(lambda: sandbox.state()["requests"].get("SendMessage") == CROWD)
            began = time.monotonic()
            assert visitors[0].get("session").status_code == 200
            visitors[0].connect()
            assert time.monotonic() - began < 4
            assert not any(future.done() for future in hung)
            sandbox.clear_faults()
