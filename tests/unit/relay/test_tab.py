"""A tab takes frames at any time, sends them in order, and is closed when it does not read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatproxy.closing import Close
from chatproxy.relay.tab import BrowserTab
from tests.unit.relay.fakes import until


class Browser:
    """An ASGI server's ``send`` on which the other side may stop reading."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.error: Exception | None = None

    async def send(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        if self.error:
            raise self.error
        self.got.append(message)

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.got if "text" in message]


async def test_frames_are_sent_in_order() -> None:
    browser = Browser()
    tab = BrowserTab(browser.send, 1)
    for number in range(100):
        tab.deliver(str(number))
    await until(lambda: len(browser.got) == 100)
    assert browser.texts == [str(number) for number in range(100)]


async def test_a_close_comes_after_what_waits() -> None:
    browser = Browser()
    tab = BrowserTab(browser.send, 1)
    tab.deliver("last words")
    tab.close(4501, "chat ended")
    tab.deliver("too late")
    tab.close(1000)
    await until(lambda: len(browser.got) == 2)
    assert browser.texts == ["last words"]
    assert browser.got[-1] == {"type": "websocket.close", "code": 4501, "reason": "chat ended"}


async def test_a_tab_that_does_not_read_is_closed_at_the_bound(settings: Any) -> None:
    settings.CHAT_TAB_BUFFER_BYTES = 65_536
    browser = Browser()
    browser.reads.clear()
    tab = BrowserTab(browser.send, 1)
    frame, sent = "x" * 1024, 0
    while not tab.is_closed:
        tab.deliver(frame)
        sent += 1
        await asyncio.sleep(0)
    assert sent == 65
    browser.reads.set()
    await until(lambda: browser.got and browser.got[-1]["type"] == "websocket.close")
    assert browser.got[-1]["code"] == Close.SLOW
    assert len(browser.texts) <= 1  # nothing of what waited: it comes back and catches up


async def test_a_tab_that_reads_is_never_closed_however_much_it_gets(settings: Any) -> None:
    settings.CHAT_TAB_BUFFER_BYTES = 65_536
    browser = Browser()
    tab = BrowserTab(browser.send, 1)
    for _ in range(300):
        tab.deliver("x" * 1024)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert not tab.is_closed


@pytest.mark.parametrize("error", [OSError(), RuntimeError("websocket.send after close")])
async def test_a_socket_that_broke_ends_the_tab(error: Exception) -> None:
    browser = Browser()
    browser.error = error
    tab = BrowserTab(browser.send, 1)
    tab.deliver("into the void")
    await until(lambda: tab.is_closed)
    tab.deliver("swallowed")


async def test_a_forgotten_tab_sends_nothing_more() -> None:
    browser = Browser()
    browser.reads.clear()
    tab = BrowserTab(browser.send, 1)
    tab.deliver("one")
    await asyncio.sleep(0)
    tab.forget()
    browser.reads.set()
    await asyncio.sleep(0.01)
    assert browser.got == []
