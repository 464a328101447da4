"""StartChatContact and StopContact through boto3, against a server that says anything."""

import traceback
from collections.abc import Iterator

import boto3
import pytest

from chatproxy.upstream.contacts import ContactClient
from chatproxy.upstream.errors import (
    AccessDeniedException,
    ClientShutDown,
    InternalServerException,
    ResourceNotFoundException,
    ServiceException,
    ServiceQuotaExceededException,
    ThrottlingException,
    UpstreamError,
    UpstreamMisconfigured,
    UpstreamShapeError,
    UpstreamTimeout,
    UpstreamUnreachable,
    ValidationException,
)
from chatproxy.upstream.starting import ChatStart, InitialMessage, PersistentChat
from chatproxy.upstream.tokens import ParticipantToken
from chatproxy.upstream.vocabulary import MessageType, RehydrationType, ResponseMode
from tests.unit.upstream.scripted import HASTY, Script, ScriptedServer, answer, raw, refusal

STARTED = {"ContactId": "c1", "ParticipantId": "p1", "ParticipantToken": "secret-token"}
START = ChatStart("i-1", "f-1", "Ann", client_token="t-1")


@pytest.fixture(scope="module")
def session() -> boto3.session.Session:
    """Made once: it reads the service's model, which takes a while."""
    return boto3.session.Session(aws_access_key_id="AKIDTEST", aws_secret_access_key="sk-test")


@pytest.fixture
def contacts(
    server: ScriptedServer, session: boto3.session.Session, patience_s: float
) -> Iterator[ContactClient]:
    client = ContactClient(
        "us-west-2", endpoint_url=server.url, read_timeout_s=patience_s, session=session
    )
    yield client
    client.shutdown()


def failure(contacts: ContactClient) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        contacts.start_chat_contact(START)
    told = "".join(traceback.format_exception(caught.value))
    assert "sk-test" not in told
    assert "secret-token" not in told
    return caught.value


def test_start_sends_our_client_token_and_signs(
    server: ScriptedServer, contacts: ContactClient
) -> None:
    server.will(answer(STARTED))
    started = contacts.start_chat_contact(START)
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("PUT", "/contact/chat")
    assert asked.json == {
        "InstanceId": "i-1",
        "ContactFlowId": "f-1",
        "ParticipantDetails": {"DisplayName": "Ann"},
        "ClientToken": "t-1",
    }
    assert "/us-west-2/connect/aws4_request" in asked.headers["authorization"]
    assert (started.contact_id, started.participant_id) == ("c1", "p1")
    assert started.participant_token == ParticipantToken("secret-token")
    assert "secret-token" not in repr(started)


def test_start_carries_everything_the_model_has(
    server: ScriptedServer, contacts: ContactClient
) -> None:
    server.will(answer({**STARTED, "ContinuedFromContactId": "c0"}))
    start = ChatStart(
        "i-1",
        "f-1",
        "Ann",
        attributes={"order": "7"},
        initial_message=InitialMessage("Where is it?"),
        supported_content_types=(MessageType.PLAIN, MessageType.MARKDOWN),
        chat_duration_minutes=1500,
        persistent_chat=PersistentChat("c0", RehydrationType.FROM_SEGMENT),
        customer_id="k-1",
        response_mode=ResponseMode.INCREMENTAL,
        agent_leaves_with_customer=True,
    )
    started = contacts.start_chat_contact(start)
    assert started.continued_from_contact_id == "c0"
    body = server.asked[0].json
    assert body.pop("ClientToken") == start.client_token
    assert body == {
        "InstanceId": "i-1",
        "ContactFlowId": "f-1",
        "ParticipantDetails": {"DisplayName": "Ann"},
        "Attributes": {"order": "7"},
        "InitialMessage": {"ContentType": "text/plain", "Content": "Where is it?"},
        "SupportedMessagingContentTypes": ["text/plain", "text/markdown"],
        "ChatDurationInMinutes": 1500,
        "PersistentChat": {"SourceContactId": "c0", "RehydrationType": "FROM_SEGMENT"},
        "CustomerId": "k-1",
        "ParticipantConfiguration": {"ResponseMode": "INCREMENTAL"},
        "DisconnectOnCustomerExit": ["AGENT"],
    }


def test_stop_names_contact_and_instance(server: ScriptedServer, contacts: ContactClient) -> None:
    server.will(answer({}))
    contacts.stop_contact("i-1", "c1")
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("POST", "/contact/stop")
    assert asked.json == {"InstanceId": "i-1", "ContactId": "c1"}


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("AccessDeniedException", 403, AccessDeniedException),
        ("InvalidRequestException", 400, ValidationException),
        ("InvalidParameterException", 400, ValidationException),
        ("ResourceNotFoundException", 404, ResourceNotFoundException),
        ("LimitExceededException", 429, ServiceQuotaExceededException),
        ("TooManyRequestsException", 429, ThrottlingException),
        ("InternalServiceException", 500, InternalServerException),
        ("UnrecognizedClientException", 403, ServiceException),
    ],
)
def test_refusal_is_named_and_not_repeated_by_boto3(
    name: str,
    status: int,
    kind: type[ServiceException],
    server: ScriptedServer,
    contacts: ContactClient,
) -> None:
    server.will(refusal(name, status, "Because."))
    error = failure(contacts)
    assert type(error) is kind
    assert isinstance(error, ServiceException)
    assert (error.status_code, error.error_code, error.message) == (status, name, "Because.")
    assert error.request_id == "request-1"
    assert error.operation == "StartChatContact"
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (raw(then_close=True), UpstreamUnreachable),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", then_close=True), UpstreamError),
        (answer(b"<html>"), UpstreamShapeError),
        (answer({}), UpstreamShapeError),
        (answer({**STARTED, "ParticipantToken": ""}), UpstreamShapeError),
        (answer(b"<html>", 502), InternalServerException),
    ],
)
def test_nonsense_is_told_from_silence(
    script: Script, kind: type[UpstreamError], server: ScriptedServer, contacts: ContactClient
) -> None:
    server.will(script)
    error = failure(contacts)
    assert isinstance(error, kind), repr(error)
    assert error.may_have_arrived
    assert len(server.asked) == 1


@HASTY
def test_silence_is_a_timeout(server: ScriptedServer, contacts: ContactClient) -> None:
    server.will(lambda connection: connection.recv(1) and None)
    error = failure(contacts)
    assert isinstance(error, UpstreamTimeout)
    assert error.may_have_arrived
    assert len(server.asked) == 1


def test_stopping_an_ended_contact_is_not_found(
    server: ScriptedServer, contacts: ContactClient
) -> None:
    server.will(refusal("ContactNotFoundException", 410))
    with pytest.raises(ResourceNotFoundException):
        contacts.stop_contact("i-1", "c1")


def test_nobody_listening_is_unreachable(server: ScriptedServer, contacts: ContactClient) -> None:
    server.close()
    error = failure(contacts)
    assert isinstance(error, UpstreamUnreachable)
    assert error.retryable
    assert not error.may_have_arrived


def test_missing_credentials_are_for_an_operator(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    contacts = ContactClient("us-west-2", endpoint_url=server.url)
    error = failure(contacts)
    assert isinstance(error, UpstreamMisconfigured)
    assert not error.retryable
    assert "NoCredentialsError" in str(error)
    contacts.shutdown()


def test_after_shutdown_nothing_is_sent(server: ScriptedServer, contacts: ContactClient) -> None:
    server.will(answer(STARTED))
    contacts.start_chat_contact(START)
    contacts.shutdown()
    contacts.shutdown()
    with pytest.raises(ClientShutDown):
        contacts.stop_contact("i-1", "c1")
    assert len(server.asked) == 1
