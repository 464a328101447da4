"""Every way a request can go wrong, once: what it is called, its status at each door, what to do.

Django is not needed here: what is refused on the event loop is told in the same words. Which
exception is which problem stands in ``problems.py``. Each type is explained in ``docs/rest.md`` and
at ``/api/docs/problems``, under the last part of its URI.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TYPE_BASE: Final = "/api/docs/problems#"

_DENIED = ("AccessDeniedException", 403)
_INVALID = ("ValidationException", 400)
_THROTTLED = ("ThrottlingException", 429)
_INTERNAL = ("InternalServerException", 500)


@dataclass(frozen=True, slots=True)
class Problem:
    """One way a request can go wrong, at both of our doors.

    ``error_type`` and ``participant_status`` are what ``/participant/`` answers, always the
    service's own; ``status`` and ``type`` what ``/api/v1/`` answers, where statuses say more.
    ``when`` is for the page its ``type`` leads to, ``detail`` what to do about it.
    """

    type: str
    title: str
    status: int
    error_type: str
    participant_status: int
    when: str
    detail: str
    retry_after_s: float | None = None

    def at(self, path: str) -> int:
        """Its status for a request of ``path``."""
        return self.participant_status if path.startswith("/participant/") else self.status

    def body(self, status: int, instance: str) -> dict[str, object]:
        """RFC 9457's members, and ``message`` where AWS SDKs look for it.

        Args:
            instance: The request's id.
        """
        return {
            "type": TYPE_BASE + self.type,
            "title": self.title,
            "status": status,
            "detail": self.detail,
            "instance": instance,
            "message": self.detail,
        }


MALFORMED_BODY: Final = Problem(
    "malformed-body",
    "The body can't be read",
    400,
    *_INVALID,
    "The body is not JSON, or not a JSON object.",
    "Send a JSON object.",
)
INVALID_FIELDS: Final = Problem(
    "invalid-fields",
    "Some fields do not fit",
    422,
    *_INVALID,
    "A field is missing, unknown or out of bounds. `errors` points at each: a JSON pointer, and "
    "what is wrong there.",
    "Correct the fields.",
)
ORIGIN_NOT_ALLOWED: Final = Problem(
    "origin-not-allowed",
    "This page may not use the widget",
    403,
    *_DENIED,
    "The page's `Origin` is not on the widget's list. It must match exactly: scheme, host and "
    "port. `null` never does.",
    "Add the page's origin to the widget's allowed origins.",
)
WIDGET_NOT_FOUND: Final = Problem(
    "widget-not-found",
    "No such widget",
    404,
    *_INVALID,
    "No widget has this key, or it is switched off.",
    "Check data-widget against the widget's key in the admin.",
)
CHALLENGE_FAILED: Final = Problem(
    "challenge-failed",
    "The challenge was not met",
    403,
    *_DENIED,
    "The site asks for a challenge (captcha, proof of work) before a chat is started, and "
    "`challenge` does not answer it.",
    "Solve the challenge again and repeat the start.",
)
RATE_LIMITED: Final = Problem(
    "rate-limited",
    "Too many requests",
    429,
    *_THROTTLED,
    "Too many starts from one address, too many requests with one key, or the widget's chats are "
    "used up: those of a day, or those open at one time.",
    "Wait, then try again.",
    1.0,
)
UPSTREAM_THROTTLED: Final = Problem(
    "upstream-throttled",
    "The chat service is busy",
    503,
    *_THROTTLED,
    "The Connect instance's quota is used up for the moment; it is shared by all chats. Or the "
    "session's connection is still coming up.",
    "Wait a moment, then try again.",
    1.0,
)
SESSION_KEY_INVALID: Final = Problem(
    "session-key-invalid",
    "The key is not valid",
    401,
    *_DENIED,
    "The key is missing, unknown, revoked or expired, or it is of the other kind: "
    "CreateParticipantConnection and `/api/v1/session` take the session key, the rest of "
    "`/participant/` the connection key.",
    "Start a new chat.",
)
CHAT_ENDED: Final = Problem(
    "chat-ended",
    "The chat is over",
    410,
    *_DENIED,
    "The chat is over. The session key still reads it for a while.",
    "Start a new chat to go on.",
)
MESSAGE_REFUSED: Final = Problem(
    "message-refused",
    "Amazon Connect refused the content",
    422,
    *_INVALID,
    "Amazon Connect, or we in its place, refused what was sent: a field out of bounds, a content "
    "type the chat does not take, a receipt for an unknown message.",
    "Change what is sent; repeating it will not help.",
)
CONFLICT: Final = Problem(
    "conflict",
    "It conflicts with what is going on",
    409,
    "ConflictException",
    409,
    "It can't be done in the chat's present state, such as completing the same upload twice at "
    "once.",
    "Read the state again before repeating it.",
)
QUOTA_EXCEEDED: Final = Problem(
    "quota-exceeded",
    "A quota of the chat service is used up",
    429,
    "ServiceQuotaExceededException",
    402,
    "A fixed number is reached: attachments in a chat, or live chats of the instance.",
    "Add no more of these to this chat; an operator may raise the instance's quota.",
)
NOT_FOUND: Final = Problem(
    "not-found",
    "Not found",
    404,
    "ResourceNotFoundException",
    404,
    "Nothing is at this address, or no view has this token.",
    "Check the identifier.",
)
UPSTREAM_TIMEOUT: Final = Problem(
    "upstream-timeout",
    "The chat service did not answer in time",
    504,
    *_INTERNAL,
    "Amazon Connect did not answer in time. What was asked may have been done all the same.",
    "It may have arrived. Repeat it with the same ClientToken; it won't be sent twice.",
    1.0,
)
UPSTREAM_MISCONFIGURED: Final = Problem(
    "upstream-misconfigured",
    "The chat service is not set up rightly",
    502,
    *_INTERNAL,
    "Amazon Connect does not know the instance or flow a chat should be started with, or does not "
    "take our credentials.",
    "An operator has to correct region, instance, flow or credentials; the log says more.",
)
UPSTREAM_FAILED: Final = Problem(
    "upstream-failed",
    "The chat service can't be reached or failed",
    502,
    *_INTERNAL,
    "Amazon Connect could not be reached, failed, or gave an answer that can't be right.",
    "Try again in a moment; with the same ClientToken nothing is sent twice.",
    2.0,
)
STORAGE_UNAVAILABLE: Final = Problem(
    "storage-unavailable",
    "Our database can't be reached or is busy",
    503,
    *_INTERNAL,
    "Our database can't be reached, or another writer keeps it too long.",
    "Try again in a moment; nothing was lost.",
    2.0,
)
HOST_NOT_ALLOWED: Final = Problem(
    "host-not-allowed",
    "This is not our address",
    400,
    *_INVALID,
    "The `Host` header names an address this proxy does not answer to.",
    "Use the address in CHAT_PUBLIC_URL, or add this one to CHAT_ALLOWED_HOSTS.",
)
METHOD_NOT_ALLOWED: Final = Problem(
    "method-not-allowed",
    "The method is not allowed here",
    405,
    "ValidationException",
    405,
    "The address exists, but not for this method; `Allow` names those it has.",
    "Use a method that Allow names.",
)
BODY_TOO_LARGE: Final = Problem(
    "body-too-large",
    "The body is too large",
    413,
    *_INVALID,
    "The body is longer than 262,144 bytes, or 4,096 for CreateParticipantConnection.",
    "Send less at once; files travel through StartAttachmentUpload.",
)
INTERNAL_ERROR: Final = Problem(
    "internal-error",
    "Something went wrong on our side",
    500,
    *_INTERNAL,
    "A mistake of ours. `instance` finds it in the log.",
    "Try again; if it stays so, tell the site's operator the instance id.",
)
OVERLOADED: Final = Problem(
    "overloaded",
    "Too much at once",
    503,
    *_THROTTLED,
    "More requests at once than this process takes on.",
    "The server has too much to do right now. Try again in 2 seconds.",
    2.0,
)

#: All of them, in the order above.
PROBLEMS: Final = tuple(each for each in list(globals().values()) if isinstance(each, Problem))
