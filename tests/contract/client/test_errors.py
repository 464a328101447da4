"""Our own upstream client against the sandbox: each error by its name, and what may be repeated."""

import json
from typing import Any

import pytest

from chatproxy.upstream.contacts import ContactClient
from chatproxy.upstream.errors import (
    AccessDeniedException,
    ConflictException,
    InternalServerException,
    ResourceNotFoundException,
    ServiceQuotaExceededException,
    ThrottlingException,
    UpstreamError,
    UpstreamShapeError,
    UpstreamTimeout,
    UpstreamUnreachable,
    ValidationException,
)
from chatproxy.upstream.inputs import OutgoingEvent, OutgoingMessage, UploadStart
from chatproxy.upstream.participant import ParticipantClient
from chatproxy.upstream.shapes import StartedChat
from chatproxy.upstream.starting import ChatStart
from chatproxy.upstream.tokens import ConnectionToken
from chatproxy.upstream.vocabulary import EventType
from tests.contract.client.talk import FLOW, INSTANCE, Socket, words
from tests.processes import RunningSandbox


def test_tokens_of_the_wrong_kind_are_refused(
    chat: StartedChat, token: ConnectionToken, client: ParticipantClient
) -> None:
    swapped: Any = chat.participant_token
    with pytest.raises(AccessDeniedException):
        client.send_message(swapped, words("hi"))
    swapped = token
    with pytest.raises(AccessDeniedException):
        client.create_participant_connection(swapped)


def test_what_we_refuse_the_service_refuses_too(
    token: ConnectionToken, client: ParticipantClient
) -> None:
    refused_by_both = [
        OutgoingMessage("text/html", "x"),
        OutgoingMessage("text/plain", "x" * 16385),
        OutgoingMessage("text/plain", ""),
    ]
    for message in refused_by_both:
        with pytest.raises(ValidationException):
            message.validate()
        with pytest.raises(ValidationException) as refused:
            client.send_message(token, message)
        assert refused.value.message


def test_receipts_among_three_are_a_conflict(
    sandbox: RunningSandbox,
    chat: StartedChat,
    socket: Socket,
    token: ConnectionToken,
    client: ParticipantClient,
) -> None:
    for name in ("Bob", "Carol"):
        sandbox.control("POST", f"contacts/{chat.contact_id}/join", {"display_name": name})
    sent = client.send_message(token, words("hi"))
    receipt = OutgoingEvent(EventType.MESSAGE_READ, json.dumps({"messageId": sent.id}))
    with pytest.raises(ConflictException):
        client.send_event(token, receipt)


def test_too_many_attachments_are_over_quota(
    sandbox: RunningSandbox, token: ConnectionToken, client: ParticipantClient
) -> None:
    sandbox.change(attachments_per_chat=0)
    with pytest.raises(ServiceQuotaExceededException):
        client.start_attachment_upload(token, UploadStart("text/plain", 5, "note.txt"))


def test_too_many_chats_are_over_quota(sandbox: RunningSandbox, contacts: ContactClient) -> None:
    sandbox.change(concurrent_chats=0)
    with pytest.raises(ServiceQuotaExceededException) as refused:
        contacts.start_chat_contact(ChatStart(INSTANCE, FLOW, "Ann"))
    assert refused.value.status_code == 429


def test_unknown_instance_is_not_found(sandbox: RunningSandbox, contacts: ContactClient) -> None:
    sandbox.change(instance_ids=["another"])
    with pytest.raises(ResourceNotFoundException):
        contacts.start_chat_contact(ChatStart(INSTANCE, FLOW, "Ann"))


def test_going_faster_than_the_quota_is_throttled(
    sandbox: RunningSandbox, token: ConnectionToken, client: ParticipantClient
) -> None:
    sandbox.change(quotas="exact")

    def read_without_pause() -> None:
        for _ in range(60):
            client.get_transcript(token)

    with pytest.raises(ThrottlingException) as refused:
        read_without_pause()
    assert refused.value.retryable


FAULTS: list[tuple[dict[str, Any], type[UpstreamError]]] = [
    ({"kind": "throttle"}, ThrottlingException),
    ({"kind": "error", "error": "InternalServerException"}, InternalServerException),
    ({"kind": "error", "error": "ConflictException"}, ConflictException),
    ({"kind": "status", "status": 503}, InternalServerException),
    ({"kind": "status", "status": 403}, UpstreamShapeError),
    ({"kind": "nonsense"}, UpstreamShapeError),
    ({"kind": "hang"}, UpstreamTimeout),
    ({"kind": "reset"}, UpstreamUnreachable),
    ({"kind": "lose_answer"}, UpstreamUnreachable),
    ({"kind": "delay", "delay_s": 5}, UpstreamTimeout),
]


@pytest.mark.parametrize(
    ("fault", "kind"), FAULTS, ids=[" ".join(map(str, f.values())) for f, _ in FAULTS]
)
def test_fault_of_the_service_is_told_by_its_name(
    fault: dict[str, Any],
    kind: type[UpstreamError],
    sandbox: RunningSandbox,
    token: ConnectionToken,
    client: ParticipantClient,
) -> None:
    patience_s = 0.5 if kind is UpstreamTimeout else 20.0
    sandbox.add_fault(operation="SendMessage", count=1, **fault)
    with pytest.raises(UpstreamError) as failed:
        client.send_message(token, words("hi"), read_timeout_s=patience_s)
    assert type(failed.value) is kind


def test_answer_that_got_lost_is_had_by_asking_again(
    sandbox: RunningSandbox, token: ConnectionToken, client: ParticipantClient
) -> None:
    sandbox.add_fault(operation="SendMessage", count=1, kind="lose_answer")
    message = words("said once")
    with pytest.raises(UpstreamUnreachable) as failed:
        client.send_message(token, message)
    assert failed.value.may_have_arrived
    accepted = client.send_message(token, message)
    said = [i for i in client.get_transcript(token).items if i.content == "said once"]
    assert [item.id for item in said] == [accepted.id]


def test_no_secret_of_the_sandbox_shows_in_what_we_hold(
    sandbox: RunningSandbox, chat: StartedChat, client: ParticipantClient
) -> None:
    connection = client.create_participant_connection(chat.participant_token)
    shown = f"{chat!r} {connection!r} {vars(client)!r} {connection} {chat.participant_token}"
    secrets = {issued["value"] for issued in sandbox.state()["secrets"]}
    assert chat.participant_token.reveal() in secrets
    assert not [secret for secret in secrets if secret in shown]
