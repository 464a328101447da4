"""A permit of the governor for an upstream call, without holding a thread while waiting for it.

A permit at hand is taken in passing, and the call is made in this hop. If there is none, the answer
is *deferred*: the request gives its thread back, waits on the event loop, and takes a second hop.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable

from django.http.response import HttpResponseBase

from chatproxy.conf import conf
from chatproxy.onehop import Deferred
from chatproxy.sessions.errors import Overloaded
from chatproxy.sessions.instances import governor, spending
from chatproxy.upstream.governor import GovernorBusy, Group, Priority

# An SDK gives up on its own after some seconds; what has waited this long is better told to wait.
PERMIT_WAIT_S = 8.0


def with_permit(
    instance_id: str,
    session_id: str,
    group: Group,
    priority: Priority,
    call: Callable[[], HttpResponseBase],
    *,
    given_up: Callable[[], None] | None = None,
) -> HttpResponseBase:
    """``call()`` under a permit; deferred if none is at hand.

    Args:
        given_up: Called, on a pool thread, instead of ``call`` when no permit came in time or the
            client did not wait for it.

    Raises:
        Overloaded: none within the limit; says when to come back.
    """
    if not conf.governor:
        return call()
    keeper = governor(instance_id)

    def made() -> HttpResponseBase:
        with spending(instance_id, group):
            return call()

    if keeper.try_acquire(group, priority, session_id):
        return made()
    return _InLine(
        lambda: keeper.acquire(group, priority, session_id, PERMIT_WAIT_S), made, given_up
    )


class _InLine(Deferred):
    """A request that waits for a permit."""

    def __init__(
        self,
        wait: Callable[[], Awaitable[None]],
        resume: Callable[[], HttpResponseBase],
        given_up: Callable[[], None] | None,
    ) -> None:
        super().__init__(wait, resume, self._refused)
        self._given_up = given_up or _nothing

    def _refused(self, error: Exception) -> HttpResponseBase:
        self._given_up()
        if not isinstance(error, GovernorBusy):
            raise error
        raise too_busy(error.retry_after_s) from error

    def close(self) -> None:
        """The client left the line; what comes out of it is another response, closed instead."""
        try:
            self._given_up()
        finally:
            super().close()


def too_busy(retry_after_s: float) -> Overloaded:
    """The error for a request that found no room in the instance's quota, and so did nothing."""
    wait_s = math.ceil(retry_after_s)
    seconds = "1 second" if wait_s == 1 else f"{wait_s} seconds"
    return Overloaded(
        f"The chat service is busy. Nothing was done; try again in {seconds}.", wait_s
    )


def _nothing() -> None:
    pass
