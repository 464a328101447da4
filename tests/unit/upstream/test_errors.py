"""What the service says no with, and what is made of it."""

import random

import pytest

from chatproxy.upstream.answers import error_of
from chatproxy.upstream.errors import (
    AccessDeniedException,
    ConflictException,
    InternalServerException,
    ResourceNotFoundException,
    ServiceException,
    ServiceQuotaExceededException,
    ThrottlingException,
    UpstreamError,
    UpstreamShapeError,
    UpstreamTimeout,
    UpstreamUnreachable,
    ValidationException,
    backoff,
    retry_delay,
)
from chatproxy.upstream.transport import Answer
from chatproxy.upstream.vocabulary import Operation

NAMED = [
    ("AccessDeniedException", 403, AccessDeniedException),
    ("ForbiddenException", 403, AccessDeniedException),
    ("ValidationException", 400, ValidationException),
    ("InvalidParameterException", 400, ValidationException),
    ("InvalidRequestException", 400, ValidationException),
    ("ResourceNotFoundException", 404, ResourceNotFoundException),
    ("ContactNotFoundException", 410, ResourceNotFoundException),
    ("ConflictException", 409, ConflictException),
    ("ServiceQuotaExceededException", 402, ServiceQuotaExceededException),
    ("LimitExceededException", 429, ServiceQuotaExceededException),
    ("ThrottlingException", 429, ThrottlingException),
    ("TooManyRequestsException", 429, ThrottlingException),
    ("InternalServerException", 500, InternalServerException),
    ("InternalServiceException", 500, InternalServerException),
]


def error(
    body: bytes, status: int, headers: dict[str, str] | None = None, secret: str = ""
) -> UpstreamError:
    return error_of("SendMessage", Answer(status, headers or {}, body), secret=secret)


@pytest.mark.parametrize(("name", "status", "kind"), NAMED)
def test_name_in_the_header_makes_the_error(
    name: str, status: int, kind: type[ServiceException]
) -> None:
    headers = {"x-amzn-ErrorType": name, "x-amzn-RequestId": "r-1"}
    made = error(b'{"message":"Because."}', status, headers)
    assert type(made) is kind
    assert isinstance(made, ServiceException)
    assert (made.status_code, made.error_code, made.message) == (status, name, "Because.")
    assert made.request_id == "r-1"


@pytest.mark.parametrize(
    "decorated",
    [
        "ValidationException:http://internal.amazon.com/coral/",
        "com.amazonaws.connectparticipant#ValidationException",
        "aws#ValidationException:https://x",
    ],
)
def test_decorations_of_the_name_are_taken_off(decorated: str) -> None:
    made = error(b"{}", 400, {"x-amzn-ErrorType": decorated})
    assert type(made) is ValidationException


def test_name_and_text_may_be_in_the_body() -> None:
    made = error(b'{"__type":"ns#ConflictException","Message":"Twice."}', 409)
    assert isinstance(made, ConflictException)
    assert made.message == "Twice."


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ValidationException),
        (402, ServiceQuotaExceededException),
        (403, AccessDeniedException),
        (404, ResourceNotFoundException),
        (409, ConflictException),
        (418, ServiceException),
        (429, ThrottlingException),
        (500, InternalServerException),
        (503, InternalServerException),
    ],
)
def test_without_a_name_the_status_decides(status: int, kind: type[ServiceException]) -> None:
    made = error(b'{"message":"Because."}', status)
    assert type(made) is kind


def test_unknown_name_is_not_taken_for_the_end_of_a_chat() -> None:
    made = error(
        b'{"message":"?"}', 403, {"x-amzn-ErrorType": "MissingAuthenticationTokenException"}
    )
    assert type(made) is ServiceException
    assert not made.retryable


def test_unknown_name_with_a_status_of_the_servers_fault_is_retryable() -> None:
    made = error(b"{}", 503, {"x-amzn-ErrorType": "ServiceUnavailableException"})
    assert isinstance(made, InternalServerException)
    assert made.error_code == "ServiceUnavailableException"
    assert made.retryable


@pytest.mark.parametrize("status", [301, 302, 304, 400, 403, 404])
def test_page_of_somebody_else_is_no_error_of_the_service(status: int) -> None:
    assert isinstance(error(b"<html>", status), UpstreamShapeError)


def test_only_what_may_succeed_later_is_retryable() -> None:
    retryable = {name for name, status, kind in NAMED if kind("SendMessage").retryable}
    assert retryable == {
        "ThrottlingException",
        "TooManyRequestsException",
        "InternalServerException",
        "InternalServiceException",
    }


def test_message_never_quotes_the_token_or_an_address() -> None:
    body = b'{"message":"Token abc-secret is bad, see https://x/y?z=1 \\u0000\\nnow"}'
    made = error(body, 403, {"x-amzn-ErrorType": "AccessDeniedException"}, secret="abc-secret")
    assert isinstance(made, ServiceException)
    assert made.message == "Token [token] is bad, see [address]   now"


def test_message_is_cut_and_left_out_of_the_sentence() -> None:
    made = error(b'{"message":"%s"}' % (b"private " * 1000), 400)
    assert isinstance(made, ServiceException)
    assert len(made.message) == 500
    assert "private" not in str(made)
    assert "private" not in repr(made)


def test_sentence_names_operation_error_and_request() -> None:
    headers = {"x-amzn-ErrorType": "ThrottlingException", "x-amzn-RequestId": "r-1"}
    made = error(b"{}", 429, headers)
    assert str(made) == "SendMessage was refused: ThrottlingException (429), request id r-1"


@pytest.mark.parametrize("value", ["r\r\nX: y", "<script>", "r" * 300, ""])
def test_request_id_that_is_none_is_left_out(value: str) -> None:
    assert error(b"{}", 500, {"x-amzn-RequestId": value}).request_id is None


@pytest.mark.parametrize(
    ("value", "seconds"), [("3", 3.0), ("0", 0.0), ("soon", None), ("-1", None), ("9999999", None)]
)
def test_pause_asked_for_is_read_when_it_is_one(value: str, seconds: float | None) -> None:
    made = error(b"{}", 429, {"Retry-After": value})
    assert isinstance(made, ServiceException)
    assert made.retry_after_s == seconds


def test_backoff_is_full_jitter_below_a_doubling_bound() -> None:
    delays = backoff(0.2, 10.0, chance=lambda: 0.5)
    first = [next(delays) for _ in range(9)]
    assert first == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0])


def test_backoff_spreads_clients_over_the_whole_interval() -> None:
    chance = random.Random(4).random
    delays = [next(backoff(1.0, chance=chance)) for _ in range(1000)]
    assert min(delays) < 0.01
    assert max(delays) > 0.99


UNREACHABLE = UpstreamUnreachable(Operation.SEND_MESSAGE)
CUT_OFF = UpstreamUnreachable(Operation.SEND_MESSAGE, may_have_arrived=True)
THROTTLED = ThrottlingException(Operation.SEND_MESSAGE, retry_after_s=4.0)


@pytest.mark.parametrize(
    ("error", "repeatable", "delay"),
    [
        (UNREACHABLE, False, 0.1),
        (CUT_OFF, False, None),
        (CUT_OFF, True, 0.1),
        (UpstreamTimeout("SendMessage"), False, None),
        (UpstreamTimeout("SendMessage"), True, 0.1),
        (InternalServerException("SendMessage"), False, None),
        (InternalServerException("SendMessage"), True, 0.1),
        (THROTTLED, False, 4.0),
        (ValidationException("SendMessage"), True, None),
        (AccessDeniedException("SendMessage"), True, None),
        (UpstreamShapeError("SendMessage"), True, None),
        (ValueError("ours"), True, None),
    ],
)
def test_only_what_cannot_happen_twice_is_retried(
    error: Exception, repeatable: bool, delay: float | None
) -> None:
    found = retry_delay(error, 1, repeatable=repeatable, chance=lambda: 0.5)
    assert found == (None if delay is None else pytest.approx(delay))


def test_retrying_ends() -> None:
    delays = [retry_delay(UNREACHABLE, attempt, chance=lambda: 1.0) for attempt in range(1, 6)]
    assert delays == [pytest.approx(0.2), pytest.approx(0.4), pytest.approx(0.8), None, None]
