"""What a customer does in a chat: send, read, attach, leave. One upstream call each.

A permit of the governor has been taken before any of these is called; they run in a pool thread and
open the token at the last moment. ``generation`` names the connection token a send was first tried
on, so that a repeat finds the same idempotency on the service's side.
"""

from __future__ import annotations

from chatproxy.sessions.errors import Overloaded
from chatproxy.sessions.instances import give_connection_back, participant_client
from chatproxy.sessions.opened import OpenedSession
from chatproxy.upstream.errors import ValidationException
from chatproxy.upstream.inputs import (
    AttachmentRequest,
    AuthenticationCancellation,
    AuthenticationUrlRequest,
    Disconnection,
    OutgoingEvent,
    OutgoingMessage,
    TranscriptQuery,
    UploadCompletion,
    UploadStart,
    ViewRequest,
)
from chatproxy.upstream.participant import ParticipantClient
from chatproxy.upstream.shapes import (
    Accepted,
    AttachmentAddress,
    AuthenticationAddress,
    ConnectionToken,
    TranscriptPage,
    UploadAddress,
    View,
)


def _service() -> ParticipantClient:
    give_connection_back()
    return participant_client()


def token_of(chat: OpenedSession, generation: int) -> ConnectionToken:
    """The connection token for one call.

    Raises:
        Overloaded: the session's connection is still coming up.
    """
    found = chat.token(generation)
    if found is None:
        raise Overloaded("The connection is still coming up. Try again in a moment.", 1.0)
    return found[1]


def check_content_type(chat: OpenedSession, message: OutgoingMessage) -> None:
    """Refuse what the contact does not support, before it costs a permit.

    Raises:
        ValidationException: as the service would.
    """
    if message.content_type not in chat.content_types:
        raise ValidationException(
            message.operation,
            message=f"{message.content_type} is not among this chat's content types: "
            f"{', '.join(sorted(chat.content_types))}. Use one of these, or add it to the widget's "
            "in the admin, for chats started from then on.",
        )


def send_message(chat: OpenedSession, generation: int, message: OutgoingMessage) -> Accepted:
    """SendMessage as the customer. Raises errors of ``upstream.errors``."""
    return _service().send_message(token_of(chat, generation), message)


def send_event(chat: OpenedSession, generation: int, event: OutgoingEvent) -> Accepted:
    """SendEvent as the customer: typing or a receipt."""
    return _service().send_event(token_of(chat, generation), event)


def get_transcript(chat: OpenedSession, query: TranscriptQuery) -> TranscriptPage:
    """GetTranscript from upstream."""
    return _service().get_transcript(token_of(chat, chat.generation), query)


def disconnect(chat: OpenedSession, generation: int, request: Disconnection) -> None:
    """DisconnectParticipant: the customer leaves; the chat ends when ``chat.ended`` arrives."""
    _service().disconnect_participant(token_of(chat, generation), request)


def start_upload(chat: OpenedSession, generation: int, request: UploadStart) -> UploadAddress:
    """StartAttachmentUpload; the address goes to the browser and is kept nowhere."""
    return _service().start_attachment_upload(token_of(chat, generation), request)


def complete_upload(chat: OpenedSession, generation: int, request: UploadCompletion) -> None:
    """CompleteAttachmentUpload."""
    _service().complete_attachment_upload(token_of(chat, generation), request)


def get_attachment(
    chat: OpenedSession, generation: int, request: AttachmentRequest
) -> AttachmentAddress:
    """GetAttachment; the address goes to the browser and is kept nowhere."""
    return _service().get_attachment(token_of(chat, generation), request)


def describe_view(chat: OpenedSession, generation: int, request: ViewRequest) -> View:
    """DescribeView."""
    return _service().describe_view(token_of(chat, generation), request)


def authentication_url(
    chat: OpenedSession, generation: int, request: AuthenticationUrlRequest
) -> AuthenticationAddress:
    """GetAuthenticationUrl."""
    return _service().get_authentication_url(token_of(chat, generation), request)


def cancel_authentication(
    chat: OpenedSession, generation: int, request: AuthenticationCancellation
) -> None:
    """CancelParticipantAuthentication."""
    _service().cancel_participant_authentication(token_of(chat, generation), request)
