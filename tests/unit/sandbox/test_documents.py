"""docs/sandbox.md names every setting, fault, action and door."""

import json
from dataclasses import fields
from pathlib import Path

from chatproxy.sandbox.faults import Kind
from chatproxy.sandbox.options import Options
from chatproxy.sandbox.puppets import ACTIONS

TEXT = (Path(__file__).parents[3] / "docs" / "sandbox.md").read_text()


def test_everything_that_can_be_asked_for_is_documented() -> None:
    names = [each.name for each in fields(Options)] + list(Kind) + list(ACTIONS)
    missing = [name for name in names if f"`{name}`" not in TEXT]
    assert not missing


def test_defaults_are_as_documented() -> None:
    rows = [line.split("|") for line in TEXT.splitlines() if line.startswith("|")]
    for name, value in Options().as_dict().items():
        shown = next(row[2] for row in rows if f"`{name}`" in row[1])
        assert json.loads(shown) == value, name
