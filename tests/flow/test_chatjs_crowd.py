"""ChatJS comes back at once and for ever, also when it was closed because there are too many."""

from __future__ import annotations

import time
from pathlib import Path

from tests.chatjs import chatjs, needs_chatjs
from tests.flow.client import Visitor
from tests.processes import RunningSandbox, started_demo

pytestmark = needs_chatjs

WATCHED_S = 6.0
#: Sockets that may be opened in that time: twice the tabs at once, and then one a second.
MOST = 2 + WATCHED_S + 2


def test_one_tab_too_many_takes_turns_and_does_not_storm(
    running_sandbox: RunningSandbox, tmp_path: Path
) -> None:
    running_sandbox.reset()
    running_sandbox.change(bot=False, quotas="off")
    with started_demo(tmp_path, running_sandbox, CHAT_TABS_PER_SESSION="1") as demo:
        visitor = Visitor(demo.url)
        given = {
            "contact_id": visitor.contact_id,
            "participant_id": visitor.participant_id,
            "participant_token": visitor.key,
        }
        with chatjs("5", demo.url, **given) as first, chatjs("5", demo.url, **given) as second:
            first.connect()
            assert second.do("connect")["connectSuccess"] is True
            before = first.sockets + second.sockets
            time.sleep(WATCHED_S)
            opened = first.sockets + second.sockets - before
            assert 2 < opened <= MOST, f"{opened} sockets in {WATCHED_S:.0f} s"
            for text in ("one", "two", "three"):
                demo.sandbox.say(visitor.contact_id, text)
                first.do("sendMessage", contentType="text/plain", message=f"re: {text}")
        visitor.connect()
        said = [item["Content"] for item in visitor.transcript() if item["Type"] == "MESSAGE"]
        assert said == ["one", "re: one", "two", "re: two", "three", "re: three"]
