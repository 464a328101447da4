"""A permit of the governor for an upstream call, without holding a thread while waiting for it.

A permit at hand is taken in passing, and the call is made in this hop. If there is none, the answer
is
*deferred*: the request gives its thread back, waits on the event loop, and takes a second hop.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from chatproxy.conf import conf
from chatproxy.onehop import Deferred
from chatproxy.sessions.errors import Overloaded
from chatproxy.sessions.instances import governor
from chatproxy.upstream.errors import ThrottlingException
from chatproxy.upstream.governor import GovernorBusy, Group, Priority

# An SDK gives up on its own after some seconds; what has waited this long is better told to wait.
PERMIT_WAIT_S = 8.0


def with_permit(
    instance_id: str,
    session_id: str,
    group: Group,
    priority: Priority,
    call: Callable[[], HttpResponse],
) -> HttpResponseBase:
    """``call()`` under a permit; deferred if none is at hand.

    Raises:
        Overloaded: none within the limit; says when to come back.
    """
    if not conf.governor:
        return call()
    keeper = governor(instance_id)

    def made() -> HttpResponse:
        try:
            return call()
        except ThrottlingException:
            # Someone else spends the same quota: agents' desktops, another deployment.
            keeper.penalise(group)
            raise
        finally:
            keeper.settle(group)

    if keeper.try_acquire(group, priority, session_id):
        return made()
    return Deferred(
        wait=lambda: keeper.acquire(group, priority, session_id, PERMIT_WAIT_S),
        resume=made,
        failed=_busy,
    )


def _busy(error: Exception) -> HttpResponseBase:
    if isinstance(error, GovernorBusy):
        raise Overloaded(
            "The chat service is busy. Wait a moment, then repeat with the same ClientToken.",
            error.retry_after_s,
        ) from error
    raise error
