"""A tab that sleeps: the laptop is closed, its network silent, its clock stopped, for an hour."""

import re
import time
from pathlib import Path

import requests
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.widget import Widget, until
from tests.faults.wire import Wire
from tests.processes import RunningSandbox, free_port, started_demo

HOUR_S = 3_600
#: More than is kept for a tab to be replayed.
LINES = 300


def test_a_tab_that_slept_for_an_hour_shows_all_of_it_once_in_order(
    open_page: OpenPage, sandbox: RunningSandbox, tmp_path: Path, expected_problems: list[str]
) -> None:
    expected_problems += [r"ERR_", "WebSocket", "Failed to load resource"]
    front = free_port()
    site = f"http://127.0.0.1:{front}"
    with (
        started_demo(tmp_path, sandbox, CHAT_PUBLIC_URL=site) as demo,
        Wire(front, demo.port) as wire,
    ):
        sandbox.change(bot_delay_s=0.05, quotas="off")
        widget = Widget(open_page(), demo)
        page = widget.page
        # An hour behind, so that it is right when it wakes: laptops have clocks of their own.
        page.clock.install(time=time.time() - HOUR_S)
        page.goto(f"{site}/demo/")
        widget.launcher.click()
        expect(widget.said("Hello")).to_be_visible()
        widget.act("join")
        widget.say("I close the lid now")
        expect(widget.own("I close the lid now")).to_contain_text("Sent")

        page.clock.pause_at(time.time() - HOUR_S + 1)
        wire.change(is_silent=True)
        for number in range(1, LINES + 1):
            widget.hear(f"line {number}.")

        def has_noticed() -> bool:
            return requests.get(f"{demo.url}/readyz", timeout=10).json()["tabs"] == 0

        until(page, has_noticed, within_s=40)
        expect(widget.said("line ")).to_have_count(0)

        wire.clear()
        page.clock.resume()
        page.clock.fast_forward(1000 * HOUR_S)
        expect(widget.said(f"line {LINES}.")).to_have_count(1, timeout=30_000)
        shown = widget.log.locator(".message.other .bubble").all_inner_texts()
        lines = [found[1] for text in shown if (found := re.search(r"line (\d+)\.", text))]
        assert lines == [str(number) for number in range(1, LINES + 1)]
        widget.say("and open it again")
        expect(widget.own("and open it again")).to_contain_text("Sent", timeout=30_000)
        widget.hear("welcome back")
        expect(widget.said("welcome back")).to_have_count(1)
