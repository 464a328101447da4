"""From an HTTP request to an operation of either service and back, errors included. CORS too."""

import logging

from chatproxy.sandbox import rest, starting, wire
from chatproxy.sandbox.box import Box
from chatproxy.sandbox.center import ContactOver
from chatproxy.sandbox.contacts import Wire
from chatproxy.sandbox.web import Answer, Request
from chatproxy.sandbox.wire import CONNECT_SERVICE, PARTICIPANT_SERVICE, InvalidInput, ServiceError
from chatproxy.upstream.vocabulary import (
    BEARER_HEADER,
    PARTICIPANT_ROUTES,
    Operation,
    TokenKind,
)

logger = logging.getLogger(__name__)

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "x-amzn-errortype, x-amzn-requestid, retry-after",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, OPTIONS",
    # A star does not cover authorization, which ChatJS always sends.
    "Access-Control-Allow-Headers": "*, authorization",
    "Access-Control-Max-Age": "600",
}


def find_operation(request: Request) -> tuple[str, Operation] | None:
    """Service and operation a request is for."""
    for service, operations in (
        (PARTICIPANT_SERVICE, PARTICIPANT_ROUTES),
        (CONNECT_SERVICE, starting.OPERATIONS),
    ):
        for operation in operations:
            if wire.matches(wire.operation(service, operation), request):
                return service, operation
    return None


def answer(box: Box, request: Request) -> Answer:
    """Answer one request to either service."""
    if request.method == "OPTIONS":
        return Answer(204, _CORS | _PREFLIGHT)
    found = find_operation(request)
    if found is None:
        error = ServiceError("UnknownOperationException", "There is no such operation")
        response = wire.error_answer(PARTICIPANT_SERVICE, error)
    else:
        response = _performed(box, *found, request)
    response.headers |= _CORS
    return response


def _performed(box: Box, service: str, operation: Operation, request: Request) -> Answer:
    model = wire.operation(service, operation)
    try:
        if service == PARTICIPANT_SERVICE:
            output = _participant_call(box, operation, request)
        else:
            members = wire.read_input(model, request)
            output = starting.OPERATIONS[operation](box.center, members)
        return wire.answer(model, output)
    except ServiceError as error:
        return wire.error_answer(service, error)
    except InvalidInput as error:
        name = (
            "ValidationException" if service == PARTICIPANT_SERVICE else "InvalidRequestException"
        )
        return wire.error_answer(service, ServiceError(name, str(error)))
    except ContactOver:
        return wire.error_answer(service, ServiceError("AccessDeniedException", "Access denied"))


def _participant_call(box: Box, operation: Operation, request: Request) -> Wire:
    token = request.headers.get(BEARER_HEADER.lower(), "")
    desk = box.center.tokens
    takes = PARTICIPANT_ROUTES[operation].token
    grant = desk.participant(token) if takes == TokenKind.PARTICIPANT else desk.connection(token)
    if grant is None:
        raise ServiceError("AccessDeniedException", "Access denied")
    members = wire.read_input(wire.operation(PARTICIPANT_SERVICE, operation), request)
    return rest.perform(operation, rest.Call(box.center, grant, members))
