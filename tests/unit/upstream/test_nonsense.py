"""Everything a network can do to a call: each ends, in time, in one of our own errors."""

import itertools
import socket
import time
import traceback
from pathlib import Path

import pytest
from requests.adapters import BaseAdapter

from chatproxy.upstream import transport, warm
from chatproxy.upstream.errors import (
    AccessDeniedException,
    InternalServerException,
    ThrottlingException,
    UpstreamError,
    UpstreamShapeError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from chatproxy.upstream.inputs import OutgoingMessage, TranscriptQuery, ViewRequest
from chatproxy.upstream.participant import ParticipantClient
from chatproxy.upstream.shapes import Accepted
from chatproxy.upstream.tokens import ConnectionToken, ParticipantToken
from tests.unit.upstream.scripted import HASTY, Script, ScriptedServer, answer, raw

TOKEN = ConnectionToken("secret-connection-token")
ACCEPTED = {"Id": "m1", "AbsoluteTime": "2026-11-22T09:00:00.123Z"}
SAID = "what the customer wrote"
OK = b"HTTP/1.1 200 OK\r\n"


def send(client: ParticipantClient) -> Accepted:
    return client.send_message(TOKEN, OutgoingMessage("text/plain", SAID))


def failure(client: ParticipantClient) -> UpstreamError:
    """What a send ends in; checked to say nothing it must not, in text or traceback."""
    with pytest.raises(UpstreamError) as caught:
        send(client)
    error = caught.value
    told = str(error) + repr(error) + "".join(traceback.format_exception(error))
    assert TOKEN.reveal() not in told
    assert SAID not in told
    assert error.operation == "SendMessage"
    assert str(error).startswith("SendMessage ")
    return error


def hang(connection: socket.socket) -> None:
    connection.recv(1)


def trickle(connection: socket.socket) -> None:
    connection.sendall(OK + b"Content-Length: 100000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x")
        time.sleep(0.02)


def endless(connection: socket.socket) -> None:
    connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in itertools.count():
        connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


NOT_UNDERSTOOD: dict[str, Script] = {
    "html": answer(b"<html>Welcome to the hotel's network</html>"),
    "a list": answer([1, 2]),
    "a string": answer("hello"),
    "null": answer(None),
    "nothing where an id is due": raw(OK + b"Content-Length: 0\r\n\r\n"),
    "no id": answer({"AbsoluteTime": ACCEPTED["AbsoluteTime"]}),
    "an id that is a number": answer({**ACCEPTED, "Id": 5}),
    "an id that is null": answer({**ACCEPTED, "Id": None}),
    "a time that is none": answer({**ACCEPTED, "AbsoluteTime": "yesterday"}),
    "a time that is a number": answer({**ACCEPTED, "AbsoluteTime": 1700000000}),
    "bytes that are no text": answer(b'{"Id":"\xff\xfe"}'),
    "deep nesting": answer(b"[" * 200_000),
    "half of the JSON": answer(b'{"Id":"m1","Abs'),
    "compressed": raw(OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00"),
    "a redirect": answer({}, 302, {"Location": "http://169.254.169.254/"}),
    "not modified": raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "a page not found": answer(b"<h1>404</h1>", 404),
    "a filter's 403": answer(b"<h1>Blocked</h1>", 403),
    "JSON of somebody else, 403": answer({"error": "blocked"}, 403),
    "not HTTP": raw(b"SSH-2.0-OpenSSH_9.2\r\n", then_close=True),
    "a status that is no number": raw(b"HTTP/1.1 abc OK\r\n\r\n", then_close=True),
    "too many headers": raw(OK + b"X: y\r\n" * 200 + b"\r\n"),
    "an endless header": raw(OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n"),
    "an endless body": endless,
}


@pytest.mark.parametrize("name", NOT_UNDERSTOOD)
def test_answer_that_does_not_fit_is_called_so(
    name: str, server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(NOT_UNDERSTOOD[name])
    error = failure(client)
    assert isinstance(error, UpstreamShapeError), repr(error)
    assert error.may_have_arrived
    assert not error.retryable


CUT_OFF: dict[str, Script] = {
    "closed before a word": raw(then_close=True),
    "closed in the headers": raw(OK + b"Content-Le", then_close=True),
    "closed in the body": raw(OK + b"Content-Length: 100\r\n\r\n{", then_close=True),
    "closed in a chunk": raw(OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{", then_close=True),
}


@pytest.mark.parametrize("name", CUT_OFF)
def test_answer_cut_off_is_no_answer_and_may_have_arrived(
    name: str, server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(CUT_OFF[name])
    error = failure(client)
    assert isinstance(error, (UpstreamUnreachable, UpstreamShapeError)), repr(error)
    assert error.may_have_arrived


@HASTY
@pytest.mark.parametrize("script", [hang, raw(OK + b"Content-Length: 9\r\n\r\n{")])
def test_answer_that_does_not_come_is_a_timeout(
    script: Script, server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(script)
    error = failure(client)
    assert isinstance(error, UpstreamTimeout)
    assert error.retryable
    assert error.may_have_arrived


@HASTY
def test_answer_that_trickles_in_has_to_end_in_time(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(trickle)
    began = time.monotonic()
    assert isinstance(failure(client), UpstreamTimeout)
    assert time.monotonic() - began < 10


def test_read_timeout_may_be_set_for_one_call(
    server: ScriptedServer, adapter: type[BaseAdapter]
) -> None:
    server.will(hang)
    began = time.monotonic()
    with (
        ParticipantClient(server.url, read_timeout_s=60.0, adapter=adapter) as client,
        pytest.raises(UpstreamTimeout),
    ):
        client.get_transcript(TOKEN, TranscriptQuery(), read_timeout_s=0.05)
    assert time.monotonic() - began < 30


def test_nobody_listening_is_unreachable_and_nothing_left_us() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with ParticipantClient(f"http://127.0.0.1:{port}") as client:
        error = failure(client)
    assert isinstance(error, UpstreamUnreachable)
    assert error.retryable
    assert not error.may_have_arrived


def test_unknown_host_is_unreachable_and_nothing_left_us() -> None:
    with ParticipantClient("http://participant.invalid") as client:
        error = failure(client)
    assert isinstance(error, UpstreamUnreachable)
    assert not error.may_have_arrived


def test_handshake_that_is_not_tls_is_unreachable(server: ScriptedServer) -> None:
    server.will(answer({}))
    url = server.url.replace("http:", "https:")
    with ParticipantClient(url, read_timeout_s=0.5, connect_timeout_s=0.5) as client:
        error = failure(client)
    assert isinstance(error, (UpstreamUnreachable, UpstreamTimeout))


def test_certificate_nobody_vouches_for_is_refused(tls_server: ScriptedServer) -> None:
    tls_server.will(answer(ACCEPTED))
    with ParticipantClient(tls_server.url.replace("http:", "https:")) as client:
        error = failure(client)
    assert isinstance(error, UpstreamUnreachable)
    assert error.detail == "TLS failed"
    assert not error.may_have_arrived
    assert tls_server.asked == []


def test_certificate_of_our_own_bundle_is_trusted(
    tls_server: ScriptedServer, certificate: Path
) -> None:
    tls_server.will(answer(ACCEPTED))
    url = tls_server.url.replace("http:", "https:")
    with ParticipantClient(url, verify=str(certificate)) as client:
        assert send(client).id == send(client).id == "m1"
    assert {asked.connection for asked in tls_server.asked} == {1}


def test_gateways_error_page_is_a_fault_of_the_service(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(answer(b"<h1>Bad gateway</h1>", 502))
    error = failure(client)
    assert isinstance(error, InternalServerException)
    assert error.status_code == 502
    assert error.message == ""
    assert error.retryable


def test_status_429_is_throttling_whatever_it_says(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(answer(b"slow down", 429, {"Retry-After": "7"}))
    error = failure(client)
    assert isinstance(error, ThrottlingException)
    assert error.retry_after_s == 7.0


def test_refused_handshake_of_a_token_is_access_denied(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    forbidden = answer({"message": "Forbidden"}, 403, {"x-amzn-ErrorType": "ForbiddenException"})
    server.will(forbidden)
    error = failure(client)
    assert isinstance(error, AccessDeniedException)
    assert error.error_code == "ForbiddenException"


@pytest.mark.parametrize("body", [b"x" * 200, b'{"Id":"m1","AbsoluteTime":"2026-11-22T09:00:00Z"}'])
def test_call_after_a_broken_one_starts_afresh(
    body: bytes, server: ScriptedServer, client: ParticipantClient
) -> None:
    """Bytes left over from one answer are never taken for the beginning of the next."""
    too_short = OK + b"Content-Length: 10\r\n\r\n" + body
    server.will(raw(too_short), answer(ACCEPTED))
    failure(client)
    assert send(client).id == "m1"


def test_chunked_answer_is_read(server: ScriptedServer, client: ParticipantClient) -> None:
    one, two = b'{"Id":"m1","Absolut', b'eTime":"2026-11-22T09:00:00Z"}'
    chunks = b"%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(one), one, len(two), two)
    server.will(raw(OK + b"Transfer-Encoding: chunked\r\n\r\n", chunks))
    assert send(client).id == "m1"
    assert send(client).id == "m1"
    assert {asked.connection for asked in server.asked} == {1}


def test_answer_without_a_length_ends_with_the_connection(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(
        raw(OK + b"\r\n", b'{"Id":"m1","AbsoluteTime":"2026-11-22T09:00:00Z"}', then_close=True)
    )
    assert send(client).id == "m1"


def test_server_that_closes_between_calls_costs_no_call(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(answer(ACCEPTED))
    send(client)
    server.connections[0].shutdown(socket.SHUT_RDWR)
    assert send(client).id == "m1"
    assert [asked.connection for asked in server.asked] == [1, 2]


def test_connection_that_has_idled_is_not_trusted(server: ScriptedServer) -> None:
    now = [0.0]
    server.will(answer({}))
    exchange = transport.Transport(connect_timeout_s=1, read_timeout_s=1, clock=lambda: now[0])
    for pause_s in (0, warm.IDLE_LIMIT_S - 1, warm.IDLE_LIMIT_S + 1):
        now[0] += pause_s
        exchange.exchange("SendMessage", "POST", server.url + "/x", {"Content-Length": "0"}, b"")
    assert [asked.connection for asked in server.asked] == [1, 1, 2]
    exchange.shutdown()


@HASTY
def test_view_token_is_in_no_traceback(server: ScriptedServer, client: ParticipantClient) -> None:
    secret = "view" * 5
    server.will(hang)
    with pytest.raises(UpstreamTimeout) as late:
        client.describe_view(TOKEN, ViewRequest(secret))
    server.close()
    with pytest.raises(UpstreamUnreachable) as refused:
        client.describe_view(TOKEN, ViewRequest(secret))
    for error in (late.value, refused.value):
        assert error.__cause__ is not None
        assert secret not in "".join(traceback.format_exception(error))


def test_connection_with_nonsense_inside_is_nonsense(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    good = {"Url": "wss://x/y", "ConnectionExpiry": "2026-11-22T10:00:00.000Z"}
    credentials = {"ConnectionToken": "ct", "Expiry": "2026-11-23T09:00:00.000Z"}
    wrong = [
        {"Websocket": good | {"Url": "https://x/y"}, "ConnectionCredentials": credentials},
        {"Websocket": good | {"Url": "wss:///y"}, "ConnectionCredentials": credentials},
        {"Websocket": good, "ConnectionCredentials": credentials | {"ConnectionToken": "a\nb"}},
        {"Websocket": good, "ConnectionCredentials": credentials | {"ConnectionToken": ""}},
        {"Websocket": good, "ConnectionCredentials": credentials | {"Expiry": 1}},
        {"Websocket": [], "ConnectionCredentials": credentials},
        {"Websocket": good, "ConnectionCredentials": "ct"},
    ]
    for body in wrong:
        server.will(answer(body))
        with pytest.raises(UpstreamShapeError):
            client.create_participant_connection(ParticipantToken("pt"))


def test_transcript_with_an_entry_that_is_no_item_is_nonsense(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    for body in (
        {"InitialContactId": "c", "Transcript": ["hello"]},
        {"InitialContactId": "c", "Transcript": {}},
        {"InitialContactId": "c", "Transcript": [], "NextToken": 5},
        {"Transcript": []},
    ):
        server.will(answer(body))
        with pytest.raises(UpstreamShapeError):
            client.get_transcript(TOKEN)
