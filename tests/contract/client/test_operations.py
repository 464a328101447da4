"""Our own upstream client against the sandbox: each operation, and the socket.

The suite around this folder speaks the plain protocol; here the same ground is walked by
``chatproxy.upstream``, so that what it makes of the wire is seen on the wire.
"""

import json
import threading

import pytest
import requests

from chatproxy.upstream.contacts import ContactClient
from chatproxy.upstream.errors import AccessDeniedException, ResourceNotFoundException
from chatproxy.upstream.inputs import (
    AttachmentRequest,
    AuthenticationCancellation,
    AuthenticationUrlRequest,
    ConnectionRequest,
    OutgoingEvent,
    StartPosition,
    TranscriptQuery,
    UploadCompletion,
    UploadStart,
    ViewRequest,
)
from chatproxy.upstream.participant import ParticipantClient
from chatproxy.upstream.shapes import StartedChat
from chatproxy.upstream.starting import ChatStart, InitialMessage
from chatproxy.upstream.tokens import ConnectionToken
from chatproxy.upstream.topics import HeartbeatAnswered, PingAnswered
from chatproxy.upstream.versions import version_keys
from chatproxy.upstream.vocabulary import (
    ConnectionType,
    EventType,
    MessageType,
    ScanDirection,
    SortOrder,
)
from tests.contract.client.talk import FLOW, INSTANCE, WITH_BOT, Socket, words
from tests.processes import RunningSandbox


def test_message_comes_back_on_the_socket_and_in_the_transcript(
    socket: Socket, token: ConnectionToken, client: ParticipantClient
) -> None:
    message = words("Grüße 👋")
    accepted = client.send_message(token, message)
    echoed = socket.item(MessageType.PLAIN)
    (kept,) = [item for item in client.get_transcript(token).items if item.type == "MESSAGE"]
    assert accepted.id == echoed.id == kept.id
    assert echoed.content == kept.content == "Grüße 👋"
    assert accepted.absolute_time == echoed.at == kept.at
    assert version_keys(echoed) == version_keys(kept)
    metadata = client.get_cached_response_metadata(message)
    assert metadata is not None
    assert metadata.request_id


def test_same_client_token_is_the_same_message(
    socket: Socket, token: ConnectionToken, client: ParticipantClient
) -> None:
    message = words("once")
    first, second = (client.send_message(token, message) for _ in range(2))
    client.send_message(token, words("after"))
    socket.until(lambda: any(item.content == "after" for item in socket.items))
    assert first.id == second.id
    assert [item.content for item in socket.items].count("once") == 1


def test_initial_message_is_said_by_the_customer(
    contacts: ContactClient, client: ParticipantClient
) -> None:
    start = ChatStart(INSTANCE, FLOW, "Ann", initial_message=InitialMessage("Where is it?"))
    chat, again = contacts.start_chat_contact(start), contacts.start_chat_contact(start)
    assert chat.contact_id == again.contact_id
    token = client.create_participant_connection(chat.participant_token).token
    said = [item for item in client.get_transcript(token).items if item.type == "MESSAGE"]
    assert [(item.content, item.participant_id) for item in said] == [
        ("Where is it?", chat.participant_id)
    ]


def test_connection_may_be_asked_for_in_parts(chat: StartedChat, client: ParticipantClient) -> None:
    only_token = ConnectionRequest(types=(ConnectionType.CONNECTION_CREDENTIALS,))
    connection = client.create_participant_connection(chat.participant_token, only_token)
    assert connection.token
    assert connection.websocket is None


def test_typing_and_receipts_arrive_as_events(
    sandbox: RunningSandbox,
    chat: StartedChat,
    socket: Socket,
    token: ConnectionToken,
    client: ParticipantClient,
) -> None:
    sandbox.control("POST", f"contacts/{chat.contact_id}/join", {"display_name": "Bob"})
    sandbox.control("POST", f"contacts/{chat.contact_id}/say", {"content": "Hello, Ann"})
    said = socket.item(MessageType.PLAIN)
    client.send_event(token, OutgoingEvent(EventType.TYPING))
    assert socket.item(EventType.TYPING).participant_id == chat.participant_id
    for kind in (EventType.MESSAGE_DELIVERED, EventType.MESSAGE_READ):
        client.send_event(token, OutgoingEvent(kind, json.dumps({"messageId": said.id})))
    told = socket.until(
        lambda: next(
            (i for i in socket.items if i.is_receipt and "ReadTimestamp" in i.receipts[0]), None
        )
    )
    assert told.id == said.id
    (kept,) = [item for item in client.get_transcript(token).items if item.id == said.id]
    assert kept.receipts[0]["RecipientParticipantId"] == chat.participant_id
    assert set(kept.receipts[0]) >= {"DeliveredTimestamp", "ReadTimestamp"}


def test_heartbeat_and_ping_are_answered(socket: Socket) -> None:
    socket.until(lambda: HeartbeatAnswered() in socket.events)
    socket.until(lambda: PingAnswered(True) in socket.events)
    assert socket.protocol.failure is None


def test_transcript_is_paged_both_ways(token: ConnectionToken, client: ParticipantClient) -> None:
    sent = [client.send_message(token, words(f"line {n}")).id for n in range(7)]
    backward: list[str] = []
    page = client.get_transcript(token, TranscriptQuery(max_results=3))
    backward += [item.id for item in page.items]
    while page.next_token:
        page = client.get_transcript(
            token, TranscriptQuery(max_results=3, next_token=page.next_token)
        )
        backward += [item.id for item in page.items]
    assert [each for each in reversed(backward) if each in sent] == sent
    forward = client.get_transcript(
        token,
        TranscriptQuery(
            max_results=100,
            scan_direction=ScanDirection.FORWARD,
            sort_order=SortOrder.ASCENDING,
            start_position=StartPosition(id=sent[4]),
        ),
    )
    assert [item.id for item in forward.items] == sent[4:]


def test_file_goes_up_and_comes_down(
    socket: Socket, token: ConnectionToken, client: ParticipantClient
) -> None:
    upload = client.start_attachment_upload(token, UploadStart("text/plain", 5, "note.txt"))
    put = requests.put(upload.url, data=b"12345", headers=dict(upload.headers), timeout=5)
    assert put.status_code == 200
    client.complete_attachment_upload(token, UploadCompletion((upload.attachment_id,)))
    assert socket.item("ATTACHMENT").attachments[0]["AttachmentName"] == "note.txt"
    address = client.get_attachment(token, AttachmentRequest(upload.attachment_id, 60))
    assert address.size_bytes == 5
    assert requests.get(address.url, timeout=5).content == b"12345"


@WITH_BOT
def test_view_is_described_by_the_token_of_its_message(
    socket: Socket, token: ConnectionToken, client: ParticipantClient
) -> None:
    client.send_message(token, words("view"))
    shown = socket.until(
        lambda: next((i for i in socket.items if "ViewResource" in i.content), None)
    )
    view_token = json.loads(shown.content)["data"]["content"]["viewToken"]
    view = client.describe_view(token, ViewRequest(view_token))
    assert view.id
    assert json.loads(view.wire["View"]["Content"]["Template"])
    with pytest.raises(ResourceNotFoundException):
        client.describe_view(token, ViewRequest("no/such/view"))


@WITH_BOT
def test_customer_is_sent_to_sign_in_or_declines(
    socket: Socket, token: ConnectionToken, client: ParticipantClient
) -> None:
    client.send_message(token, words("signin"))
    asked = socket.item(EventType.AUTHENTICATION_INITIATED)
    session_id = json.loads(asked.content)["SessionId"]
    request = AuthenticationUrlRequest(session_id, "https://shop.example/back")
    assert client.get_authentication_url(token, request).url.startswith("http")
    client.cancel_participant_authentication(token, AuthenticationCancellation(session_id))
    assert socket.item(EventType.AUTHENTICATION_CANCELLED)


def test_leaving_ends_the_chat_and_its_tokens(
    chat: StartedChat, socket: Socket, token: ConnectionToken, client: ParticipantClient
) -> None:
    client.disconnect_participant(token)
    assert socket.item(EventType.CHAT_ENDED).is_chat_ended
    for call in (
        lambda: client.disconnect_participant(token),
        lambda: client.send_message(token, words("hello?")),
        lambda: client.get_transcript(token),
        lambda: client.create_participant_connection(chat.participant_token),
    ):
        with pytest.raises(AccessDeniedException) as refused:
            call()
        assert refused.value.request_id


def test_contact_is_stopped_from_outside(
    chat: StartedChat, socket: Socket, contacts: ContactClient
) -> None:
    contacts.stop_contact(INSTANCE, chat.contact_id)
    assert socket.item(EventType.CHAT_ENDED)
    with pytest.raises(ResourceNotFoundException):
        contacts.stop_contact(INSTANCE, "00000000-0000-4000-8000-000000000000")


def test_threads_share_a_client(
    sandbox: RunningSandbox, token: ConnectionToken, client: ParticipantClient
) -> None:
    ids: list[str] = []

    def speak(number: int) -> None:
        for line in range(5):
            ids.append(client.send_message(token, words(f"{number}.{line}")).id)

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(set(ids)) == 30
