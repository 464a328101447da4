"""What happened to older lines while the socket was away is there when it is back."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.flow.client import Tab, Visitor, eventually
from tests.processes import RunningDemo

READ = "ReadTimestamp"


def happenings(tab: Tab) -> Counter[tuple[str, str]]:
    """How often this tab was told what: (Id, what)."""
    told: Counter[tuple[str, str]] = Counter()
    for item in tab.items():
        metadata = item.get("MessageMetadata", {})
        if item["Type"] == "MESSAGEMETADATA":
            told[item["Id"], "read" if READ in metadata["Receipts"][0] else "delivered"] += 1
        elif item["Type"] == "ATTACHMENT":
            told[item["Id"], item["Attachments"][0]["Status"]] += 1
        else:
            told[item["Id"], str(item.get("Content"))] += 1
    return told


def test_ticks_and_verdicts_of_a_gap_reach_every_tab_once_behind_a_page_of_news(
    demo: RunningDemo,
) -> None:
    demo.sandbox.change(bot=False, quotas="off", scanner_s=60)
    visitor = Visitor(demo.url)
    tabs = [visitor.open_tab(), visitor.open_tab()]

    def act(action: str, **body: object) -> Any:
        return demo.sandbox.control("POST", f"contacts/{visitor.contact_id}/{action}", body)

    mine = [visitor.send(f"question {number}")["Id"] for number in range(3)]
    kept = {"name": "cat.txt", "content_type": "text/plain", "text": "meow"}
    good = act("attach", role="CUSTOMER", **kept)["item"]["Id"]
    bad = act("attach", role="CUSTOMER", **{**kept, "name": "virus.txt"})["item"]["Id"]
    for number in range(120):
        act("say", content=f"older {number}", role="SYSTEM")
    for tab in tabs:
        tab.wait_text("older 119")

    demo.sandbox.add_fault(kind="refuse_handshake")
    act("drop-sockets")
    for tab in tabs:
        tab.wait(lambda frame: frame.get("content") == {"state": "reconnecting"})
    for item_id in mine:
        act("receipt", message_id=item_id, is_read=True)
    demo.sandbox.advance(61)
    for number in range(130):
        act("say", content=f"newer {number}")
    demo.sandbox.clear_faults()

    for tab in tabs:
        tab.wait_text("newer 129")
        tab.wait(lambda _, tab=tab: tab.told()[-1] == {"state": "connected"})
        told = happenings(tab)
        assert [told[item_id, "read"] for item_id in mine] == [1, 1, 1]
        assert [told[good, status] for status in ("IN_PROGRESS", "APPROVED")] == [1, 1]
        assert [told[bad, status] for status in ("IN_PROGRESS", "REJECTED")] == [1, 1]
        assert set(told.values()) == {1}

    def asked() -> int:
        return int(demo.sandbox.state()["requests"]["GetTranscript"])

    before = asked()
    known = demo.sandbox.control("GET", f"contacts/{visitor.contact_id}")["transcript"]
    eventually(lambda: visitor.transcript() == known)
    assert asked() == before, "it was to be answered from memory"
