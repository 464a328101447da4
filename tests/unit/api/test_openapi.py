"""The reference describes exactly what is there."""

import re
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from openapi_spec_validator import validate

from chatproxy.api.openapi import document
from chatproxy.api.problem_types import PROBLEMS, TYPE_BASE
from chatproxy.api.routing import websocket_urlpatterns

DOORS = ("/api/v1/", "/participant/", "/ws/", "/healthz", "/readyz", "/metrics")
# A page, not a door for programs.
PAGES = {"/api/docs", "/api/docs/problems"}

Described = list[tuple[str, str, dict]]


def described() -> Described:
    """(path, method, operation) of everything the document has."""
    return [
        (path, method, operation)
        for path, methods in document("http://127.0.0.1:8000")["paths"].items()
        for method, operation in methods.items()
    ]


def routed(patterns: list, prefix: str = "/") -> Iterator[tuple[str, str]]:
    """(path, method) of every live route, captured parts written as ``{}``."""
    for pattern in patterns:
        path = prefix + re.sub(r"<[^>]+>", "{}", str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from routed(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            yield from ((path, method.lower()) for method in methods(pattern.callback))


def methods(view: object) -> list[str]:
    """What a door, one of ninja's views, or a plain view answers to."""
    policy = getattr(view, "policy", None)
    if policy is not None:
        return list(policy.methods)
    operations = getattr(getattr(view, "__self__", None), "operations", None)
    if operations is None:  # ninja wraps a bound method in a closure
        cells = [cell.cell_contents for cell in getattr(view, "__closure__", None) or ()]
        operations = next((c.operations for c in cells if hasattr(c, "operations")), None)
    return [m for o in operations for m in o.methods] if operations else ["GET"]


def test_the_document_is_valid_openapi() -> None:
    validate(document("http://127.0.0.1:8000"))


def test_it_lists_the_live_routes_and_no_other() -> None:
    live = {
        (path, method)
        for path, method in [
            *routed(get_resolver().url_patterns),
            *routed(websocket_urlpatterns),
            ("/healthz", "get"),  # answered in front of Django
            ("/readyz", "get"),
        ]
        if path.startswith(DOORS) and path not in PAGES and method != "head"  # as its get
    }
    listed = {(re.sub(r"{[^}]+}", "{}", path), method) for path, method, _ in described()}
    # ninja's own root, which answers nothing but 404
    assert listed == live - {("/api/v1/", "get")}


def test_operation_ids_are_unique_and_all_have_a_summary() -> None:
    operations = [operation for _, _, operation in described()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    assert all(each["summary"] for each in operations)


def test_every_operation_at_our_two_doors_tells_its_errors_with_examples() -> None:
    for path, _, operation in described():
        if not path.startswith(("/api/v1/s", "/api/v1/w", "/participant/")):
            continue
        failures = {code: a for code, a in operation["responses"].items() if int(code) >= 400}
        assert {"500"} <= failures.keys(), path
        for code, answer in failures.items():
            assert HTTPStatus(int(code)).phrase in answer["description"]
            assert answer["content"]["application/problem+json"]["examples"]


def test_under_the_participant_door_statuses_are_the_services_own() -> None:
    for path, _, operation in described():
        if path.startswith("/participant/"):
            assert set(operation["responses"]) <= {
                "200", "400", "402", "403", "404", "409", "429", "500",
            }  # fmt: skip


@pytest.mark.parametrize("name", [row.type for row in PROBLEMS])
def test_every_problem_is_an_example_in_the_one_shape(name: str) -> None:
    examples = document("http://127.0.0.1:8000")["components"]["examples"]
    for door in ("api", "participant"):
        body = examples[f"{door}.{name}"]["value"]
        assert body["type"] == TYPE_BASE + name
        assert body["message"] == body["detail"]
        assert body["title"]


def test_it_names_the_public_address_and_no_other() -> None:
    assert document("https://chat.example.com")["servers"] == [{"url": "https://chat.example.com"}]


def test_it_is_served_with_an_etag_that_saves_the_second_download(client: Client) -> None:
    first = client.get("/api/v1/openapi.json", HTTP_HOST="127.0.0.1")
    assert first.status_code == 200
    assert first.json()["openapi"] == "3.1.0"
    again = client.get(
        "/api/v1/openapi.json", HTTP_HOST="127.0.0.1", HTTP_IF_NONE_MATCH=first["ETag"]
    )
    assert again.status_code == 304
    assert not again.content
