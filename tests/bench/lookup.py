"""CPU of finding the session behind a key, on a process that has seen it: JSON on stdout.

    python -m tests.bench.lookup CONNECTION_KEY

Run with a proxy's own environment, so that key, session and token are real: `ours.py` does. Prints
microseconds of this thread's CPU per call, the median of five rounds, for: the key read and its
session found (``look-up``); the same with the token that goes upstream (``with the token``); and
all that a request passes before its view, origin and rate included (``admitted``).
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable

ROUNDS, CALLS = 5, 5_000


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproxy.settings")
    import django

    django.setup()
    print(json.dumps({what: cpu_us(call) for what, call in calls(sys.argv[1]).items()}))


def calls(key: str) -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    from django.test import RequestFactory

    from chatproxy.api.access import Key, Policy, admit
    from chatproxy.sessions import keys, opened

    request = RequestFactory().post("/participant/message", headers={"X-Amz-Bearer": key})
    policy = Policy(Key.CONNECTION)

    def look_up() -> object:
        return opened.open_session(keys.read_connection_key(key).session_id)

    def with_token() -> object:
        read = keys.read_connection_key(key)
        found = opened.open_session(read.session_id).token(read.generation)
        assert found is not None
        return found

    return {
        "look-up": look_up,
        "with the token": with_token,
        "admitted": lambda: admit(request, policy),
    }


def cpu_us(call: Callable[[], object]) -> float:
    """Microseconds of this thread's CPU per call, warm."""
    call()
    rounds = []
    for _ in range(ROUNDS):
        begun = time.thread_time()
        for _ in range(CALLS):
            call()
        rounds.append(1e6 * (time.thread_time() - begun) / CALLS)
    return statistics.median(rounds)


if __name__ == "__main__":
    main()
