"""Documents are tested too: what users can set, send, see or embed is in ``docs/``."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


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
