"""The process's clients of Amazon Connect, and one governor per instance.

A widget may name its own Connect instance; the Participant endpoint is the region's, the quota is
the instance's.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from django.db import connection

from chatproxy.conf import conf
from chatproxy.upstream.contacts import ContactClient
from chatproxy.upstream.errors import ThrottlingException
from chatproxy.upstream.governor import Governor, Group
from chatproxy.upstream.metadata import Observer
from chatproxy.upstream.participant import ParticipantClient
from chatproxy.upstream.sharedbucket import SharedBucket, SharedRedis

logger = logging.getLogger(__name__)

_governors: dict[str, Governor] = {}
_lock = threading.Lock()
_observers: list[Observer] = []
_processes = 1


@lru_cache(maxsize=1)
def participant_client() -> ParticipantClient:
    """The one Participant Service client of this process; safe to share between threads."""
    return ParticipantClient(
        conf.participant_endpoint_url,
        connect_timeout_s=conf.connect_timeout_s,
        read_timeout_s=conf.read_timeout_s,
        observer=_observe,
    )


@lru_cache(maxsize=1)
def contact_client() -> ContactClient:
    """The one Connect service client of this process."""
    return ContactClient(
        region=conf.region,
        endpoint_url=conf.connect_endpoint_url,
        connect_timeout_s=conf.connect_timeout_s,
        read_timeout_s=conf.read_timeout_s,
        observer=_observe,
    )


def observe_calls(observer: Observer) -> None:
    """Have every upstream call of this process told to ``observer``, from now on."""
    _observers.append(observer)


def _observe(operation: str, seconds: float, error: Exception | None) -> None:
    for observer in _observers:
        observer(operation, seconds, error)


def warm_up() -> None:
    """Make the clients before the first visitor comes.

    boto3 takes a second to make one; starts permitted meanwhile would leave all at once, faster
    than the service allows.
    """
    participant_client()
    try:
        contact_client().open()
    except Exception as err:
        logger.warning("no client of the Connect service", extra={"cause": type(err).__name__})


def governor(instance_id: str) -> Governor:
    """The governor of one Connect instance's quota."""
    found = _governors.get(instance_id)
    if found is None:
        with _lock:
            found = _governors.setdefault(instance_id, _governor_of(instance_id))
    return found


def _governor_of(instance_id: str) -> Governor:
    store = shared_redis()
    if store is None:
        return Governor(conf.quotas)

    def in_redis(group: Group, rate: float, burst: float, now: float) -> SharedBucket:
        return SharedBucket(store, f"{instance_id}:{group}", rate, burst, now)

    return Governor(conf.quotas, make_bucket=in_redis)


@lru_cache(maxsize=1)
def shared_redis() -> SharedRedis | None:
    """Where the processes' quotas are spent together, if there is a Redis."""
    return SharedRedis(conf.redis_url, lambda: _processes) if conf.redis_url else None


def know_processes(count: int) -> None:
    """So many processes serve just now: what this one may spend of the quotas without Redis."""
    global _processes
    _processes = max(1, count)


def give_connection_back() -> None:
    """Return this thread's database connection to PostgreSQL's pool, before a call that may hang.

    The pool has fewer connections than we have threads: a service that hangs would soon hold them
    all, and every door with them. SQLite has no pool, and its file stays open.
    """
    if connection.settings_dict["OPTIONS"].get("pool") and not connection.in_atomic_block:
        connection.close()


@contextmanager
def spending(instance_id: str, group: Group) -> Iterator[None]:
    """Around a call whose permit has been taken: tells the governor how it went."""
    keeper = governor(instance_id)
    try:
        yield
    except ThrottlingException:
        # Someone else spends the same quota: agents' desktops, another deployment.
        keeper.penalise(group)
        raise
    finally:
        keeper.settle(group)


def governors() -> dict[str, Governor]:
    """All governors of this process, by instance id; for metrics."""
    return dict(_governors)


def reset() -> None:
    """Forget clients and governors: settings changed, or a test begins."""
    participant_client.cache_clear()
    contact_client.cache_clear()
    shared_redis.cache_clear()
    with _lock:
        _governors.clear()
