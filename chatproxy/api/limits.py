"""How much one address or one session may ask of us before the upstream is even thought of."""

from __future__ import annotations

import ipaddress
import logging
import threading
import time
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import FixedWindowRateLimiter

from chatproxy.breaker import Breaker
from chatproxy.conf import conf
from chatproxy.sessions.errors import RateLimited

logger = logging.getLogger(__name__)

#: A Redis that takes longer is as good as none; it is asked again after so long.
REDIS_WITHIN_S = 0.2
RETRY_REDIS_S = 1.0


def client_address(request: HttpRequest) -> str:
    """The visitor's address: the peer's, or what a trusted proxy says it forwards for.

    The rightmost entry of X-Forwarded-For that is not itself a trusted proxy counts; whatever
    stands left of it was written by somebody else.
    """
    peer = str(request.META.get("REMOTE_ADDR") or "")
    networks = _networks(tuple(conf.trusted_proxies))
    if not _is_in(peer, networks):
        return peer
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
    for entry in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
        if not _is_in(entry, networks):
            return entry
    return peer


def limit_starts(request: HttpRequest) -> None:
    """Count one start against the visitor's address.

    Raises:
        RateLimited: too many; says for how long.
    """
    reset_at = _counted(parse(conf.starts_per_address), _counted_as(client_address(request)))
    if reset_at is None:
        return
    wait_s = max(1.0, reset_at - time.time())
    raise RateLimited(
        f"Too many chats were started from your address. Try again in {wait_s:.0f} seconds.",
        wait_s,
    )


def look_at_redis() -> str:
    """``ok``, or that Redis is not to be reached. Blocks."""
    try:
        is_there = _limiter().storage.check()
    except Exception as err:  # whatever its client raises: this only reports
        return f"unreachable ({type(err).__name__})"
    return "ok" if is_there else "unreachable"


def _counted(rate: RateLimitItem, address: str) -> float | None:
    """Count one start where all processes count; here, while that is away."""
    if _redis.may_try():
        try:
            reset_at = _hit(_limiter(), rate, address)
        except StorageError:
            _redis.failed()
        else:
            _redis.worked()
            return reset_at
    return _hit(_local_limiter(), rate, address)


def _redis_changed(is_there: bool) -> None:
    if is_there:
        logger.info("starts are counted in Redis again")
    else:
        logger.warning("Redis is away: each process counts starts for itself meanwhile")


_redis = Breaker(RETRY_REDIS_S, _redis_changed)


def _hit(limiter: FixedWindowRateLimiter, rate: RateLimitItem, address: str) -> float | None:
    """Count one start; when the window ends, if it was one too many."""
    if limiter.hit(rate, "start", address):
        return None
    return float(limiter.get_window_stats(rate, "start", address)[0])


def _counted_as(address: str) -> str:
    """What counts as one address: of IPv6 the network of 64 bits that a home has to itself."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network(f"{parsed}/64", strict=False))
    return address


class SessionBudget:
    """A token bucket for each session, local to the process; some hundred nanoseconds.

    Args:
        rate: Requests a second.
        burst: As many at once.
    """

    def __init__(self, rate: Callable[[], float], burst: Callable[[], float]) -> None:
        self._rate, self._burst = rate, burst
        self._left: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def spend(self, session_id: str, patience_s: float = 0.0) -> float:
        """Count one request of a session, unless its turn comes later than ``patience_s``.

        Returns:
            Seconds until its turn.
        """
        rate, burst, now = self._rate(), self._burst(), time.monotonic()
        with self._lock:
            tokens, stamp = self._left.get(session_id, (burst, now))
            tokens = min(burst, tokens + (now - stamp) * rate)
            wait_s = max(0.0, (1 - tokens) / rate)
            if wait_s <= patience_s:
                tokens -= 1
            if len(self._left) > 50_000:
                self._left.clear()
            self._left[session_id] = (tokens, now)
        return wait_s


def _requests_per_second() -> float:
    return _per_second(conf.requests_per_key)


def connection_burst() -> int:
    """As many connections of a session as are made at once: all its tabs, and once more."""
    return 2 * conf.tabs_per_session


#: Of all requests a session makes.
request_budget = SessionBudget(_requests_per_second, lambda: 2 * _requests_per_second())
#: Of its connections. ChatJS, closed because it was one too many, comes back at once, for ever.
connection_budget = SessionBudget(lambda: 1.0, connection_burst)


def limit_requests(session_id: str) -> None:
    """Count one request of a session.

    Raises:
        RateLimited: faster than ``CHAT_REQUESTS_PER_KEY``, with two seconds' worth of burst.
    """
    wait_s = request_budget.spend(session_id)
    if wait_s:
        raise RateLimited("This session sends too fast. Slow down.", max(1.0, wait_s))


@lru_cache(maxsize=8)
def _per_second(rate: str) -> float:
    parsed = parse(rate)
    return float(parsed.amount) / float(parsed.get_expiry())


@lru_cache(maxsize=1)
def _limiter() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(_shared() if settings.REDIS_URL else MemoryStorage())


def _shared() -> Storage:
    # The storage looks for this module's version. Where another thread is just importing it, this
    # line waits; the storage would find half of it, and so would the lines below.
    import redis  # noqa: F401
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return RedisStorage(
        settings.REDIS_URL,
        wrap_exceptions=True,
        socket_timeout=REDIS_WITHIN_S,
        socket_connect_timeout=REDIS_WITHIN_S,
        retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # handed on to redis-py
    )


@lru_cache(maxsize=1)
def _local_limiter() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(MemoryStorage())


@lru_cache(maxsize=4)
def _networks(
    entries: tuple[str, ...],
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(entry, strict=False) for entry in entries)


def _is_in(
    address: str, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
) -> bool:
    if not networks:
        return False
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
