"""A bounded part of ``make faults``: each kind of fault once, and a few schedules by chance.

A failure names the steps; ``python -m tests.faults --seed N`` plays a seed again.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.ground import Ground, started_ground
from tests.faults.judge import judged
from tests.faults.schedule import FAULTS, Step, covering, schedule

PARTS = 3
SEEDS = (4, 15)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with started_ground(tmp_path_factory.mktemp("faults")) as running:
        yield running


def assert_nothing_lost(ground: Ground, steps: list[Step]) -> None:
    verdict = judged(ground, steps)
    told = "\n".join(map(str, steps))
    assert verdict.is_clean, "\n".join(verdict.complaints) + f"\n\nafter\n{told}"


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_lost_whatever_goes_wrong(ground: Ground, part: int) -> None:
    assert_nothing_lost(ground, covering(part, PARTS))


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_in_a_schedule_by_chance(ground: Ground, seed: int) -> None:
    assert_nothing_lost(ground, schedule(seed, faults=6))


def test_every_kind_of_fault_is_covered() -> None:
    played = {step for part in range(PARTS) for step in map(str, covering(part, PARTS))}
    assert len(played) > len(FAULTS)
