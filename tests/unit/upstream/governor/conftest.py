"""A governor on a clock that tests move."""

from __future__ import annotations

import random

import pytest

from chatproxy.upstream.governor import Governor
from tests.unit.upstream.governor.moved_time import FakeTime


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def governor(time: FakeTime) -> Governor:
    return Governor(clock=time.clock, call_later=time.call_later, rng=random.Random(7))
