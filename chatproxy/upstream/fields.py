"""How a request's fields look on the wire, and which values the service's model allows.

A request class declares each field once, with the wire name and its bounds; from that come the JSON
body, the reader of a body somebody sent to *us*, and the sentences that say what is wrong with it.
The sentences name fields and bounds, never the value.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import Any, ClassVar, Self

from chatproxy.upstream.errors import ValidationException
from chatproxy.upstream.vocabulary import Operation

Check = Callable[[Any], str | None]
"""Takes a value, returns what is wrong with it, as the end of "<Field> …", or None."""


@dataclass(frozen=True, slots=True)
class Wire:
    """What the wire knows of one field."""

    attribute: str
    name: str
    check: Check
    required: bool
    read: Callable[[Any], Any]
    write: Callable[[Any], Any]


def _as_is(value: Any) -> Any:
    return value


def wire(
    name: str,
    check: Check,
    *,
    default: Any = MISSING,
    default_factory: Any = MISSING,
    show: bool = True,
    read: Callable[[Any], Any] = _as_is,
    write: Callable[[Any], Any] = _as_is,
) -> Any:
    """Declare a dataclass field that travels as ``name``; required when it has no default.

    ``show=False`` keeps what people wrote, and presigned addresses, out of ``repr``.
    ``read`` and ``write`` turn the checked JSON value into the field's and back.
    """
    required = default is MISSING and default_factory is MISSING
    metadata = {"wire": (name, check, required, read, write)}
    if default_factory is not MISSING:
        return field(default_factory=default_factory, repr=show, metadata=metadata)
    return field(default=default, repr=show, metadata=metadata)


_known: dict[type, tuple[Wire, ...]] = {}


def wire_fields(cls: type[Any]) -> tuple[Wire, ...]:
    """The declared wire fields of a request class, in order; looked up once per class."""
    if cls not in _known:
        declared = [found for found in fields(cls) if "wire" in found.metadata]
        _known[cls] = tuple(Wire(found.name, *found.metadata["wire"]) for found in declared)
    return _known[cls]


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Request:
    """Base of all requests. Frozen; ``body()`` is its JSON, `from_wire` reads one back."""

    operation: ClassVar[Operation]

    def body(self) -> dict[str, Any]:
        """The request's JSON body; fields that are None are left out."""
        filled: dict[str, Any] = {}
        for known in wire_fields(type(self)):
            value = getattr(self, known.attribute)
            if value is not None:
                filled[known.name] = known.write(value)
        return filled

    def validate(self) -> Self:
        """This request, if the service's model allows it.

        Raises:
            ValidationException: with a sentence for each field that is out of bounds.
        """
        wrong = _complaints(type(self), self.body()) + self.more_complaints()
        if wrong:
            raise refusal(self.operation, wrong)
        return self

    def more_complaints(self) -> list[str]:
        """Rules that take more than one field; sentences."""
        return []

    @classmethod
    def from_wire(cls, body: object) -> Self:
        """Read and validate a JSON body; members we do not know are ignored, as the service does.

        Raises:
            ValidationException: not an object, or a field that is missing or out of bounds.
        """
        if not isinstance(body, Mapping):
            raise refusal(cls.operation, ["The request body must be a JSON object."])
        wrong = _complaints(cls, body)
        if wrong:
            raise refusal(cls.operation, wrong)
        known = wire_fields(cls)
        values = {w.attribute: w.read(body[w.name]) for w in known if body.get(w.name) is not None}
        request = cls(**values)
        wrong = request.more_complaints()
        if wrong:
            raise refusal(cls.operation, wrong)
        return request


def _complaints(cls: type[Any], body: Mapping[str, Any]) -> list[str]:
    wrong = []
    for known in wire_fields(cls):
        value = body.get(known.name)
        if value is not None:
            complaint = known.check(value)
            if complaint:
                wrong.append(f"{known.name} {complaint}.")
        elif known.required:
            wrong.append(f"{known.name} is required.")
    return wrong


def refusal(operation: Operation, sentences: list[str]) -> ValidationException:
    """The error the service would answer, made here to save the way there."""
    return ValidationException(operation, message=" ".join(sentences))


def text(least: int, most: int) -> Check:
    """A string of so many characters, which a UTF-8 body can carry."""

    def check(value: Any) -> str | None:
        if not isinstance(value, str):
            return "must be a string"
        if not least <= len(value) <= most:
            bounds = f"exactly {most}" if least == most else f"{least} to {most}"
            return f"must be {bounds} characters long; it has {len(value)}"
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            return "holds half of a surrogate pair, which is not text"
        return None

    return check


def integer(least: int, most: int | None = None) -> Check:
    """A whole number; JSON's true and false are none."""

    def check(value: Any) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return "must be a whole number"
        if most is None:
            return None if value >= least else f"must be at least {least}"
        return None if least <= value <= most else f"must be from {least} to {most}"

    return check


def boolean(value: Any) -> str | None:
    """True or false."""
    return None if isinstance(value, bool) else "must be true or false"


def one_of(allowed: type[StrEnum] | frozenset[Any]) -> Check:
    """One of the given words."""
    words = sorted(str(word) for word in allowed)

    def check(value: Any) -> str | None:
        if isinstance(value, str) and value in words:
            return None
        return f"must be one of {', '.join(words)}"

    return check


def list_of(each: Check, least: int, most: int | None = None) -> Check:
    """A list of so many values, each within its own bounds."""

    def check(value: Any) -> str | None:
        if not isinstance(value, (list, tuple)):
            return "must be a list"
        if len(value) < least or (most is not None and len(value) > most):
            bounds = f"at least {least}" if most is None else f"{least} to {most}"
            bounds = f"exactly {most}" if least == most else bounds
            return f"must hold {bounds} values; it holds {len(value)}"
        return next((f"holds a value that {wrong}" for wrong in map(each, value) if wrong), None)

    return check
