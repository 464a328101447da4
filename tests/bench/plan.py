"""How much is measured: the whole of it, or enough in two minutes to see that it works."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.figures import Asking, Load


@dataclass(frozen=True)
class IdlePlan:
    """So many tabs with an upstream socket each, so many more without, once; times in seconds.

    ``before``: tabs opened first, so that what is loaded once is not counted. ``at_a_time``:
    handshakes on their way while all come back.
    """

    before: int
    tabs: int
    further: int
    at_a_time: int
    quiet_s: float


@dataclass(frozen=True)
class Plan:
    """Loads and times of a run; times in seconds.

    ``few``, ``many``: chats with one tab. Few need more frames on their way to keep a relay busy;
    with many, one each is the hard case, where nothing can be batched; ``burst`` is many with more.
    ``fan``: one chat with many tabs. ``paced``: so many frames a second over the few.
    ``alone``, ``busy``, ``far``: messages over one connection, over many, and over more to a
    service that takes its time.
    """

    repeat: int
    warm_s: float
    run_s: float
    paced_s: float
    few: Load
    fan: Load
    many: Load
    burst: Load
    pace: float
    alone: Asking
    busy: Asking
    far: Asking
    idle: IdlePlan

    @property
    def loads(self) -> tuple[Load, ...]:
        """In the order they are put on a relay: no more chats open than one needs."""
        return tuple(dict.fromkeys((self.few, self.fan, self.many, self.burst)))

    @property
    def askings(self) -> tuple[Asking, ...]:
        return (self.busy, self.alone, self.far)


FULL = Plan(
    repeat=3,
    warm_s=1.0,
    run_s=2.0,
    paced_s=3.0,
    pace=200.0,
    few=Load(100, 4),
    fan=Load(1, 2, tabs=100),
    many=Load(1000, 1),
    burst=Load(1000, 4),
    alone=Asking(1),
    busy=Asking(32),
    far=Asking(128, 0.2),
    idle=IdlePlan(before=100, tabs=5000, further=2000, at_a_time=64, quiet_s=3.0),
)

QUICK = Plan(
    repeat=1,
    warm_s=0.5,
    run_s=1.0,
    paced_s=1.0,
    pace=200.0,
    few=Load(20, 4),
    fan=Load(1, 2, tabs=20),
    many=Load(40, 1),
    burst=Load(40, 4),
    alone=Asking(1),
    busy=Asking(8),
    far=Asking(16, 0.2),
    idle=IdlePlan(before=20, tabs=200, further=100, at_a_time=64, quiet_s=0.5),
)
