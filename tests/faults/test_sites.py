"""The same on a whole site, where more can go wrong: PostgreSQL, Redis, and processes of two."""

from __future__ import annotations

import pytest

from tests.faults.ground import Site, started_ground
from tests.faults.schedule import FAULTS, SITE_FAULTS, covering, schedule
from tests.faults.test_schedules import assert_nothing_lost

PROCESS_FAULTS = {name: FAULTS[name] for name in FAULTS if name.startswith("process ")}


@pytest.mark.parametrize(("site", "seed"), [("hash", 3), ("random", 8)])
def test_nothing_is_lost_on_a_whole_site(
    tmp_path_factory: pytest.TempPathFactory, site: Site, seed: int
) -> None:
    kinds = {**SITE_FAULTS, **PROCESS_FAULTS}
    with started_ground(tmp_path_factory.mktemp(site), site) as ground:
        assert_nothing_lost(ground, covering(seed % 2, 2, kinds))
        assert_nothing_lost(ground, schedule(seed, 4, {**FAULTS, **kinds}))


def test_nothing_is_lost_by_the_servers_own_way_of_sending(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("plain")
    with started_ground(folder, CHAT_FAST_PATH="0") as ground:
        assert_nothing_lost(ground, covering(0, 3))
