"""What the service refuses although the models would let it pass: content types and sizes.

Sizes were published in two generations; ``options.size_profile`` chooses ("bytes" or "strict").
"""

from chatproxy.sandbox.options import Options
from chatproxy.sandbox.wire import ServiceError
from chatproxy.upstream.vocabulary import (
    CONTENT_MAX,
    CONTENT_MAX_BY_TYPE_2023,
    SENDABLE_MESSAGE_TYPES,
    MessageType,
)


def check_message(
    options: Options, content_type: str, content: str, allowed: frozenset[str] | None
) -> None:
    """Refuse a message nobody may send, or this customer may not, or that is too long.

    Raises:
        ServiceError: ValidationException.
    """
    if content_type not in SENDABLE_MESSAGE_TYPES:
        raise _refused(f"ContentType {content_type!r} is not supported for SendMessage")
    if allowed is not None and content_type not in allowed:
        raise _refused(f"ContentType {content_type!r} is not supported by this contact")
    if options.size_profile == "strict":
        most = CONTENT_MAX_BY_TYPE_2023[MessageType(content_type)]
        if len(content) > most:
            raise _refused(f"Content must be no longer than {most} characters")
    elif len(content.encode("utf-8", "surrogatepass")) > CONTENT_MAX:
        raise _refused(f"Content must be no longer than {CONTENT_MAX} bytes")


def _refused(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)
