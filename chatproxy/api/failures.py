"""Upstream calls that failed under a visitor's hands, as lines of their session's timeline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chatproxy.relay import runtime
from chatproxy.upstream.errors import (
    AccessDeniedException,
    ServiceException,
    UpstreamError,
    ValidationException,
)
from chatproxy.upstream.vocabulary import Operation


@contextmanager
def noted(session_id: str) -> Iterator[None]:
    """Note what the call inside raises, for whoever is asked why the chat hung; and raise it."""
    try:
        yield
    except UpstreamError as err:
        hub = runtime.running_hub()
        if hub is not None and not _is_everyday(err):
            hub.recorder.note(
                session_id,
                "call_failed",
                operation=err.operation,
                error=err.error_code if isinstance(err, ServiceException) else type(err).__name__,
                request_id=err.request_id,
            )
        raise


def _is_everyday(err: UpstreamError) -> bool:
    """The link tells of tokens that are spent; a file is asked for while it is being scanned."""
    is_waited_for = isinstance(err, ValidationException) and (
        err.operation == Operation.GET_ATTACHMENT
    )
    return is_waited_for or isinstance(err, AccessDeniedException)
