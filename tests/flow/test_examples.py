"""What README and docs show to type in does what they say, against the demo as it runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from chatproxy.child import ROOT
from tests.examples import Example, examples
from tests.processes import METRICS_TOKEN, RunningDemo, clean_environment

_BETWEEN = "-- the next block --"
# The script pip installs fails where the path of the environment holds a space.
AWS = 'aws() { python -m awscli "$@"; }\n'
PROGRAMS = [example for example in examples() if example.language in {"js", "python"}]
SHELL_PAGES = sorted({example.page for example in examples() if example.language == "sh"})


def run(*command: str) -> str:
    """Its output; the venv's programs come first, as in an activated environment."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        env={**clean_environment(), "PATH": path},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_documents_have_examples_in_every_language() -> None:
    assert {example.language for example in examples()} == {"sh", "js", "python"}


@pytest.mark.parametrize("page", SHELL_PAGES)
def test_shell_examples_of_a_page(page: str, demo: RunningDemo) -> None:
    blocks = [example for example in examples() if (example.page, example.language) == (page, "sh")]
    script = f"\necho '{_BETWEEN}'\n".join(block.at(demo.url) for block in blocks)
    printed = run("bash", "-euo", "pipefail", "-c", AWS + script).split(f"{_BETWEEN}\n")
    assert printed == [block.output for block in blocks]


@pytest.mark.parametrize("example", PROGRAMS, ids=lambda program: program.language)
def test_program_examples(example: Example, demo: RunningDemo) -> None:
    command = {
        "js": ["node", "--input-type=module", "--eval"],
        "python": [sys.executable, "-c"],
    }[example.language]
    assert run(*command, example.at(demo.url)) == example.output


def test_every_metric_is_documented(demo: RunningDemo) -> None:
    bearer = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    told = requests.get(f"{demo.url}/metrics", headers=bearer, timeout=10).text
    names = set(re.findall(r"^# TYPE (chatproxy_\w+)(?<!_created) ", told, re.M))
    page = (ROOT / "docs/operations.md").read_text()
    assert names
    assert {name for name in names if f"`{name}`" not in page} == set()
