"""Where upstream's token for a place is not at hand, it is found by reading back to that place."""

from __future__ import annotations

from typing import Any

import pytest

from chatproxy.api.transcript import SEARCH_CALLS, token_behind
from chatproxy.upstream.errors import ValidationException
from chatproxy.upstream.governor import Priority
from chatproxy.upstream.inputs import TranscriptQuery
from tests.unit.relay.fakes import FakeUpstream, Wire, message


@pytest.fixture
def upstream() -> FakeUpstream:
    """250 items today, 150 from before."""
    made = FakeUpstream()
    made.past_items = [message(f"before {n}", RelatedContactId="c-0") for n in range(150)]
    made.transcript_items = [message(f"today {n}") for n in range(250)]
    return made


async def behind(upstream: FakeUpstream, token: str | None) -> list[Wire]:
    """What upstream has behind ``token``, newest first."""
    found: list[Wire] = []
    while token is not None:
        query = TranscriptQuery(max_results=100, next_token=token)
        page = await upstream.transcript("s-1", query, Priority.READER)
        found += [each.wire for each in page.items]
        token = page.next_token
    return found


async def found(upstream: FakeUpstream, item: Wire) -> str | None:
    gateway: Any = upstream
    return await token_behind(gateway, "s-1", item["Id"])


@pytest.mark.parametrize("at", [399, 350, 301, 300, 299, 150, 149, 100, 50, 1])
async def test_what_is_behind_an_item_is_found(upstream: FakeUpstream, at: int) -> None:
    everything = upstream.past_items + upstream.transcript_items
    token = await found(upstream, everything[at])
    assert await behind(upstream, token) == everything[:at][::-1]


async def test_behind_the_first_item_there_is_nothing(upstream: FakeUpstream) -> None:
    assert await found(upstream, upstream.past_items[0]) is None


async def test_what_is_said_meanwhile_does_not_lead_astray(upstream: FakeUpstream) -> None:
    everything = upstream.past_items + upstream.transcript_items
    left = 3

    def meanwhile() -> None:
        nonlocal left
        if left:
            left -= 1
            upstream.transcript_items.append(message("late"))

    upstream.between_pages = meanwhile
    token = await found(upstream, everything[395])
    assert await behind(upstream, token) == everything[:395][::-1]


async def test_an_item_that_is_nowhere_is_refused(upstream: FakeUpstream) -> None:
    with pytest.raises(ValidationException):
        await found(upstream, message("unheard of"))


async def test_the_search_has_an_end(upstream: FakeUpstream) -> None:
    upstream.transcript_items = [message(str(n)) for n in range(100 * SEARCH_CALLS + 1)]
    with pytest.raises(ValidationException):
        await found(upstream, upstream.transcript_items[0])
    assert upstream.pages == SEARCH_CALLS
