"""A quiet demo, and a visitor in a chat."""

from __future__ import annotations

import pytest

from tests.flow.client import Visitor
from tests.processes import RunningDemo


@pytest.fixture
def demo(demo: RunningDemo) -> RunningDemo:
    demo.sandbox.change(bot=False, quotas="off")
    return demo


@pytest.fixture
def visitor(demo: RunningDemo) -> Visitor:
    visitor = Visitor(demo.url)
    visitor.connect()
    return visitor
