"""What is remembered of recent calls, and for how long."""

import gc
from datetime import UTC, datetime

from chatproxy.upstream.inputs import Disconnection, TranscriptQuery
from chatproxy.upstream.metadata import MetadataCache, ResponseMetadata

CALLED = ResponseMetadata("GetTranscript", "r-1", 200, datetime(2026, 11, 22, tzinfo=UTC), 0.1)


def test_equal_requests_are_not_the_same_call() -> None:
    cache, one, other = MetadataCache(), TranscriptQuery(), TranscriptQuery()
    cache.remember(one, CALLED)
    assert one == other
    assert cache.recall(one) is CALLED
    assert cache.recall(other) is None


def test_oldest_call_makes_room() -> None:
    cache = MetadataCache(size=2)
    requests = [Disconnection() for _ in range(3)]
    for request in requests:
        cache.remember(request, CALLED)
    assert [cache.recall(each) is not None for each in requests] == [False, True, True]
    assert len(cache) == 2


def test_metadata_is_forgotten_in_time() -> None:
    now = [0.0]
    cache, request = MetadataCache(lifetime_s=60, clock=lambda: now[0]), Disconnection()
    cache.remember(request, CALLED)
    now[0] = 60.0
    assert cache.recall(request) is CALLED
    now[0] = 60.1
    assert cache.recall(request) is None
    assert len(cache) == 0


def test_request_is_not_kept_alive() -> None:
    cache, request = MetadataCache(), Disconnection()
    cache.remember(request, CALLED)
    del request
    gc.collect()
    others = [Disconnection() for _ in range(100)]
    assert [cache.recall(each) for each in others] == [None] * 100
