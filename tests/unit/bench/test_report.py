"""The benchmark's report, from figures made up."""

from array import array
from pathlib import Path

import pytest

from tests.bench import report
from tests.bench.figures import Asking, Figures, Found, Idle, Load, median
from tests.bench.plan import FULL
from tests.bench.tables import tables
from tests.bench.targets import OURS, PLAIN, RELAY_ONLY, targets


def figures(cpu_us: float, *, done: int = 1000, ms: float = 1.0, lost: int = 0) -> Figures:
    return Figures(
        done=done,
        seconds=1.0,
        cpu_s=cpu_us * done / 1e6,
        lost=lost,
        latencies=array("d", [ms / 1e3] * 100),
    )


@pytest.fixture
def found() -> Found:
    cpu = {"direct": 1, "nginx": 10, "Node": 20, RELAY_ONLY: 15, OURS: 30, PLAIN: 70}
    return Found(
        saturated={
            (name, load): [figures(us), figures(us + 1), figures(us - 1)]
            for load in FULL.loads
            for name, us in cpu.items()
        },
        paced={
            (name, FULL.few): [figures(us, ms=0.1 if name == "direct" else 0.25)]
            for name, us in cpu.items()
        },
        messages={
            ("direct", FULL.alone): [figures(1, ms=0.1)],
            (OURS, FULL.alone): [figures(900, ms=0.9)],
            (OURS, FULL.far): [figures(900, done=400)],
        },
        idle={OURS: [Idle(5000, pair_kb=59.0, tab_kb=26.0, back_s=11.0, back_cpu_s=9.0, lost=1)]},
        lookup_us={"with the token": [6.0, 7.0, 100.0]},
    )


def line(text: str, start: str) -> list[str]:
    """The cells of the one row that starts so."""
    rows = [row for row in text.splitlines() if row.startswith(f"| {start}")]
    assert len(rows) == 1, rows
    return [cell.strip() for cell in rows[0].strip("|").split("|")]


@pytest.mark.parametrize(
    ("target", "reached", "verdict"),
    [
        (f"CPU per frame, 1,000 chats, of Node's: {RELAY_ONLY} |", "0.75 x", "met"),
        (f"CPU per frame, 1,000 chats, of Node's: {OURS} |", "1.50 x", "**not met**"),
        (
            f"CPU per frame, 1 chat with 100 tabs, of Node's: {RELAY_ONLY} |",
            "0.75 x",
            "**not met**",
        ),
        (f"CPU per frame, 1,000 chats, of Node's: {PLAIN}", "3.50 x", "met"),
        (f"added latency at 200 frames/s, p50: {OURS} |", "0.15 ms", "met"),
        ("a message's added p50 at one connection", "0.80 ms", "met"),
        ("upstream at 200 ms, 128 connections: messages", "400.0 /s", "**not met**"),
        ("upstream at 200 ms, 128 connections: failed", "0.00", "met"),
        ("CPU of finding a session", "7.0 µs", "met"),
        ("an idle tab with its own link", "59.0 kB", "met"),
        ("each further tab", "26.0 kB", "**not met**"),
        ("5,000 tabs come back |", "11.0 s", "met"),
        ("5,000 tabs come back: lost", "1.00", "**not met**"),
    ],
)
def test_a_target_tells_what_was_reached_and_whether_it_is_met(
    found: Found, target: str, reached: str, verdict: str
) -> None:
    cells = line("\n".join(targets(found, FULL)), target)
    assert cells[2:] == [reached, verdict]


def test_what_was_not_measured_has_no_target() -> None:
    assert targets(Found(), FULL) == []
    only_idle = Found(idle={OURS: [Idle(10, 1, 1, 1, 1, 0)]})
    assert "CPU" not in "\n".join(targets(only_idle, FULL))


def test_tables_have_medians_and_ratios_to_peers(found: Found) -> None:
    text = "\n".join(tables(found))
    cells = line(text, f"1,000 | 1 | 1 | {RELAY_ONLY} |")
    assert cells[6:9] == ["15.0", "0.75 x", "1.50 x"]
    # No Channels relay was measured: nothing to compare with, rather than a made-up ratio.
    assert cells[5] == ""


def test_parts_that_were_not_measured_have_no_table() -> None:
    assert tables(Found()) == []


def test_the_report_takes_the_place_between_its_marks(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write(document, "new\n")
    text = document.read_text()
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert f"{report.BEGIN}\n\nnew\n\n{report.END}" in text


def test_a_figure_is_the_median_of_its_rounds() -> None:
    rounds = [figures(us) for us in (5, 1, 100)]
    assert median(rounds, lambda one: one.cpu_us) == pytest.approx(5)


def test_loads_that_are_the_same_are_measured_once() -> None:
    assert len(set(FULL.loads)) == len(FULL.loads) == 4
    assert Load(1, 1) != Load(1, 1, tabs=2)
    assert FULL.askings[0] == Asking(32)
