"""Typing and receipts: of each session the newest, as the quota allows, and never in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from chatproxy.relay import signals as signals_module
from chatproxy.relay.signals import Signals
from chatproxy.upstream.errors import ConflictException
from chatproxy.upstream.governor import GovernorBusy, Group, Priority
from chatproxy.upstream.inputs import OutgoingEvent
from chatproxy.upstream.vocabulary import EventType, Operation
from tests.unit.relay.fakes import until


class Quota:
    """A governor of whom a test says what it grants."""

    def __init__(self) -> None:
        self.grants_typing = True
        self.receipts = asyncio.Event()
        self.receipts.set()
        self.is_busy = False
        self.waits = dict[Priority, float]()

    async def acquire(self, group: Group, priority: Priority, _: str, timeout_s: float) -> None:
        self.waits[priority] = timeout_s
        if priority == Priority.RECEIPT:
            await self.receipts.wait()
        if self.is_busy or (priority == Priority.TYPING and not self.grants_typing):
            raise GovernorBusy(group, 1.0)


class Sent:
    """A gateway that writes down what goes out."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.error: Exception | None = None

    async def permitted(
        self, instance: str, group: Group, call: object, chat: Any, generation: int, event: Any
    ) -> None:
        await asyncio.sleep(0)
        self.events.append((event.content_type.rpartition(".")[2], event.content or ""))
        if self.error:
            raise self.error


@pytest.fixture
def quota(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Callable[[], Quota]:
    settings.CHAT_GOVERNOR = True

    def make() -> Quota:
        made = Quota()
        monkeypatch.setattr(signals_module, "governor", lambda _: made)
        return made

    return make


def chat(session_id: str = "s-1") -> Any:
    return SimpleNamespace(id=session_id, instance_id="i-1")


def event(kind: EventType, content: str = "") -> OutgoingEvent:
    return OutgoingEvent(str(kind), content or None)


async def test_while_a_receipt_waits_only_the_newest_is_kept(quota: Callable[[], Quota]) -> None:
    limits, gateway = quota(), Sent()
    limits.receipts.clear()
    signals = Signals(gateway)  # type: ignore[arg-type]
    for number in range(5):
        signals.offer(chat(), 1, event(EventType.MESSAGE_READ, f"read {number}"))
        signals.offer(chat(), 1, event(EventType.MESSAGE_DELIVERED, f"delivered {number}"))
        await asyncio.sleep(0)
    limits.receipts.set()
    await until(lambda: signals.sent == 2)
    assert gateway.events == [("read", "read 4"), ("delivered", "delivered 4")]
    assert signals.shed == 8


async def test_typing_without_a_permit_in_a_moment_is_dropped(
    quota: Callable[[], Quota],
) -> None:
    limits, gateway = quota(), Sent()
    limits.grants_typing = False
    signals = Signals(gateway)  # type: ignore[arg-type]
    signals.offer(chat(), 1, event(EventType.TYPING))
    await until(lambda: signals.shed == 1)
    assert gateway.events == []
    assert limits.waits == {Priority.TYPING: signals_module.TYPING_WAIT_S}


async def test_a_receipt_that_waited_too_long_is_dropped(quota: Callable[[], Quota]) -> None:
    limits, gateway = quota(), Sent()
    limits.is_busy = True
    signals = Signals(gateway)  # type: ignore[arg-type]
    signals.offer(chat(), 1, event(EventType.MESSAGE_READ, "read"))
    await until(lambda: signals.shed == 1)
    assert gateway.events == []


@pytest.mark.parametrize("error", [ConflictException(Operation.SEND_EVENT), ValueError("ours")])
async def test_one_that_fails_keeps_none_of_the_later_ones_back(
    quota: Callable[[], Quota], error: Exception
) -> None:
    quota()
    gateway = Sent()
    signals = Signals(gateway)  # type: ignore[arg-type]
    gateway.error = error
    signals.offer(chat(), 1, event(EventType.TYPING))
    await until(lambda: gateway.events and not signals._tasks)
    gateway.error = None
    signals.offer(chat(), 1, event(EventType.TYPING))
    await until(lambda: signals.sent == 1)


async def test_sessions_do_not_wait_for_one_another(quota: Callable[[], Quota]) -> None:
    limits, gateway = quota(), Sent()
    limits.receipts.clear()
    signals = Signals(gateway)  # type: ignore[arg-type]
    signals.offer(chat("one"), 1, event(EventType.MESSAGE_READ, "waits"))
    signals.offer(chat("two"), 1, event(EventType.TYPING))
    await until(lambda: gateway.events == [("typing", "")])
    await signals.stop()
    assert signals._tasks == set()
