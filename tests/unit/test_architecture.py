"""Imports point one way: the table of arrows, kept honest.

Each package is followed by what its modules may import besides the standard library; a module named
``package/module`` may import that on top of its package's share. Top-level modules tie everything
together and are free.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

ARROWS = {
    "upstream": "upstream requests urllib3 boto3 botocore",
    "upstream/sharedbucket": "redis",
    "upstream/chatframes": "pydantic_core",  # its JSON reader, twice per frame
    "upstream/onesocket": "certifi",  # what requests itself verifies with
    "widgets": "widgets conf django",
    "sessions": "sessions widgets upstream conf django cryptography",
    "sessions/control": "channels asgiref",
    "sessions/management": "demo child database serve lifespan uvloop",
    "relay": "relay sessions upstream closing conf flag django",
    "relay/socket": "picows",
    "relay/housekeeping": "channels",  # hears what sessions/control publishes
    "relay/fastpath": "daphne autobahn twisted",
    # Shapes are several modules; doors name the governor's groups, and defer through onehop.
    "api": (
        "api relay sessions widgets conf onehop upstream.errors upstream.vocabulary"
        " upstream.shapes upstream.inputs upstream.fields upstream.items upstream.governor"
        " django ninja pydantic channels asgiref corsheaders csp limits prometheus_client"
    ),
    "api/apps": "checks",
    "checks": "checks conf logs upstream.governor django cryptography limits",
    "api/openapi": "botocore",  # the service's model, for the reference
    "api/service_model": "botocore",
    "api/limits": "breaker redis",
    "api/consumers": "closing",
    "api/health": "lifespan",
    "api/metrics": "bulkheads closing",
    "cluster": "cluster demo widgets.demo_login child psycopg",
    "sandbox": (
        "sandbox upstream.vocabulary conf django channels asgiref botocore daphne twisted autobahn"
    ),
}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / "chatproxy").rglob("*.py")):
        parts = path.relative_to(ROOT / "chatproxy").with_suffix("").parts
        if len(parts) > 1 and "migrations" not in parts:
            yield "/".join(parts), path


def imports(path: Path) -> Iterator[str]:
    """Dotted names a module imports, ``chatproxy.`` left out; relative imports are not our way."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("chatproxy.") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: write the import out, from chatproxy on"
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name.removeprefix("chatproxy.") for name in names)


def allowed(module: str) -> list[str]:
    package, _, rest = module.partition("/")
    own = f"{package}/{rest.split('/')[0]}"
    return [*ARROWS[package].split(), *ARROWS.get(own, "").split(), "__version__"]


@pytest.mark.parametrize(("module", "path"), list(modules()))
def test_imports_follow_the_arrows(module: str, path: Path) -> None:
    may = allowed(module)
    astray = [
        name
        for name in imports(path)
        if name.split(".")[0] not in sys.stdlib_module_names
        and not any(name == arrow or name.startswith(f"{arrow}.") for arrow in may)
    ]
    assert not astray, f"{module} may import {', '.join(may)}; not {', '.join(astray)}"
