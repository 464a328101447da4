"""Examples of the documents, taken out of the Markdown so that tests can run them.

A fence whose info string ends in ``example`` is a program: ``sh``, ``js`` (an ES module, Node) or
``python``. Shell blocks of one page run one after the other in one shell. A ``text output`` fence
behind a program is what it prints.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from chatproxy.child import ROOT

DEMO_URL = "http://127.0.0.1:8000"
"""What the documents call the proxy; replaced by the running one's address."""

_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Example:
    """One program and what the page says it prints (empty: nothing is said)."""

    page: str
    language: str
    body: str
    output: str

    def at(self, url: str) -> str:
        """The program with the demo's address replaced by ``url``."""
        return self.body.replace(DEMO_URL, url)


def pages() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def examples(kind: str = "example") -> list[Example]:
    """Every fence of that kind on every page, in the order of reading."""
    return [example for page in pages() for example in _on_page(page, kind)]


def _on_page(page: Path, kind: str) -> Iterator[Example]:
    fences = [(fence["info"].split(), fence["body"]) for fence in _FENCE.finditer(page.read_text())]
    for (info, body), (after, output) in pairwise([*fences, ([], "")]):
        if len(info) == 2 and info[1] == kind:
            said = output if after == ["text", "output"] else ""
            yield Example(page.relative_to(ROOT).as_posix(), info[0], body, said)
