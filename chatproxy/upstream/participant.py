"""The Participant Service's eleven operations, one method each.

Synchronous and thread-safe; meant to be shared by all threads of a process. Every method takes the
token that pays for the call and a request of ``inputs.py``, returns a shape of ``shapes.py`` or
raises an error of ``errors.py``. Nothing is retried here, and nothing waits for a quota: the caller
knows what is worth repeating (`errors.retry_delay`) and when (``governor.py``).

Source: Amazon Connect Participant Service 2018-09-07.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

from requests.adapters import BaseAdapter

from chatproxy.upstream.calls import Calls
from chatproxy.upstream.fields import Request
from chatproxy.upstream.inputs import (
    AttachmentRequest,
    AuthenticationCancellation,
    AuthenticationUrlRequest,
    ConnectionRequest,
    Disconnection,
    OutgoingEvent,
    OutgoingMessage,
    TranscriptQuery,
    UploadCompletion,
    UploadStart,
    ViewRequest,
)
from chatproxy.upstream.metadata import Observer, ResponseMetadata
from chatproxy.upstream.onesocket import OneSocketAdapter
from chatproxy.upstream.reading import BadShape
from chatproxy.upstream.shapes import (
    Accepted,
    AttachmentAddress,
    AuthenticationAddress,
    Connection,
    TranscriptPage,
    UploadAddress,
    View,
)
from chatproxy.upstream.tokens import ConnectionToken, ParticipantToken
from chatproxy.upstream.transport import Transport
from chatproxy.upstream.vocabulary import ConnectionType

LINK: Final = (ConnectionType.WEBSOCKET, ConnectionType.CONNECTION_CREDENTIALS)


class ParticipantClient:
    """Calls one region's Participant Service, or a sandbox in its place.

    Args:
        endpoint_url: ``https://participant.connect.<region>.amazonaws.com``; a path is kept.
        connect_timeout_s: For the TCP and TLS handshake.
        read_timeout_s: For an answer; each method may be given another.
        verify: True, or the path of a CA bundle.
        adapter: Makes a thread's HTTP adapter; the seam for tests.
        observer: Told of each call that has ended, for metrics.

    Raises:
        ValueError: ``endpoint_url`` is not an http(s) address of a host.
    """

    def __init__(
        self,
        endpoint_url: str,
        *,
        connect_timeout_s: float = 3.05,
        read_timeout_s: float = 10.0,
        verify: bool | str = True,
        adapter: Callable[[], BaseAdapter] = OneSocketAdapter,
        observer: Observer | None = None,
    ) -> None:
        transport = Transport(
            connect_timeout_s=connect_timeout_s,
            read_timeout_s=read_timeout_s,
            verify=verify,
            adapter=adapter,
        )
        self._calls = Calls(endpoint_url, transport, observer)

    def create_participant_connection(
        self,
        token: ParticipantToken,
        request: ConnectionRequest | None = None,
        *,
        read_timeout_s: float | None = None,
    ) -> Connection:
        """Get a websocket URL and a connection token; by default both, else what was asked for.

        Args:
            token: Participant token, from StartChatContact; good for many connections.
            request: Which of the two; None asks for both.
            read_timeout_s: Instead of the client's.

        Returns:
            The URL (dial within 100 s, once) and the token (about a day), with their expiries.

        Raises:
            AccessDeniedException: the chat is over, or the participant has left.
            ThrottlingException, InternalServerException, ValidationException.
            UpstreamTimeout, UpstreamUnreachable: repeat freely; each answer is a new connection.
        """
        request = request or ConnectionRequest(types=LINK)
        return self._calls.call(token, request, _connection_of(request), read_timeout_s)

    def send_message(
        self,
        token: ConnectionToken,
        message: OutgoingMessage,
        *,
        read_timeout_s: float | None = None,
    ) -> Accepted:
        """Post one message as the participant who owns ``token``.

        Args:
            token: Connection token; travels as ``X-Amz-Bearer``.
            message: Content within its type's limit; ``client_token`` makes a retry safe.
            read_timeout_s: Instead of the client's.

        Returns:
            Item id and the time (UTC) at which the service took the message.

        Raises:
            ValidationException: content refused; trying again will not help.
            AccessDeniedException: token spent, or chat over.
            ThrottlingException: too fast for the instance; pause, then retry.
            UpstreamTimeout: no answer in time; it may have arrived, so repeat the client token.
        """
        return self._calls.call(token, message, Accepted.parse, read_timeout_s)

    def send_event(
        self, token: ConnectionToken, event: OutgoingEvent, *, read_timeout_s: float | None = None
    ) -> Accepted:
        """Send a typing event or a receipt; the errors of `send_message`, and one more.

        Raises:
            ConflictException: a receipt while more than two participants are in the chat.
        """
        return self._calls.call(token, event, Accepted.parse, read_timeout_s)

    def get_transcript(
        self,
        token: ConnectionToken,
        query: TranscriptQuery | None = None,
        *,
        read_timeout_s: float | None = None,
    ) -> TranscriptPage:
        """Read one page of the transcript; by default the newest 10 items, newest first.

        Raises:
            AccessDeniedException: token spent; the transcript of a chat that is over is closed too.
        """
        return self._calls.call(
            token, query or TranscriptQuery(), TranscriptPage.parse, read_timeout_s
        )

    def disconnect_participant(
        self,
        token: ConnectionToken,
        request: Disconnection | None = None,
        *,
        read_timeout_s: float | None = None,
    ) -> None:
        """Leave the chat. It is over for clients only when ``chat.ended`` arrives.

        Raises:
            AccessDeniedException: already disconnected.
        """
        self._calls.call(token, request or Disconnection(), _nothing, read_timeout_s)

    def start_attachment_upload(
        self, token: ConnectionToken, upload: UploadStart, *, read_timeout_s: float | None = None
    ) -> UploadAddress:
        """Ask where one file may be put; the bytes go there, not through this client.

        Raises:
            ValidationException: type or size not allowed; its ``message`` is fit to show.
            ServiceQuotaExceededException: too many attachments in this chat.
        """
        return self._calls.call(token, upload, UploadAddress.parse, read_timeout_s)

    def complete_attachment_upload(
        self,
        token: ConnectionToken,
        upload: UploadCompletion,
        *,
        read_timeout_s: float | None = None,
    ) -> None:
        """Say that the file is in place; it then appears in the chat as an ATTACHMENT item.

        Raises:
            ConflictException: completed twice at once.
            ServiceQuotaExceededException: too many attachments in this chat.
        """
        self._calls.call(token, upload, _nothing, read_timeout_s)

    def get_attachment(
        self,
        token: ConnectionToken,
        request: AttachmentRequest,
        *,
        read_timeout_s: float | None = None,
    ) -> AttachmentAddress:
        """Get a presigned address of one approved file, good for 5 to 300 seconds.

        Raises:
            ValidationException: no such attachment, or not approved.
        """
        return self._calls.call(token, request, AttachmentAddress.parse, read_timeout_s)

    def describe_view(
        self, token: ConnectionToken, request: ViewRequest, *, read_timeout_s: float | None = None
    ) -> View:
        """Read the template of a view that a ViewResource message pointed to.

        Raises:
            ResourceNotFoundException: no such view.
            ValidationException: the token would leave its place in the path; not sent.
        """
        return self._calls.call(token, request.validate(), View.parse, read_timeout_s)

    def get_authentication_url(
        self,
        token: ConnectionToken,
        request: AuthenticationUrlRequest,
        *,
        read_timeout_s: float | None = None,
    ) -> AuthenticationAddress:
        """Where the customer signs in; within a minute of ``authentication.initiated``."""
        return self._calls.call(token, request, AuthenticationAddress.parse, read_timeout_s)

    def cancel_participant_authentication(
        self,
        token: ConnectionToken,
        request: AuthenticationCancellation,
        *,
        read_timeout_s: float | None = None,
    ) -> None:
        """Decline to sign in; the flow takes its opted-out branch."""
        self._calls.call(token, request, _nothing, read_timeout_s)

    def get_cached_response_metadata(self, request: Request) -> ResponseMetadata | None:
        """Request id, status and timing of a recent call, by the request object it was made with.

        Also of refused calls. The last 1,000 calls are kept, each for five minutes.
        """
        return self._calls.metadata.recall(request)

    def shutdown(self) -> None:
        """Release the connections; later calls raise `ClientShutDown`. Idempotent."""
        self._calls.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.shutdown()


def _nothing(body: dict[str, Any]) -> None:
    """For the operations that answer ``{}``."""


def _connection_of(request: ConnectionRequest) -> Callable[[dict[str, Any]], Connection]:
    def parse(body: dict[str, Any]) -> Connection:
        connection = Connection.parse(body)
        wanted = request.types or ()
        if ConnectionType.WEBSOCKET in wanted and connection.websocket is None:
            raise BadShape("Websocket is missing")
        if ConnectionType.CONNECTION_CREDENTIALS in wanted and connection.credentials is None:
            raise BadShape("ConnectionCredentials is missing")
        return connection

    return parse
