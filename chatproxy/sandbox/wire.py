"""The service's own models, put to work: requests checked, answers and errors serialised.

botocore ships the models every SDK is generated from. Its own validator checks minima and types
only, since the service checks the rest; here we are the service, so maxima, enums and patterns
are checked too. What the models do not say (content types, sizes per type, who may do what) is
checked in ``rest``.
"""

import json
import re
from functools import cache
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from chatproxy.sandbox.web import Answer, Request
from chatproxy.upstream.vocabulary import ERROR_TYPE_HEADER, REQUEST_ID_HEADER

PARTICIPANT_SERVICE = "connectparticipant"
CONNECT_SERVICE = "connect"


class ServiceError(Exception):
    """An error the service answers with, by exception name. ``members`` go into the body."""

    def __init__(self, name: str, message: str, **members: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message
        self.members = members


class InvalidInput(Exception):
    """A request that does not fit the model; the message is the sentence to answer."""


# Escaped in JSON it parses, but it is no text: nothing could be answered or framed with it.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@cache
def service(name: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(name)


@cache
def operation(service_name: str, name: str) -> OperationModel:
    return service(service_name).operation_model(name)


@cache
def _route(model: OperationModel) -> tuple[str, re.Pattern[str]]:
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(model.http["requestUri"]))
    return model.http["method"], re.compile(pattern)


def matches(model: OperationModel, request: Request) -> bool:
    method, pattern = _route(model)
    return request.method == method and pattern.fullmatch(request.path) is not None


def read_input(model: OperationModel, request: Request) -> dict[str, Any]:
    """The request's members by their model names, checked against the model.

    Raises:
        InvalidInput: body is no JSON object, or a member is missing, of the wrong type or out
        of bounds.
    """
    shape = model.input_shape
    assert shape is not None
    members: dict[str, Any] = {}
    found = _route(model)[1].fullmatch(request.path)
    body = _json_object(request.body)
    for name, member in shape.members.items():
        wire_name = member.serialization.get("name", name)
        location = member.serialization.get("location")
        if location == "header":
            value: Any = request.headers.get(wire_name.lower())
        elif location == "uri":
            value = unquote(found[wire_name]) if found else None
        else:
            value = body.get(wire_name)
        if value is not None:
            members[name] = value
    _check(shape, members, "")
    return members


def peek(body: bytes) -> dict[str, Any]:
    """The members of a body that may be anything, for looking only."""
    try:
        return _json_object(body)
    except InvalidInput:
        return {}


def _json_object(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidInput("The request body is not valid JSON") from None
    if not isinstance(value, dict):
        raise InvalidInput("The request body must be a JSON object")
    if b"\\u" in body and _LONE_SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise InvalidInput("The request body holds half a surrogate pair")
    return value


_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "list": (list,),
    "map": (dict,),
    "structure": (dict,),
}


def _check(shape: Shape, value: Any, path: str) -> None:
    wanted = _TYPES.get(shape.type_name)
    is_stray_bool = isinstance(value, bool) and shape.type_name != "boolean"
    if wanted is not None and (is_stray_bool or not isinstance(value, wanted)):
        raise InvalidInput(f"Value at '{path}' must be of type {shape.type_name}")
    if isinstance(shape, StructureShape):
        _check_structure(shape, value, path)
        return
    if isinstance(shape, ListShape):
        for index, each in enumerate(value):
            _check(shape.member, each, f"{path}.{index + 1}.member")
    elif isinstance(shape, MapShape):
        for key, each in value.items():
            _check(shape.key, key, f"{path}.key")
            _check(shape.value, each, f"{path}.{key}")
    _check_constraints(shape, value, path)


def _check_structure(shape: StructureShape, value: dict[str, Any], path: str) -> None:
    for name in shape.required_members:
        if value.get(name) is None:
            raise InvalidInput(f"Value at '{_joined(path, name)}' must not be null")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            _check(member, value[name], _joined(path, name))


def _check_constraints(shape: Shape, value: Any, path: str) -> None:
    limits = shape.metadata
    sized = value if isinstance(value, int | float) else len(value)
    what = "value" if isinstance(value, int | float) else "length"
    if "min" in limits and sized < limits["min"]:
        raise InvalidInput(
            f"Value at '{path}' failed to satisfy constraint: "
            f"Member must have {what} greater than or equal to {limits['min']}"
        )
    if "max" in limits and sized > limits["max"]:
        raise InvalidInput(
            f"Value at '{path}' failed to satisfy constraint: "
            f"Member must have {what} less than or equal to {limits['max']}"
        )
    if "enum" in limits and value not in limits["enum"]:
        raise InvalidInput(
            f"Value at '{path}' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(limits['enum'])}]"
        )
    if "pattern" in limits and not _fits(limits["pattern"], value):
        raise InvalidInput(
            f"Value at '{path}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {limits['pattern']}"
        )


def _fits(pattern: str, value: Any) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return True  # Unicode classes, which Python's re does not know


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def answer(model: OperationModel, output: dict[str, Any]) -> Answer:
    """A 200 holding exactly the members the model knows; absent ones are left out, not null."""
    shape = model.output_shape
    body = _shaped(shape, output) if shape is not None else {}
    return Answer.json(body, headers={REQUEST_ID_HEADER: str(uuid4())})


def _shaped(shape: Shape, value: Any) -> Any:
    if isinstance(shape, StructureShape):
        return {
            name: _shaped(member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [_shaped(shape.member, each) for each in value]
    return value


def error_answer(service_name: str, error: ServiceError) -> Answer:
    """An error as the service sends it: named in a header and ``__type``, then ``message``."""
    body = {"message": error.message, "__type": error.name} | error.members
    headers = {REQUEST_ID_HEADER: str(uuid4()), ERROR_TYPE_HEADER: error.name}
    return Answer.json(body, _status(service_name, error.name), headers)


# In no model of the operation, yet answered by the gateway in front of it.
_GATEWAY_STATUS = {
    "ForbiddenException": 403,
    "TooManyRequestsException": 429,
    "UnknownOperationException": 404,
    "ServiceUnavailableException": 503,
}


@cache
def _status(service_name: str, name: str) -> int:
    if name in _GATEWAY_STATUS:
        return _GATEWAY_STATUS[name]
    shapes = {each.name: each for each in service(service_name).error_shapes}
    if name not in shapes:
        return 400  # what SDKs make of an error no model knows
    return int(shapes[name].metadata["error"]["httpStatusCode"])
