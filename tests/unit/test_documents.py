"""Documents are tested too: what users can set, send, see or embed is in ``docs/``."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from chatproxy.api.problem_types import PROBLEMS
from chatproxy.closing import Close
from chatproxy.upstream.contacts import ContactClient
from chatproxy.upstream.participant import ParticipantClient
from chatproxy.upstream.vocabulary import Topic

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
WIDGET = ROOT / "widget_static/src"


def settings_in_code() -> dict[str, str | None]:
    """Name → default as a document writes it; None where the default is nothing or computed."""
    found: dict[str, str | None] = {}
    for node in ast.walk(ast.parse((ROOT / "chatproxy/settings.py").read_text())):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name("env")),
                args=[ast.Constant(value=str(name))],
                keywords=[ast.keyword("default", default)],
            ):
                found[name] = documented(default)
    return found


def documented(default: ast.expr) -> str | None:
    if {type(node) for node in ast.walk(default)} & {ast.Name, ast.Call, ast.JoinedStr}:
        return None
    value = eval(compile(ast.Expression(default), "settings.py", "eval"))  # noqa: S307
    if isinstance(value, bool):
        return str(value).lower()
    return None if value in ("", []) else str(value)


def settings_in_docs() -> dict[str, str]:
    """Name → what the table's second column says."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \|", (DOCS / "settings.md").read_text(), re.M)
    return dict(rows)


def test_every_setting_is_documented_and_no_other() -> None:
    assert settings_in_docs().keys() == settings_in_code().keys()


@pytest.mark.parametrize(("name", "default"), list(settings_in_code().items()))
def test_a_settings_default_is_told(name: str, default: str | None) -> None:
    told = settings_in_docs()[name]
    assert told == f"`{default}`" if default is not None else not told.startswith("`")


def problems_in_code() -> set[tuple[str, str, str]]:
    """Type, status under /api/v1/, status and exception under /participant/."""
    return {
        (row.type, str(row.status), f"{row.participant_status} {row.error_type}")
        for row in PROBLEMS
    }


def test_every_problem_type_is_documented_with_its_statuses() -> None:
    page = (DOCS / "rest.md").read_text()
    rows = re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \| (\d{3} \w+) \| ", page, re.M)
    assert set(rows) == problems_in_code()


def test_every_frame_topic_is_documented() -> None:
    page = (DOCS / "socket.md").read_text()
    assert {
        topic for topic in [*Topic, "chatproxy/session"] if f"| `{topic}` |" not in page
    } == set()


def operations_in_readme() -> list[tuple[str, str, str]]:
    """README's table: class, method, file of its test."""
    row = r"^\| `\w+`.* \| `(\w+Client)\.(\w+)` \| .+ \| `(.+)` \|$"
    return re.findall(row, (ROOT / "README.md").read_text(), re.M)


def test_each_operation_in_the_readme_has_its_method_and_its_test() -> None:
    clients = {client.__name__: client for client in (ParticipantClient, ContactClient)}
    assert len(operations_in_readme()) == 15
    for client, method, test in operations_in_readme():
        assert callable(getattr(clients[client], method))
        assert method in (ROOT / test).read_text(), f"{test} does not call {method}"


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{page.name}: {target}"
        for page in [ROOT / "README.md", *DOCS.rglob("*.md")]
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_every_close_code_is_documented() -> None:
    codes = {str(code.value) for code in Close} - {str(Close.NORMAL.value)}
    rows = set(re.findall(r"^\| (\d{4}) \| ", (DOCS / "socket.md").read_text(), re.M))
    assert rows == codes


def widget_attributes() -> set[str]:
    """What the widget reads from the script tag; ``dataset.startWith`` is ``data-start-with``."""
    sources = [(WIDGET / name).read_text() for name in ("loader.js", "element.js", "panel.js")]
    names: set[str] = set()
    for text in sources:
        names |= set(re.findall(r"\bdataset\.([a-z]\w*)", text))
        for taken in re.findall(r"const \{([^}]*)\} = this\.dataset", text):
            names |= {name.split("=")[0].strip() for name in taken.split(",")}
    return {
        "data-" + re.sub(r"[A-Z]", lambda found: "-" + found[0].lower(), name) for name in names
    }


def widget_events() -> set[str]:
    return set(re.findall(r'"(chat-[a-z-]+)"', (WIDGET / "events.js").read_text()))


def widget_looks() -> set[str]:
    """Custom properties declared with a default."""
    sheets = [(WIDGET / name).read_text() for name in ("launcher.css", "style.css")]
    return {name for sheet in sheets for name in re.findall(r"^\s*(--chat-[\w-]+):", sheet, re.M)}


@pytest.mark.parametrize("public", [widget_attributes, widget_events, widget_looks])
def test_what_a_page_may_use_of_the_widget_is_documented(public: Callable[[], set[str]]) -> None:
    page = (DOCS / "widget.md").read_text()
    assert public()
    assert {name for name in public() if f"`{name}`" not in page} == set()


def test_documents_named_in_the_code_exist() -> None:
    code = [*(ROOT / "chatproxy").rglob("*.py"), *WIDGET.rglob("*.js")]
    named = r"\bdocs/[a-z-]+\.md|\bdocs/decisions/\d{4}"
    found = {(path.name, name) for path in code for name in re.findall(named, path.read_text())}
    assert found
    assert {pair for pair in found if not list(ROOT.glob(f"{pair[1]}*"))} == set()
