"""What can be wrong with a request or a session, before Amazon Connect is even asked."""

from __future__ import annotations

from chatproxy.upstream.errors import ChatProxyError


class SessionError(ChatProxyError):
    """The session a request names can't serve it."""


class SessionNotFound(SessionError):
    """No such session, or it has expired: start a new chat."""


class SessionKeyInvalid(SessionError):
    """The key is malformed, unknown, revoked or of the other kind."""


class SessionEnded(SessionError):
    """The chat is over; its session key still reads it for a while."""


class RequestError(ChatProxyError):
    """The request itself is at fault."""


class MalformedBody(RequestError):
    """The body is not the JSON object it has to be."""


class InvalidFields(RequestError):
    """Some fields do not fit. ``errors`` lists each: JSON pointer and what is wrong with it."""

    def __init__(self, message: str, errors: list[dict[str, str]]) -> None:
        super().__init__(message)
        self.errors = errors


class OriginNotAllowed(RequestError):
    """The page's origin is not on the widget's list."""


class WidgetNotFound(RequestError):
    """No widget has this key, or it is switched off."""


class ChallengeFailed(RequestError):
    """The start did not satisfy the configured challenge."""


class RateLimited(RequestError):
    """Too many requests from here. ``retry_after_s`` says when to come back."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Overloaded(ChatProxyError):
    """The instance's quota is used up for now. ``retry_after_s`` says when to come back."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
