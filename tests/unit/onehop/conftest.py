"""The one-hop handler over a small site, and the request signals it sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started

from chatproxy.bulkheads import DEFAULT_SIZES, Bulkheads, Size
from chatproxy.onehop import OneHopHandler
from tests.unit.onehop.site import handler


@pytest.fixture
def signals() -> Iterator[list[str]]:
    """Names of the request signals as they are sent."""
    seen: list[str] = []

    def started(sender: object, scope: Any, **_: object) -> None:
        seen.append("started")

    def finished(sender: object, **_: object) -> None:
        seen.append("finished")

    request_started.connect(started)
    request_finished.connect(finished)
    yield seen
    request_started.disconnect(started)
    request_finished.disconnect(finished)


@pytest.fixture
def app() -> Iterator[OneHopHandler]:
    yield from handler()


@pytest.fixture
def narrow() -> Iterator[OneHopHandler]:
    """One thread and one place in the queue of each pool, and little patience."""
    size = Size(threads=1, queue=1, paused=1, wait_s=0.2)
    yield from handler(Bulkheads(dict.fromkeys(DEFAULT_SIZES, size)))
