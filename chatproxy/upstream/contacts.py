"""Starting and stopping a contact: the two operations of the Connect service we need.

They are signed with the operator's AWS credentials, so boto3 makes the call; its own retries are
off, because a start costs money and only the caller knows whether to repeat one. The client is made
on first use: credentials may come from places that take a moment, and a process that starts no chat
needs none.

Source: Amazon Connect 2017-08-08, StartChatContact and StopContact.
"""

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from chatproxy.upstream.answers import error_of_parts
from chatproxy.upstream.errors import (
    ClientShutDown,
    UpstreamError,
    UpstreamMisconfigured,
    UpstreamShapeError,
    UpstreamTimeout,
    UpstreamUnreachable,
    ValidationException,
)
from chatproxy.upstream.metadata import Observer
from chatproxy.upstream.reading import BadShape
from chatproxy.upstream.shapes import StartedChat
from chatproxy.upstream.starting import ChatStart
from chatproxy.upstream.transport import checked_endpoint
from chatproxy.upstream.vocabulary import Operation

if TYPE_CHECKING:
    from botocore.client import BaseClient

POOL_SIZE: Final = 32


class ContactClient:
    """Calls the Connect service of one region with boto3's credentials. Thread-safe.

    Args:
        region: AWS region of the instance.
        endpoint_url: Instead of AWS's own: a sandbox, or a VPC endpoint.
        connect_timeout_s: For the TCP and TLS handshake.
        read_timeout_s: For an answer.
        session: Makes the botocore client; the seam for other credential sources, and for tests.
        observer: Told of each call that has ended, for metrics.
    """

    def __init__(
        self,
        region: str,
        *,
        endpoint_url: str | None = None,
        connect_timeout_s: float = 3.05,
        read_timeout_s: float = 10.0,
        session: Any = None,
        observer: Observer | None = None,
    ) -> None:
        self._region = region
        self._endpoint_url = checked_endpoint(endpoint_url) if endpoint_url else None
        self._timeouts_s = (connect_timeout_s, read_timeout_s)
        self._session = session
        self._observer = observer
        self._lock = threading.Lock()
        self._made: BaseClient | None = None
        self._is_shut_down = False

    def start_chat_contact(self, request: ChatStart) -> StartedChat:
        """Start a chat; its flow begins when the customer's first connection is live.

        Raises:
            ServiceQuotaExceededException: the instance holds as many chats as it may.
            ResourceNotFoundException: no such instance or flow.
            ValidationException: a field the service refuses; its ``message`` names it.
            AccessDeniedException: these credentials may not start chats.
            ThrottlingException, InternalServerException, UpstreamTimeout, UpstreamUnreachable:
                repeat with the same request, which keeps the client token.
            UpstreamMisconfigured: no credentials.
        """
        body = self._call(Operation.START_CHAT_CONTACT, "start_chat_contact", request.body())
        try:
            return StartedChat.parse(body)
        except BadShape as err:
            raise UpstreamShapeError(Operation.START_CHAT_CONTACT, detail=str(err)) from err

    def stop_contact(self, instance_id: str, contact_id: str) -> None:
        """End a contact in whatever state it is.

        Raises:
            ResourceNotFoundException: no such contact, or it has ended already.
        """
        given = {"InstanceId": instance_id, "ContactId": contact_id}
        self._call(Operation.STOP_CONTACT, "stop_contact", given)

    def open(self) -> None:
        """Make the boto3 client now rather than with the first call, which it would hold up.

        Raises:
            BotoCoreError: it cannot be made as configured; the first call will say so again.
        """
        self._client(Operation.START_CHAT_CONTACT)

    def shutdown(self) -> None:
        """Release the connections; later calls raise `ClientShutDown`. Idempotent."""
        with self._lock:
            self._is_shut_down, made, self._made = True, self._made, None
        if made is not None:
            made.close()

    def _call(self, operation: Operation, method: str, given: dict[str, Any]) -> dict[str, Any]:
        began, failure = time.perf_counter(), None
        try:
            return self._answered(operation, method, given)
        except UpstreamError as err:
            failure = err
            raise
        finally:
            if self._observer is not None:
                self._observer(operation, time.perf_counter() - began, failure)

    def _answered(self, operation: Operation, method: str, given: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client(operation), method)(**given)
        except boto.ClientError as err:
            raise _refusal(operation, err) from None  # its text quotes the service's message
        except boto.ParamValidationError:
            sentence = "A field has the wrong type or is too short."
            raise ValidationException(operation, message=sentence) from None  # it quotes values
        except (ResponseParserError, AttributeError, TypeError, LookupError, ValueError) as err:
            # botocore's parser trusts JSON to have the shape of the model.
            raise UpstreamShapeError(operation, detail="the answer cannot be parsed") from err
        except boto.BotoCoreError as err:
            raise _failure(operation, err) from err
        return answer

    def _client(self, operation: Operation) -> "BaseClient":
        with self._lock:
            if self._is_shut_down:
                raise ClientShutDown(operation)
            if self._made is None:
                self._made = self._make()
            return self._made

    def _make(self) -> "BaseClient":
        import boto3
        from botocore.config import Config

        connect_timeout_s, read_timeout_s = self._timeouts_s
        config = Config(
            connect_timeout=connect_timeout_s,
            read_timeout=read_timeout_s,
            retries={"total_max_attempts": 1},
            max_pool_connections=POOL_SIZE,
            user_agent_extra="chatproxy",
        )
        session = self._session or boto3.session.Session()
        client: BaseClient = session.client(
            "connect", region_name=self._region, endpoint_url=self._endpoint_url, config=config
        )
        return client


def _refusal(operation: Operation, err: boto.ClientError) -> UpstreamError:
    answer: Mapping[str, Any] = err.response
    error, about = answer.get("Error", {}), answer.get("ResponseMetadata", {})
    name = str(error.get("Code") or "")
    return error_of_parts(
        operation,
        name=name if name.isalpha() else "",  # botocore puts the status there when there is none
        message=error.get("Message") or None,
        status_code=int(about.get("HTTPStatusCode") or 0),
        headers=about.get("HTTPHeaders") or {},
    )


_NO_CONNECTION: Final = (
    boto.ConnectTimeoutError,
    boto.EndpointConnectionError,
    boto.ProxyConnectionError,
    boto.SSLError,
)


def _failure(operation: Operation, err: boto.BotoCoreError) -> UpstreamError:
    if isinstance(err, _NO_CONNECTION):
        return UpstreamUnreachable(operation, detail=type(err).__name__)
    if isinstance(err, boto.ReadTimeoutError):
        return UpstreamTimeout(operation)
    if isinstance(err, (boto.HTTPClientError, boto.IncompleteReadError)):
        return UpstreamUnreachable(operation, detail="the connection broke", may_have_arrived=True)
    # What is left happens before anything is sent: credentials, region, profile.
    return UpstreamMisconfigured(operation, detail=type(err).__name__)
