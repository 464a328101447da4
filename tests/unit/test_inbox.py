"""A client's messages reach its application once each, in order, whoever stops waiting."""

from __future__ import annotations

import asyncio

from chatproxy.inbox import Inbox


async def test_messages_come_in_order_before_and_after_somebody_waits() -> None:
    inbox = Inbox()
    for number in range(3):
        inbox.put_nowait({"number": number})
    assert [(await inbox.get())["number"] for _ in range(3)] == [0, 1, 2]
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put_nowait({"number": 3})
    assert await waiting == {"number": 3}


async def test_two_readers_have_one_message_each() -> None:
    inbox = Inbox()
    readers = [asyncio.create_task(inbox.get()) for _ in range(2)]
    await asyncio.sleep(0)
    for number in range(2):
        inbox.put_nowait({"number": number})
    assert sorted(one["number"] for one in await asyncio.gather(*readers)) == [0, 1]


async def test_a_message_is_not_lost_with_the_reader_it_woke() -> None:
    inbox = Inbox()
    first, second = (asyncio.create_task(inbox.get()) for _ in range(2))
    await asyncio.sleep(0)
    inbox.put_nowait({"number": 0})
    first.cancel()
    async with asyncio.timeout(1):
        assert await second == {"number": 0}
    assert first.cancelled()
