"""What a chat leaves behind is the same on PostgreSQL as on SQLite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.flow.client import ENDED, Visitor, eventually
from tests.processes import RunningSandbox, started_demo

COUNTS = """
from chatproxy.sessions.models import ChatSession
print(ChatSession.objects.values_list("messages_in", "messages_out").get())
"""


def test_items_versions_and_counts_are_stored(
    sandbox: RunningSandbox, postgres: Callable[[], str], tmp_path: Path
) -> None:
    sandbox.change(bot=False, quotas="off")
    with started_demo(tmp_path / "proxy", sandbox, DATABASE_URL=postgres()) as demo:
        visitor = Visitor(demo.url)
        tab = visitor.open_tab()
        chat = f"contacts/{visitor.contact_id}"
        mine = visitor.send("Grüße 🧵 % %s")["Id"]
        for number in range(120):
            sandbox.control("POST", f"{chat}/say", {"content": f"line {number}"})
        sandbox.control("POST", f"{chat}/receipt", {"message_id": mine, "is_read": True})
        tab.wait_text("line 119")
        sandbox.control("POST", f"{chat}/end", {})
        tab.wait_item(ENDED)
        eventually(lambda: visitor.state() == "ended")
        items = visitor.get("session/transcript?format=json").json()["items"]
        said = [item["Content"] for item in items if item["Type"] == "MESSAGE"]
        assert said == ["Grüße 🧵 % %s", *(f"line {number}" for number in range(120))]
        (read,) = [item for item in items if item["Id"] == mine]
        assert read["MessageMetadata"]["Receipts"][0]["ReadTimestamp"]
        assert demo.manage("shell", "-c", COUNTS).splitlines()[-1] == "(1, 120)"
