"""What the service can answer, and what it can fail to answer.

Everything ``upstream`` raises is here, made once where the bytes are read; nobody above sees an
exception of ``requests`` or ``botocore``. The service's names stay as they are, so that a log line
leads to the API reference. What an error means to a browser is decided at the door, not here.

    ChatProxyError
      UpstreamError                operation, request_id, retryable, may_have_arrived
        UpstreamUnreachable          no connection, or it broke before the answer was complete
          ClientShutDown               our own client has been closed
        UpstreamTimeout              no answer in time; outcome unknown
        UpstreamShapeError           an answer that does not fit the documentation
        UpstreamMisconfigured        no credentials, or no such endpoint: an operator has to act
        ServiceException             status_code, error_code, message, retry_after_s
          AccessDeniedException        403; token spent, or chat over
          ValidationException          400; also when we refuse a request before sending it
          ResourceNotFoundException    404, 410
          ConflictException            409
          ServiceQuotaExceededException  402; the Connect service's LimitExceeded, 429
          ThrottlingException          429; retryable
          InternalServerException      5xx; retryable

Errors carry fields, and ``str()`` makes a sentence of them that may be logged: never a token, a URL
or what people wrote. ``message`` is the service's own text, for the caller alone; it is left out of
``str()`` because validation messages quote what was sent.
"""

import random
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

THROTTLED_STATUS: Final = 429
RETRY_FIRST_S: Final = 0.2
RETRY_CAP_S: Final = 10.0
RETRY_ATTEMPTS: Final = 4


class ChatProxyError(Exception):
    """Root of everything this project raises on purpose."""


class UpstreamError(ChatProxyError):
    """A call of the service that did not succeed.

    Attributes:
        operation: Name as in the API reference, "SendMessage".
        request_id: The service's id of the call, if an answer carried one.
        retryable: Whether the same call may succeed later.
        may_have_arrived: Whether the service may have acted on it. If so, repeat it only with the
            same client token, or not at all.
        detail: One clause for the log, without secrets.
    """

    retryable = False
    may_have_arrived = False
    says = "failed"

    def __init__(
        self, operation: str, *, request_id: str | None = None, detail: str | None = None
    ) -> None:
        super().__init__()
        self.operation = str(operation)
        self.request_id = request_id
        self.detail = detail

    def __str__(self) -> str:
        sentence = f"{self.operation} {self.says}"
        if self.detail:
            sentence += f": {self.detail}"
        return f"{sentence} (request id {self.request_id})" if self.request_id else sentence

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


class UpstreamUnreachable(UpstreamError):
    """No connection to the service; or, if ``may_have_arrived``, it broke before the answer."""

    retryable = True
    says = "did not reach the service"

    def __init__(
        self, operation: str, *, detail: str | None = None, may_have_arrived: bool = False
    ) -> None:
        super().__init__(operation, detail=detail)
        self.may_have_arrived = may_have_arrived
        if may_have_arrived:
            self.says = "was cut off before the answer was complete"


class ClientShutDown(UpstreamUnreachable):
    """The client was used after ``shutdown()``; the process is stopping."""

    retryable = False
    says = "was not sent because this client has been shut down"


class UpstreamTimeout(UpstreamError):
    """No complete answer in time. The service may have acted; repeat the client token."""

    retryable = True
    may_have_arrived = True
    says = "was not answered in time"


class UpstreamShapeError(UpstreamError):
    """An answer that does not fit the documentation. The service may have acted."""

    may_have_arrived = True
    says = "was answered in a way we do not understand"


class UpstreamMisconfigured(UpstreamError):
    """The call cannot be made as we are configured: credentials, region or endpoint."""

    says = "cannot be made as this proxy is configured"


class ServiceException(UpstreamError):
    """The service said no.

    Attributes:
        status_code: HTTP status.
        error_code: The name the service used, which may be an alias of the class's.
        message: The service's own text, at most 500 characters; not part of ``str()``.
        retry_after_s: Seconds the service asked us to wait, if it did.
    """

    default_status = 500

    def __init__(
        self,
        operation: str,
        *,
        message: str = "",
        status_code: int | None = None,
        error_code: str | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(operation, request_id=request_id)
        self.message = message
        self.status_code = status_code if status_code is not None else self.default_status
        self.error_code = error_code or type(self).__name__
        self.retry_after_s = retry_after_s
        if type(self) is ServiceException:
            self.retryable = self.status_code == THROTTLED_STATUS or self.status_code >= 500

    def __str__(self) -> str:
        named = f"{self.operation} was refused: {self.error_code} ({self.status_code})"
        return f"{named}, request id {self.request_id}" if self.request_id else named


class AccessDeniedException(ServiceException):
    """The token is spent, expired or of the other kind, or the chat is over."""

    default_status = 403


class ValidationException(ServiceException):
    """The request does not fit the model; trying again will not help."""

    default_status = 400


class ResourceNotFoundException(ServiceException):
    """No such view, contact, instance or flow."""

    default_status = 404


class ConflictException(ServiceException):
    """Receipts with more than two participants; an upload completed twice at once."""

    default_status = 409


class ServiceQuotaExceededException(ServiceException):
    """Too many attachments in this chat, or too many active chats in this instance."""

    default_status = 402


class ThrottlingException(ServiceException):
    """Too fast for the instance; pause, then repeat."""

    default_status = 429
    retryable = True


class InternalServerException(ServiceException):
    """The service failed; whether it acted before it did is unknown."""

    default_status = 500
    retryable = True
    may_have_arrived = True


_BY_NAME: Final[dict[str, type[ServiceException]]] = {
    "AccessDeniedException": AccessDeniedException,
    "ForbiddenException": AccessDeniedException,
    "ValidationException": ValidationException,
    "InvalidParameterException": ValidationException,
    "InvalidRequestException": ValidationException,
    "ResourceNotFoundException": ResourceNotFoundException,
    "ContactNotFoundException": ResourceNotFoundException,
    "ConflictException": ConflictException,
    "ServiceQuotaExceededException": ServiceQuotaExceededException,
    "LimitExceededException": ServiceQuotaExceededException,
    "ThrottlingException": ThrottlingException,
    "TooManyRequestsException": ThrottlingException,
    "InternalServerException": InternalServerException,
    "InternalServiceException": InternalServerException,
}
_BY_STATUS: Final = {cls.default_status: cls for cls in _BY_NAME.values()}


def exception_class(error_code: str, status_code: int) -> type[ServiceException]:
    """The class for an answer's error name; by status alone when it has none.

    A name we do not know stays a plain `ServiceException`, whatever its status: a 403 that is not
    about the participant must not pass for the end of a chat.
    """
    if error_code in _BY_NAME:
        return _BY_NAME[error_code]
    if status_code >= 500:
        return InternalServerException
    if status_code == THROTTLED_STATUS:
        return ThrottlingException
    return ServiceException if error_code else _BY_STATUS.get(status_code, ServiceException)


def backoff(
    first_s: float = RETRY_FIRST_S,
    cap_s: float = RETRY_CAP_S,
    *,
    chance: Callable[[], float] = random.random,
) -> Iterator[float]:
    """Endless waiting times in seconds: full jitter below a bound that doubles up to ``cap_s``."""
    bound_s = first_s
    while True:
        yield chance() * bound_s
        bound_s = min(cap_s, bound_s * 2)


def retry_delay(
    error: BaseException,
    attempt: int,
    *,
    repeatable: bool = False,
    attempts: int = RETRY_ATTEMPTS,
    chance: Callable[[], float] = random.random,
) -> float | None:
    """Decide whether to repeat a failed call: seconds to wait, or None to give up.

    Args:
        error: What the call raised.
        attempt: How often the call has been made, from 1.
        repeatable: The call reads only, or repeats its client token on the same connection token.
            Otherwise only what surely had no effect is repeated.
        attempts: Give up after so many.
        chance: Source of numbers in [0, 1).
    """
    if not isinstance(error, UpstreamError) or not error.retryable or attempt >= attempts:
        return None
    if error.may_have_arrived and not repeatable:
        return None
    delay = next(islice(backoff(chance=chance), attempt - 1, None))
    asked = error.retry_after_s if isinstance(error, ServiceException) else None
    return max(delay, asked or 0.0)
