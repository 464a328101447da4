"""How many chats one address may start, and how fast one session may ask."""

from collections.abc import Iterator

import pytest
from django.test import Client, RequestFactory, override_settings
from limits.errors import StorageError

from chatproxy.api import limits
from chatproxy.api.limits import SessionBudget, limit_requests
from chatproxy.sessions.errors import RateLimited
from chatproxy.widgets.models import Widget


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    counted = limits._limiter
    counted.cache_clear()
    yield
    counted.cache_clear()


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
    for _ in range(10):  # two seconds' worth at once
        limit_requests("one")
    with pytest.raises(RateLimited, match="Slow down") as refused:
        limit_requests("one")
    assert refused.value.retry_after_s >= 1
    limit_requests("another")


def test_who_waits_for_a_turn_has_it_and_who_would_wait_too_long_takes_none() -> None:
    budget = SessionBudget(lambda: 1.0, lambda: 2.0)
    waits = [budget.spend("one", patience_s=3.0) for _ in range(7)]
    assert waits == pytest.approx([0, 0, 1, 2, 3, 4, 4], abs=0.5)
    assert budget.spend("another", patience_s=3.0) == 0


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),  # nobody we trust says so
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.2.3.4, 198.51.100.1, 10.0.0.2", "198.51.100.1"),  # the left one is made up
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.1"),
    ],
)
@override_settings(CHAT_TRUSTED_PROXIES=["10.0.0.0/8"])
def test_only_a_trusted_proxy_says_who_asks(peer: str, forwarded: str, address: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert limits.client_address(request) == address


@override_settings(CHAT_STARTS_PER_ADDRESS="2/minute")
def test_the_addresses_of_one_home_count_as_one() -> None:
    addresses = ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3"]
    requests = [RequestFactory().get("/", REMOTE_ADDR=address) for address in addresses]
    for request in requests[:2]:
        limits.limit_starts(request)
    with pytest.raises(RateLimited):
        limits.limit_starts(requests[2])
    limits.limit_starts(RequestFactory().get("/", REMOTE_ADDR="2001:db8:0:1::1"))


@override_settings(CHAT_STARTS_PER_ADDRESS="1/minute")
def test_with_redis_away_starts_are_counted_here(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def hit(self, *_: object) -> bool:
            raise StorageError(ConnectionError())

    monkeypatch.setattr(limits, "_limiter", Away)
    limits._local_limiter.cache_clear()
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.9")
    limits.limit_starts(request)
    with pytest.raises(RateLimited):
        limits.limit_starts(request)
