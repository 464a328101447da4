"""From an HTTP request to an operation and back: access, quota, faults, errors, CORS.

The order is the service's as far as it can be seen: who are you, too fast?, is it well-formed,
may you.
"""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.model import OperationModel

from chatproxy.sandbox import rest, starting, wire
from chatproxy.sandbox.box import Box
from chatproxy.sandbox.calls import Call
from chatproxy.sandbox.center import ContactOver
from chatproxy.sandbox.contacts import Contact, Wire
from chatproxy.sandbox.faults import Fault, Kind
from chatproxy.sandbox.ledger import SeenCall, fingerprint
from chatproxy.sandbox.tokens import ConnectionGrant, ParticipantGrant
from chatproxy.sandbox.web import Answer, ConnectionReset, NoAnswer, Request
from chatproxy.sandbox.wire import CONNECT_SERVICE, PARTICIPANT_SERVICE, InvalidInput, ServiceError
from chatproxy.upstream.vocabulary import (
    BEARER_HEADER,
    PARTICIPANT_ROUTES,
    Operation,
    TokenKind,
)

logger = logging.getLogger(__name__)

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "x-amzn-errortype, x-amzn-requestid, retry-after",
}
PREFLIGHT = CORS | {
    "Access-Control-Allow-Methods": "GET, POST, PUT, OPTIONS",
    # A star does not cover authorization, which ChatJS always sends.
    "Access-Control-Allow-Headers": "*, authorization",
    "Access-Control-Max-Age": "600",
}

# The two services have different names for the same trouble.
_INVALID = {
    PARTICIPANT_SERVICE: "ValidationException",
    CONNECT_SERVICE: "InvalidRequestException",
}
_INTERNAL = {
    PARTICIPANT_SERVICE: "InternalServerException",
    CONNECT_SERVICE: "InternalServiceException",
}
_THROTTLED = {
    PARTICIPANT_SERVICE: "ThrottlingException",
    CONNECT_SERVICE: "TooManyRequestsException",
}


@dataclass
class Visit:
    """One request that is for an operation, and what is known of who sends it."""

    service: str
    operation: Operation
    request: Request
    grant: ParticipantGrant | ConnectionGrant | None = None

    @property
    def contact(self) -> Contact | None:
        return self.grant.contact if self.grant else None


def warm_up() -> None:
    """Load the models now: the first call would otherwise wait half a second for them."""
    for _ in _operations():
        pass


def _operations() -> Iterator[tuple[str, Operation, OperationModel]]:
    for service, operations in (
        (PARTICIPANT_SERVICE, PARTICIPANT_ROUTES),
        (CONNECT_SERVICE, starting.OPERATIONS),
    ):
        for operation in operations:
            yield service, operation, wire.operation(service, operation)


async def answer(box: Box, request: Request) -> Answer:
    """Answer one request to either service.

    Raises:
        ConnectionReset, NoAnswer: a fault wants that instead of an answer.
    """
    if request.method == "OPTIONS":
        return Answer(204, dict(PREFLIGHT))
    visit = _visit(box, request)
    if visit is None:
        error = ServiceError("UnknownOperationException", "There is no such operation")
        return _with_cors(wire.error_answer(PARTICIPANT_SERVICE, error))
    response: Answer | None = None
    try:
        response = await _answered(box, visit)
    finally:
        box.ledger.note(_seen(box, visit, response))
    return _with_cors(response)


def _visit(box: Box, request: Request) -> Visit | None:
    for service, operation, model in _operations():
        if wire.matches(model, request):
            visit = Visit(service, operation, request)
            if service == PARTICIPANT_SERVICE:
                visit.grant = _grant(box, operation, request)
            return visit
    return None


def _grant(
    box: Box, operation: Operation, request: Request
) -> ParticipantGrant | ConnectionGrant | None:
    token = request.headers.get(BEARER_HEADER.lower(), "")
    desk = box.center.tokens
    if PARTICIPANT_ROUTES[operation].token == TokenKind.PARTICIPANT:
        return desk.participant(token)
    return desk.connection(token)


async def _answered(box: Box, visit: Visit) -> Answer:
    faults = box.faults.hitting_call(visit.operation, visit.contact)
    for fault in faults:
        instead = await _before(visit.service, fault)
        if instead is not None:
            return instead
    response = _performed(box, visit)
    for fault in faults:
        await _after(fault)
    return response


async def _before(service: str, fault: Fault) -> Answer | None:
    """What a fault does instead of the work; None lets the work go on."""
    match fault.kind:
        case Kind.THROTTLE:
            return wire.error_answer(service, _too_fast(service))
        case Kind.ERROR:
            name = fault.error or _INTERNAL[service]
            return wire.error_answer(service, ServiceError(name, fault.message))
        case Kind.STATUS:
            return Answer(fault.status, {"Content-Type": fault.content_type}, fault.body.encode())
        case Kind.NONSENSE:
            return Answer(200, {"Content-Type": fault.content_type}, fault.body.encode())
        case Kind.DELAY if fault.when == "before":
            await asyncio.sleep(fault.delay_s)
        case Kind.HANG:
            raise NoAnswer
        case Kind.RESET:
            raise ConnectionReset
    return None


async def _after(fault: Fault) -> None:
    """What a fault does to an answer whose work has been done."""
    if fault.kind == Kind.DELAY and fault.when == "after":
        await asyncio.sleep(fault.delay_s)
    elif fault.kind == Kind.LOSE_ANSWER:
        if fault.how == "hang":
            raise NoAnswer
        raise ConnectionReset


def _performed(box: Box, visit: Visit) -> Answer:
    service, operation = visit.service, visit.operation
    try:
        output = _connect_call(box, visit) if service == CONNECT_SERVICE else _call(box, visit)
        return wire.answer(wire.operation(service, operation), output)
    except ServiceError as error:
        return wire.error_answer(service, error)
    except InvalidInput as error:
        return wire.error_answer(service, ServiceError(_INVALID[service], str(error)))
    except ContactOver:
        return wire.error_answer(service, _denied())
    except Exception:
        logger.exception("operation failed", extra={"operation": operation})
        error_name, message = _INTERNAL[service], "The sandbox failed; see its log"
        return wire.error_answer(service, ServiceError(error_name, message))


def _call(box: Box, visit: Visit) -> Wire:
    # Looked up again: a delay may have outlived it.
    grant = _grant(box, visit.operation, visit.request)
    if grant is None:
        raise _denied()
    if not box.quotas.allow(visit.operation, grant.contact.instance_id):
        raise _too_fast(visit.service)
    members = wire.read_input(wire.operation(visit.service, visit.operation), visit.request)
    return rest.perform(visit.operation, Call(box.center, grant, members))


def _connect_call(box: Box, visit: Visit) -> Wire:
    if not box.quotas.allow(visit.operation, ""):
        raise _too_fast(visit.service)
    members = wire.read_input(wire.operation(visit.service, visit.operation), visit.request)
    return starting.OPERATIONS[visit.operation](box.center, members)


def _denied() -> ServiceError:
    return ServiceError("AccessDeniedException", "Access denied")


def _too_fast(service: str) -> ServiceError:
    return ServiceError(_THROTTLED[service], "Rate exceeded")


def _seen(box: Box, visit: Visit, response: Answer | None) -> SeenCall:
    body: dict[str, Any] = wire.peek(visit.request.body)
    bearer = visit.request.headers.get(BEARER_HEADER.lower())
    return SeenCall(
        at=box.clock.now(),
        operation=str(visit.operation),
        contact_id=visit.contact.contact_id if visit.contact else None,
        status=response.status if response else None,
        error=response.headers.get("x-amzn-ErrorType") if response else None,
        client_token=body.get("ClientToken"),
        connection=fingerprint(bearer) if bearer else None,
        content_type=body.get("ContentType"),
    )


def _with_cors(response: Answer) -> Answer:
    response.headers |= CORS
    return response
