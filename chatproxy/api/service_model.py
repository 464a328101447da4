"""The Participant Service's shapes as JSON schemas, read from botocore's own service model.

So the reference says what SDKs check, lengths and enums included, and can't drift from it. The
words are ours (``participant_words.py``): what the model calls a token is a key to our clients.
"""

from __future__ import annotations

from typing import Any

from botocore.loaders import Loader
from botocore.model import (
    ListShape,
    MapShape,
    OperationModel,
    ServiceModel,
    Shape,
    StructureShape,
)

from chatproxy.api.participant_words import MEMBERS, SHAPES
from chatproxy.upstream.vocabulary import ItemType

Schema = dict[str, Any]

_SCALARS = {"string": "string", "integer": "integer", "long": "integer", "boolean": "boolean"}
# Offered by the service for calls with sound and picture; refused here, so not described.
_LEFT_OUT = {"WebRTCConnection", "WEBRTC_CONNECTION"}
# Times are strings to the service; these shapes hold one.
_TIMES = {"ISO8601Datetime", "Instant"}


def service() -> ServiceModel:
    """The model SDKs are made from; some 40 ms to read."""
    model = Loader().load_service_model("connectparticipant", "service-2")
    return ServiceModel(model, service_name="connectparticipant")


class Schemas:
    """Collects the schemas of all shapes that operations name. ``named`` is for components."""

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}

    def request_body(self, operation: OperationModel) -> Schema | None:
        """A reference to what the body must be; None for an operation without one."""
        shape = operation.input_shape
        inside = [
            name
            for name, member in (shape.members.items() if shape else ())
            if "location" not in member.serialization
        ]
        return self._reference(shape, only=inside) if shape and inside else None

    def answer(self, operation: OperationModel) -> Schema:
        """A reference to what a 200 holds; an empty object where the service says nothing."""
        shape = operation.output_shape
        return self._reference(shape) if shape and shape.members else {"type": "object"}

    def of(self, shape: Shape) -> Schema:
        """The schema of one shape; structures are named and referred to."""
        if isinstance(shape, StructureShape):
            return self._reference(shape)
        if isinstance(shape, ListShape):
            return {"type": "array", "items": self.of(shape.member), **_bounds(shape, "Items")}
        if isinstance(shape, MapShape):
            return {"type": "object", "additionalProperties": self.of(shape.value)}
        return _scalar(shape)

    def _reference(self, shape: StructureShape, only: list[str] | None = None) -> Schema:
        if shape.name not in self.named:
            self.named[shape.name] = {}  # a shape may hold itself
            self.named[shape.name] = self._structure(shape, only)
        return {"$ref": f"#/components/schemas/{shape.name}"}

    def _structure(self, shape: StructureShape, only: list[str] | None) -> Schema:
        names = [
            name
            for name in shape.members
            if name not in _LEFT_OUT and (only is None or name in only)
        ]
        schema: Schema = {
            "type": "object",
            "properties": {name: self._member(shape, name) for name in names},
        }
        required = [name for name in shape.required_members if name in names]
        if required:
            schema["required"] = required
        if shape.name in SHAPES:
            schema["description"] = SHAPES[shape.name]
        return schema

    def _member(self, shape: StructureShape, name: str) -> Schema:
        schema = self.of(shape.members[name])
        words = MEMBERS.get(f"{shape.name}.{name}") or MEMBERS.get(name)
        return {**schema, "description": words} if words else schema


def parameter(shape: Shape) -> Schema:
    """The schema of a value that travels in the path."""
    return _scalar(shape)


def _scalar(shape: Shape) -> Schema:
    schema: Schema = {"type": _SCALARS[shape.type_name]}
    if shape.name == "ChatItemType":
        # The model's own list is older than what is sent.
        return {**schema, "enum": [str(each) for each in ItemType]}
    if "enum" in shape.metadata:
        schema["enum"] = [each for each in shape.metadata["enum"] if each not in _LEFT_OUT]
    if shape.name in _TIMES:
        schema["format"] = "date-time"
    elif schema["type"] == "string":
        schema |= _bounds(shape, "Length")
    else:
        schema |= _range(shape)
    return schema


def _bounds(shape: Shape, of: str) -> Schema:
    return {
        f"{edge}{of}": shape.metadata[edge] for edge in ("min", "max") if edge in shape.metadata
    }


def _range(shape: Shape) -> Schema:
    names = {"min": "minimum", "max": "maximum"}
    return {names[edge]: shape.metadata[edge] for edge in names if edge in shape.metadata}
