"""The widget's built files as a page on another site gets them."""

import gzip
import os
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from chatproxy.widgets.files import accepted_encodings

pytestmark = pytest.mark.django_db  # whether a page's origin is known is looked up there

PANEL = "panel.0a1b2c3d4e5f.js"
CODE = "export const answer = 42;\n" * 50


@pytest.fixture
def dist(tmp_path: Path, settings: Settings) -> Path:
    settings.WIDGET_DIST = tmp_path / "dist"
    settings.WIDGET_DIST.mkdir()
    (tmp_path / "dist" / "loader.js").write_text(CODE)
    (tmp_path / "dist" / PANEL).write_text(CODE)
    (tmp_path / "dist" / "manifest.json").write_text("{}")
    (tmp_path / "secret.js").write_text("secret")
    (tmp_path / "dist" / "notes.txt").write_text("notes")
    return tmp_path / "dist"


def test_loader_has_a_short_public_cache(dist: Path, client: Client) -> None:
    answer = client.get("/widget/v1/loader.js")
    assert answer.status_code == 200
    assert answer.content.decode() == CODE
    assert answer["Cache-Control"] == "public, max-age=300, stale-while-revalidate=86400"
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"


def test_hashed_file_is_kept_a_year(dist: Path, client: Client) -> None:
    answer = client.get(f"/widget/v1/{PANEL}")
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"


def test_any_page_may_check_its_integrity(dist: Path, client: Client) -> None:
    for origin in ({}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}):
        answer = client.get(f"/widget/v1/{PANEL}", headers=origin)
        assert answer["Access-Control-Allow-Origin"] == "*"
        assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Vary"] == "Accept-Encoding"
        assert not answer.cookies


def test_it_is_sent_compressed_to_who_can_read_it(dist: Path, client: Client) -> None:
    answer = client.get("/widget/v1/loader.js", headers={"Accept-Encoding": "gzip, br"})
    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content).decode() == CODE
    assert answer["Vary"] == "Accept-Encoding"
    assert "Content-Encoding" not in client.get("/widget/v1/loader.js")


def test_brotli_made_by_the_build_is_preferred(dist: Path, client: Client) -> None:
    (dist / f"{PANEL}.br").write_bytes(b"smaller")
    answer = client.get(f"/widget/v1/{PANEL}", headers={"Accept-Encoding": "gzip, br"})
    assert (answer["Content-Encoding"], answer.content) == ("br", b"smaller")


def test_unchanged_file_is_not_sent_twice(dist: Path, client: Client) -> None:
    first = client.get("/widget/v1/loader.js")
    again = client.get("/widget/v1/loader.js", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert again["Cache-Control"] == first["Cache-Control"]
    assert again["Access-Control-Allow-Origin"] == "*"


def test_tag_differs_by_encoding(dist: Path, client: Client) -> None:
    plain = client.get("/widget/v1/loader.js")
    packed = client.get("/widget/v1/loader.js", headers={"Accept-Encoding": "gzip"})
    assert plain["ETag"] != packed["ETag"]


def test_new_build_shows_at_once(dist: Path, client: Client) -> None:
    first = client.get("/widget/v1/loader.js")
    (dist / "loader.js").write_text("changed")
    os.utime(dist / "loader.js", (1, 1))
    second = client.get("/widget/v1/loader.js")
    assert second.content == b"changed"
    assert second["ETag"] != first["ETag"]


def test_head_tells_the_same_without_a_body(dist: Path, client: Client) -> None:
    answer = client.head("/widget/v1/loader.js")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["ETag"] == client.get("/widget/v1/loader.js")["ETag"]


@pytest.mark.parametrize(
    "name",
    [
        "missing.js",
        "notes.txt",
        "loader",
        "..%2Fsecret.js",
        "../secret.js",
        "%2e%2e/secret.js",
        "..%5Csecret.js",
        "loader.js%00",
        ".js",
        "loader.js/",
    ],
)
def test_nothing_else_is_served(dist: Path, client: Client, name: str) -> None:
    assert client.get(f"/widget/v1/{name}").status_code == 404


def test_a_folder_is_no_file(dist: Path, client: Client) -> None:
    (dist / "folder.js").mkdir()
    assert client.get("/widget/v1/folder.js").status_code == 404


def test_posting_to_a_file_is_refused(dist: Path, client: Client) -> None:
    assert client.post("/widget/v1/loader.js").status_code == 405


def test_refused_encodings_are_left_out() -> None:
    assert accepted_encodings("gzip;q=0, br;q=0.5, deflate") == {"br", "deflate"}
    assert accepted_encodings("br;q=0.0") == frozenset()
    assert accepted_encodings("") == {""}
