"""Every way to go wrong has one body, which people, clients and AWS SDKs can read."""

from __future__ import annotations

import json

import pytest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from django.test import RequestFactory

from chatproxy.api.problem_types import PROBLEMS
from chatproxy.api.problems import TABLE, problem_for, problem_response
from chatproxy.sessions import errors as ours
from chatproxy.sessions.vault import SealBroken
from chatproxy.upstream import errors as upstream
from chatproxy.upstream.vocabulary import Operation

SEND = Operation.SEND_MESSAGE

CASES: list[tuple[Exception, int, str, int]] = [
    (ours.MalformedBody("x"), 400, "ValidationException", 400),
    (ours.InvalidFields("x", [{"pointer": "/a", "detail": "b"}]), 400, "ValidationException", 422),
    (ours.OriginNotAllowed("x"), 403, "AccessDeniedException", 403),
    (ours.SessionKeyInvalid("x"), 403, "AccessDeniedException", 401),
    (ours.SessionNotFound("x"), 403, "AccessDeniedException", 401),
    (ours.SessionEnded("x"), 403, "AccessDeniedException", 410),
    (ours.RateLimited("x", 7.2), 429, "ThrottlingException", 429),
    (ours.Overloaded("x", 3.0), 429, "ThrottlingException", 503),
    (upstream.AccessDeniedException(SEND), 403, "AccessDeniedException", 410),
    (upstream.ValidationException(SEND, message="no"), 400, "ValidationException", 422),
    (upstream.ConflictException(SEND), 409, "ConflictException", 409),
    (upstream.ServiceQuotaExceededException(SEND), 402, "ServiceQuotaExceededException", 429),
    (upstream.ResourceNotFoundException(SEND), 404, "ResourceNotFoundException", 404),
    (upstream.ThrottlingException(SEND), 429, "ThrottlingException", 503),
    (upstream.UpstreamTimeout(SEND), 500, "InternalServerException", 504),
    (upstream.UpstreamUnreachable(SEND), 500, "InternalServerException", 502),
    (upstream.UpstreamShapeError(SEND), 500, "InternalServerException", 502),
    (upstream.InternalServerException(SEND), 500, "InternalServerException", 502),
    (OperationalError("database is locked"), 500, "InternalServerException", 503),
    (InterfaceError("gone"), 500, "InternalServerException", 503),
    (SealBroken("x"), 500, "InternalServerException", 500),
    (KeyError("a mistake of ours"), 500, "InternalServerException", 500),
]


def asked(path: str) -> HttpRequest:
    return RequestFactory().post(path)


@pytest.mark.parametrize(
    ("error", "wire", "name", "status"), CASES, ids=lambda value: type(value).__name__
)
def test_each_error_has_its_status_at_each_door(
    error: Exception, wire: int, name: str, status: int
) -> None:
    for path, expected in (("/participant/message", wire), ("/api/v1/session", status)):
        request = asked(path)
        response = problem_response(error, request)
        body = json.loads(response.content)
        assert response.status_code == body["status"] == expected
        assert response["Content-Type"] == "application/problem+json"
        assert response["x-amzn-ErrorType"] == name
        assert {"type", "title", "status", "detail", "instance", "message"} <= set(body)
        assert body["message"] == body["detail"]
        assert "chatproxy" not in body["detail"].lower()


def test_where_waiting_helps_it_says_how_long() -> None:
    assert problem_response(ours.RateLimited("x", 7.2), asked("/"))["Retry-After"] == "8"
    assert "Retry-After" not in problem_response(ours.SessionEnded("x"), asked("/"))


def test_what_we_refuse_ourselves_is_not_blamed_on_the_service() -> None:
    by_us = problem_for(upstream.ValidationException(SEND, message="no"))
    by_them = problem_for(upstream.ValidationException(SEND, message="no", request_id="r-1"))
    assert (by_us.type, by_us.status) == (by_them.type, by_them.status)
    assert "Amazon" not in by_us.title
    assert "Amazon" in by_them.title


@pytest.mark.parametrize("failure", [upstream.UpstreamUnreachable, upstream.UpstreamTimeout])
def test_a_client_token_is_named_where_there_is_one(failure: type[upstream.UpstreamError]) -> None:
    assert "ClientToken" in problem_for(failure(SEND)).detail
    for operation in (Operation.DESCRIBE_VIEW, Operation.GET_TRANSCRIPT, Operation.GET_ATTACHMENT):
        detail = problem_for(failure(operation)).detail
        assert "ClientToken" not in detail
        assert "Try again" in detail


def test_a_file_that_is_being_scanned_says_when_it_can_be_had() -> None:
    told = "The attachment cannot be fetched: IN_PROGRESS"
    fetch = Operation.GET_ATTACHMENT
    scanned = upstream.ValidationException(fetch, message=told, request_id="r-1")
    assert problem_for(scanned).detail.startswith(f"{told}. ")
    assert "try again in a few seconds" in problem_for(scanned).detail
    rejected = upstream.ValidationException(fetch, message="It was REJECTED", request_id="r-1")
    assert problem_for(rejected).detail == "It was REJECTED"


def test_fields_that_do_not_fit_are_listed() -> None:
    error = ours.InvalidFields("two", [{"pointer": "/a", "detail": "b"}])
    body = json.loads(problem_response(error, asked("/api/v1/sessions")).content)
    assert body["errors"] == [{"pointer": "/a", "detail": "b"}]


def test_words_of_errors_nobody_made_for_people_stay_inside() -> None:
    for error in (OperationalError("secret detail"), SealBroken("secret"), ValueError("secret")):
        assert (
            "secret" not in problem_response(error, asked("/participant/message")).content.decode()
        )


def test_every_row_says_what_to_do() -> None:
    assert {row.type for _, row in TABLE} <= {row.type for row in PROBLEMS}
    assert len({row.type for row in PROBLEMS}) == len(PROBLEMS)
    for row in [*PROBLEMS, *(row for _, row in TABLE)]:
        assert row.detail.endswith(".")
        assert row.when.endswith(".")
        assert row.title[0].isupper()
        assert problem_for(Exception()).type == "internal-error"
