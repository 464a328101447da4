"""The reference page: complete, self-contained, and its examples do what they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import requests

from chatproxy.api.problem_types import PROBLEMS
from chatproxy.child import ROOT
from tests.examples import DEMO_URL, examples
from tests.processes import RunningDemo, clean_environment

RUN = {
    "start": ["node", "--input-type=module", "--eval"],
    "js": ["node", "--input-type=module", "--eval"],
    "sh": ["bash", "-euo", "pipefail", "-c"],
    "python": [sys.executable, "-c"],
}
# The page's fetch example listens for ever, on a socket that Node 20 does not have.
ENOUGH = """
globalThis.WebSocket ??= class { send() {} };
setTimeout(() => process.exit(0), 3000);
"""


class Reading(HTMLParser):
    """What a page links to, its ids, and its examples as text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.inline: list[str] = []
        self.examples: list[tuple[str, str]] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids.add(given.get("id", ""))
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        if tag in ("script", "style"):
            self.inline.append(tag)
        if tag == "a":
            self.links.add(given["href"])
        elif "href" in given or "src" in given:
            self.loaded.add(given.get("href") or given["src"])
        if tag == "pre" and "data-example" in given:
            self.examples.append((given["data-example"], ""))
            self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            kind, text = self.examples[-1]
            self.examples[-1] = (kind, text + data)


def page(demo: RunningDemo, path: str = "/api/docs") -> Reading:
    answer = requests.get(f"{demo.url}{path}", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    return Reading(answer.text)


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/problems"])
def test_nothing_is_inline_and_nothing_from_elsewhere(demo: RunningDemo, path: str) -> None:
    read = page(demo, path)
    assert read.inline == []
    assert {each for each in read.loaded if not each.startswith(("/static/", "data:,"))} == set()
    for each in read.loaded:
        if each.startswith("/"):
            assert requests.get(f"{demo.url}{each}", timeout=10).status_code == 200
    policy = requests.get(f"{demo.url}{path}", timeout=10).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_every_link_leads_somewhere(demo: RunningDemo) -> None:
    reference, problem_page = page(demo), page(demo, "/api/docs/problems")
    for link in reference.links | problem_page.links:
        path, _, anchor = link.partition("#")
        if path.startswith("https://docs.aws.amazon.com/"):
            continue
        if path == "/api/docs/problems":
            assert not anchor or anchor in problem_page.ids, link
        elif path in ("", "/api/docs"):
            assert not anchor or anchor in reference.ids | problem_page.ids, link
        else:
            assert requests.get(f"{demo.url}{path}", timeout=10).status_code == 200, link


def test_every_operation_of_the_document_is_on_the_page(demo: RunningDemo) -> None:
    document = requests.get(f"{demo.url}/api/v1/openapi.json", timeout=10).json()
    ids = {
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
        if operation["tags"] != ["Websocket"]
    }
    assert ids <= page(demo).ids


def test_the_type_of_every_problem_leads_to_its_words(demo: RunningDemo) -> None:
    assert {row.type for row in PROBLEMS} <= page(demo, "/api/docs/problems").ids
    refused = requests.get(f"{demo.url}/api/v1/session", timeout=10).json()
    path, _, anchor = refused["type"].partition("#")
    assert anchor in page(demo, path).ids


def test_close_codes_are_those_of_the_document(demo: RunningDemo) -> None:
    told = set(re.findall(r"<th scope=\"row\">(\d{4})</th>", _text(demo)))
    documented = re.findall(r"^\| (\d{4}) \|", (ROOT / "docs/socket.md").read_text(), re.M)
    assert told == set(documented)


def _text(demo: RunningDemo) -> str:
    return requests.get(f"{demo.url}/api/docs", timeout=10).text


@pytest.mark.parametrize("number", range(4))
def test_an_example_of_the_page_runs(demo: RunningDemo, number: int, tmp_path: Path) -> None:
    found = [each for each in page(demo).examples if "connect.ChatSession" not in each[1]]
    kind, program = found[number]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [*RUN[kind], (ENOUGH if kind == "js" else "") + program],
        env={**clean_environment(), "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    contacts = demo.sandbox.state()["contacts"]
    assert len(contacts) == 1
    assert "Hello" in json.dumps(contacts[0]["transcript"])


def test_the_chatjs_example_is_the_documents(demo: RunningDemo) -> None:
    shown = next(text for _, text in page(demo).examples if "connect.ChatSession" in text)
    (documented,) = examples("chatjs") or [None]
    assert documented is not None
    assert _code(shown) == _code(documented.at(demo.url))


def _code(text: str) -> str:
    return re.sub(r"//[^\n]*\n|\s+", "", text.replace(DEMO_URL, "") + "\n")
