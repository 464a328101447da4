"""What is wrong with the fields of a request, in our own words: each says what to do about it.

Pydantic's sentences are written for whoever wrote the model; these are for whoever sends the JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ninja.errors import ValidationErrorContext
from pydantic import BaseModel

#: Pydantic's name of a mistake → what to say about it, from its facts.
_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "missing": lambda _: "It is missing. Add it.",
    "value_error": lambda facts: str(facts["error"]),
    "string_type": lambda _: "It is not text. Send a JSON string.",
    "string_unicode": lambda _: "It holds half a character. Send whole Unicode characters.",
    "string_too_long": lambda facts: (
        f"It is too long. Shorten it to {facts['max_length']} characters or fewer."
    ),
    "int_type": lambda _: "It is not a whole number. Send one, without quotes.",
    "greater_than_equal": lambda facts: f"It is too small. Send {facts['ge']} or more.",
    "less_than_equal": lambda facts: f"It is too large. Send {facts['le']} or less.",
    "dict_type": lambda _: "It is not a JSON object. Send one, with texts for values.",
}


def field_errors(contexts: Iterable[ValidationErrorContext[Any]]) -> list[dict[str, str]]:
    """Pointer and sentence for each mistake; an empty pointer is that of the body itself."""
    return [
        _field_error(found, context.model)
        for context in contexts
        for found in context.pydantic_validation_error.errors(include_url=False)
    ]


def pointer(parts: Iterable[object]) -> str:
    """A JSON pointer (RFC 6901) to a member; that of the whole body is empty."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _field_error(found: Any, model: Any) -> dict[str, str]:
    # What follows the name that the operation's function has for its body; a query has no such.
    is_body = model.__ninja_param_source__ == "body"
    path = [part for part in found["loc"] if part != "[key]"]  # of an object: the member itself
    where = pointer(path[1:] if is_body else path)
    body = _body_of(model) if is_body else None
    if body is not None and not where:
        return {"pointer": where, "detail": _not_an_object(found["type"], body)}
    return {"pointer": where, "detail": _sentence(found, body)}


def _body_of(model: Any) -> type[BaseModel] | None:
    """The type of an operation's one body, inside the model that ninja makes of its arguments."""
    types = [field.annotation for field in model.model_fields.values()]
    return types[0] if len(types) == 1 and issubclass(types[0], BaseModel) else None


def _not_an_object(kind: str, body: type[BaseModel]) -> str:
    wrong = "There is no body." if kind == "missing" else "The body is not a JSON object."
    needed = [_name(*field) for field in body.model_fields.items() if field[1].is_required()]
    return f"{wrong} Send a JSON object with {_listed(needed)}."


def _sentence(found: Any, body: type[BaseModel] | None) -> str:
    if found["type"] == "extra_forbidden" and body is not None:
        known = sorted(_name(*field) for field in body.model_fields.items())
        return f"There is no such field. Remove it; there are {_listed(known)}."
    say = _WORDS.get(found["type"])
    return say(found.get("ctx", {})) if say else f"{str(found['msg']).rstrip('.')}. Correct it."


def _name(name: str, field: Any) -> str:
    return str(field.alias or name)


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
