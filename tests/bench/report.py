"""The report: where it was taken, its tables as Markdown, and its place in a document."""

from __future__ import annotations

import os
import platform
import sysconfig
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def machine() -> str:
    """One line on where and when the figures were taken."""
    optimised = "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS"))
    return (
        f"Taken {datetime.now(UTC):%Y-%m-%d %H:%M} UTC on {os.cpu_count()} cores "
        f"({_processor()}), Python {platform.python_version()}"
        f"{'' if optimised else ' built without optimisations'}, "
        f"load average {os.getloadavg()[0]:.1f} at the end."
    )


def write(path: Path, text: str) -> None:
    """Put ``text`` between the marks in ``path``; what stands around them is kept."""
    before, _, rest = path.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _processor() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return names[0] if names else platform.machine()
