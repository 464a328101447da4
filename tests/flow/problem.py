"""What every refusal has to look like, whichever door it comes from."""

import re

import requests

from tests.processes import RunningSandbox

MEMBERS = {"type", "title", "status", "detail", "instance", "message"}


def assert_problem(
    answer: requests.Response,
    status: int,
    kind: str,
    error_type: str,
    *,
    says: str = "",
    waits: bool | None = None,
) -> None:
    """The one error body, its headers, and a sentence that says what to do.

    Args:
        kind: Last part of the problem's type.
        error_type: The service's name, in ``x-amzn-ErrorType``.
        says: Somewhere in the sentence, whatever the case.
        waits: Whether there is a ``Retry-After``; None: either.
    """
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) - {"errors"} == MEMBERS
    assert body["type"] == f"/api/docs/problems#{kind}", body
    assert body["status"] == status
    assert answer.headers["x-amzn-ErrorType"] == error_type
    assert answer.headers["x-amzn-RequestId"] == body["instance"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert body["message"] == body["detail"]
    ends = "" if kind == "message-refused" else "[.?)]"  # the service's own sentence may not
    assert re.fullmatch(rf"[A-Z/].{{9,}}{ends}", body["detail"], re.S), body["detail"]
    assert says.lower() in body["detail"].lower(), body["detail"]
    if waits is not None:
        assert ("Retry-After" in answer.headers) is waits, answer.headers
    if "Retry-After" in answer.headers:
        assert int(answer.headers["Retry-After"]) >= 1


def assert_no_secret(sandbox: RunningSandbox, *answers: requests.Response) -> None:
    """Nothing the sandbox ever issued, and no credential, is in body or headers."""
    secrets = [*sandbox.state()["secrets"], "AKIA", "tests-secret"]
    for answer in answers:
        said = answer.text + repr(dict(answer.headers))
        leaked = [secret for secret in secrets if str(secret) in said]
        assert not leaked, f"{answer.request.path_url} leaks"
