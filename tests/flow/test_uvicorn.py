"""The application on uvicorn, as docs/operations.md starts it: a chat, a slow reader, a restart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flow.client import Visitor, eventually
from tests.flow.sleeper import Sleeper, said_until_closed
from tests.metrics import metric
from tests.processes import RunningDemo, RunningSandbox, started_demo


@pytest.fixture
def demo(
    running_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDemo]:
    running_sandbox.reset()
    running_sandbox.change(bot=False, quotas="off")
    folder = tmp_path_factory.mktemp("uvicorn")
    with started_demo(folder, running_sandbox, server="uvicorn") as running:
        yield running


def test_a_chat_survives_its_process(demo: RunningDemo) -> None:
    visitor = Visitor(demo.url)
    tab = visitor.open_tab()
    visitor.send("before")
    tab.wait_text("before")
    demo.child.stop()
    assert tab.wait_closed() == 1012
    demo.sandbox.say(visitor.contact_id, "in between")
    demo.child.start()
    demo.child.wait_ready(60)
    again = visitor.open_tab(after=tab.position)
    again.wait_text("in between")
    visitor.send("after")
    again.wait_text("after")
    again.close()
    messages = [item["Content"] for item in visitor.transcript() if item["Type"] == "MESSAGE"]
    assert messages == ["before", "in between", "after"]


def test_no_more_is_kept_for_a_tab_that_does_not_read(demo: RunningDemo) -> None:
    visitor = Visitor(demo.url)
    reader, sleeper = visitor.open_tab(), Sleeper(visitor.connect())
    with sleeper.socket:
        said = said_until_closed(demo, visitor, at_most=500)
        reader.wait(lambda frame: f'"Content":"{said} x' in str(frame.get("content")))
        assert len(reader.texts()) == said
        reader.close()
    eventually(lambda: metric(demo.url, "chatproxy_tabs") == 0)
