"""A token bucket that several processes spend together, in Redis; a share of it without.

The arithmetic is `bucket.py`'s, as one script, with Redis's own clock: processes whose clocks
differ still agree. A permit costs one round trip. Redis is waited for a twentieth of a second at
most; when that was in vain nobody asks it again until a thread of its own has found it back, and
meanwhile each process spends its share of the quota from memory.

A bucket that Redis does not know, because it is new, was flushed or restarted, starts empty: full,
it would grant a burst that may have been spent a moment ago.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from chatproxy.upstream.bucket import ARRIVED_AFTER_S, Bucket

logger = logging.getLogger(__name__)

WITHIN_S: Final = 0.05
LOOK_AGAIN_S: Final = 0.5
#: A bucket nobody has used for so long is forgotten.
FORGOTTEN_AFTER_S: Final = 7 * 24 * 3600

# KEYS: the bucket, its requests under way. ARGV: what to do, rate, burst, the service's burst, an
# amount (reserve or seconds), and for tests the time. Answers: done, delay, tokens, halved.
_SCRIPT: Final = f"""
local op, rate, burst, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local amount, now = tonumber(ARGV[5]), tonumber(ARGV[6])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1000000
end
local known = redis.call('HMGET', KEYS[1], 'tokens', 'updated', 'halved')
local tokens = tonumber(known[1] or '0')
local updated = tonumber(known[2] or tostring(now))
local halved = tonumber(known[3] or '0')

local oldest = redis.call('LINDEX', KEYS[2], 0)
while oldest and tonumber(oldest) <= now - {ARRIVED_AFTER_S} do
  redis.call('LPOP', KEYS[2])
  oldest = redis.call('LINDEX', KEYS[2], 0)
end
local function full()
  if now < halved then return math.max(1, burst / 2) end
  return burst
end
local function room()
  return math.min(full(), math.max(0, most - redis.call('LLEN', KEYS[2])))
end
local passed = math.max(0, now - updated)
local slow = math.min(passed, math.max(0, halved - updated))
tokens = math.min(tokens + (passed - slow / 2) * rate, room())
updated = math.max(updated, now)

local done, needed = 0, 1 + amount * (full() - 1)
if op == 'take' then
  if tokens + 1e-9 >= needed then
    done, tokens = 1, tokens - 1
    redis.call('RPUSH', KEYS[2], string.format('%.9f', now))
  end
elseif op == 'settle' then
  redis.call('LPOP', KEYS[2])
elseif op == 'give_back' then
  redis.call('RPOP', KEYS[2])
  tokens = math.min(tokens + 1, room())
elseif op == 'halve' then
  tokens, halved = math.min(tokens, 0), math.max(halved, now + amount)
end

local delay, missing, slow_left = 0, needed - tokens, math.max(0, halved - now)
if missing > 1e-9 then
  if missing <= slow_left * rate / 2 then
    delay = missing / (rate / 2)
  else
    delay = slow_left + (missing - slow_left * rate / 2) / rate
  end
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.9f', tokens),
  'updated', string.format('%.9f', updated), 'halved', string.format('%.9f', halved))
redis.call('EXPIRE', KEYS[1], {FORGOTTEN_AFTER_S})
redis.call('EXPIRE', KEYS[2], {FORGOTTEN_AFTER_S})
return {{done, tostring(delay), tostring(tokens), now < halved and 1 or 0}}
"""


class SharedRedis:
    """The way to Redis that all buckets of a process share. From any thread.

    Args:
        url: ``redis://…``
        processes: How many processes spend the quotas just now, as far as is known.
        within_s: A Redis that takes longer for an answer counts as away.
    """

    def __init__(
        self, url: str, processes: Callable[[], int], *, within_s: float = WITHIN_S
    ) -> None:
        self.processes = processes
        self.falls_back = 0
        self._client: redis.Redis = redis.Redis.from_url(
            url,
            socket_timeout=within_s,
            socket_connect_timeout=within_s,
            retry=Retry(NoBackoff(), 0),
        )
        self._script = self._client.register_script(_SCRIPT)
        self._is_there = True
        self._lock = threading.Lock()

    @property
    def is_there(self) -> bool:
        return self._is_there

    def call(self, keys: list[str], arguments: list[Any]) -> list[Any] | None:
        """The script's answer; ``None`` while Redis is away."""
        if not self._is_there:
            return None
        try:
            answer: list[Any] = self._script(keys=keys, args=arguments)
        except RedisError as err:
            self._lost(err)
            return None
        return answer

    def _lost(self, err: Exception) -> None:
        with self._lock:
            if not self._is_there:
                return
            self._is_there = False
            self.falls_back += 1
        logger.warning(
            "Redis is away: this process spends its share of the quotas",
            extra={"cause": type(err).__name__, "processes": self.processes()},
        )
        threading.Thread(target=self._look_for_it, name="look for redis", daemon=True).start()

    def _look_for_it(self) -> None:
        while True:
            try:
                self._client.ping()
            except RedisError:
                _pause(LOOK_AGAIN_S)
            else:
                break
        self._is_there = True
        logger.info("Redis is back: the quotas are spent together again")


class SharedBucket:
    """`Bucket`, by the same methods; the time that they take is left to Redis.

    Args:
        name: Which bucket this is, the same in every process: ``"<instance id>:<group>"``.
        by_redis_time: Off, the time that the methods take counts in Redis too; for tests.
    """

    def __init__(
        self,
        store: SharedRedis,
        name: str,
        rate: float,
        burst: float,
        now: float,
        *,
        by_redis_time: bool = True,
    ) -> None:
        own = Bucket(rate, burst, now)
        self.rate, self.burst = own.rate, own.burst
        self._published = (rate, burst)
        self._store = store
        self._by_redis_time = by_redis_time
        self._keys = [f"chatproxy:quota:{name}", f"chatproxy:quota:{name}:under-way"]
        self._local: Bucket | None = None
        self._taken_locally = 0

    @property
    def is_shared(self) -> bool:
        """Whether it is Redis's; our share in memory otherwise."""
        return self._store.is_there

    def take(self, now: float, reserve: float = 0.0) -> bool:
        answer = self._ask("take", now, reserve)
        if answer is not None:
            return bool(answer[0])
        taken = self._share(now).take(now, reserve)
        self._taken_locally += taken
        return taken

    def settle(self, now: float) -> None:
        if self._taken_locally:
            self._taken_locally -= 1
            if self._local is not None:
                self._local.settle(now)
        elif self._ask("settle", now) is None:
            self._share(now).settle(now)

    def give_back(self, now: float) -> None:
        if self._taken_locally:
            self._taken_locally -= 1
            if self._local is not None:
                self._local.give_back(now)
        else:
            self._ask("give_back", now)  # what Redis forgets meanwhile is one permit less

    def halve(self, now: float, duration_s: float) -> None:
        if self._ask("halve", now, duration_s) is None:
            self._share(now).halve(now, duration_s)

    def delay(self, now: float, reserve: float = 0.0) -> float:
        answer = self._ask("look", now, reserve)
        return float(answer[1]) if answer is not None else self._share(now).delay(now, reserve)

    def level(self, now: float) -> float:
        answer = self._ask("look", now)
        return float(answer[2]) if answer is not None else self._share(now).level(now)

    def is_halved(self, now: float) -> bool:
        answer = self._ask("look", now)
        return bool(answer[3]) if answer is not None else self._share(now).is_halved(now)

    def _ask(self, what: str, now: float, amount: float = 0.0) -> list[Any] | None:
        given = "" if self._by_redis_time else now
        answer = self._store.call(
            self._keys, [what, self.rate, self.burst, self._published[1], amount, given]
        )
        if answer is not None:
            self._local = None
        return answer

    def _share(self, now: float) -> Bucket:
        """What is ours of the quota while Redis is away; empty at first, for it may be spent."""
        if self._local is None:
            rate, burst = self._published
            sharers = max(1, self._store.processes())
            self._local = Bucket(rate / sharers, max(1.0, burst / sharers), now)
            self._local.empty()
        return self._local


def _pause(seconds: float) -> None:
    threading.Event().wait(seconds)
