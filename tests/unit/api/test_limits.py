"""How many chats one address may start, and how fast one session may ask."""

from collections.abc import Iterator

import pytest
from django.test import Client, override_settings

from chatproxy.api import limits
from chatproxy.api.limits import SessionBudget
from chatproxy.sessions.errors import RateLimited
from chatproxy.widgets.models import Widget


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    limits._limiter.cache_clear()
    yield
    limits._limiter.cache_clear()


@pytest.mark.django_db
@override_settings(CHAT_STARTS_PER_ADDRESS="1/minute", CHAT_START_CHALLENGE="tests.unit.api.no")
def test_an_address_that_starts_too_many_is_told_when_to_come_back(client: Client) -> None:
    Widget.objects.create(key="limits", name="Limits", accepts_no_origin=True)
    asked = {"data": {"widget": "limits"}, "content_type": "application/json"}
    first = client.post("/api/v1/sessions", HTTP_HOST="127.0.0.1", **asked)
    assert first.status_code == 403  # the challenge: counted, and no further
    second = client.post("/api/v1/sessions", HTTP_HOST="127.0.0.1", **asked)
    assert second.status_code == 429
    assert second.json()["type"].endswith("#rate-limited")
    assert "seconds" in second.json()["detail"]
    assert 1 <= int(second["Retry-After"]) <= 60


@override_settings(CHAT_REQUESTS_PER_KEY="5/second")
def test_a_session_that_asks_too_fast_is_told_to_slow_down() -> None:
    budget = SessionBudget()
    for _ in range(10):  # two seconds' worth at once
        budget.spend("one")
    with pytest.raises(RateLimited, match="Slow down") as refused:
        budget.spend("one")
    assert refused.value.retry_after_s >= 1
    budget.spend("another")
