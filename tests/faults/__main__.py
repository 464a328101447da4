"""``make faults``: many schedules, one after the other; what was lost, and the seeds that found it.

python -m tests.faults [--site one|hash|random] [--plain] [--schedules N] [--minutes M] [--faults K]
python -m tests.faults --seed 17      one of them again, its steps printed
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.faults.ground import Ground, started_ground
from tests.faults.judge import Verdict, judged
from tests.faults.schedule import Step, kinds_for, schedule


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.faults", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--schedules", type=int, default=10_000, help="at most so many")
    parser.add_argument("--minutes", type=float, default=30.0, help="at most so long")
    parser.add_argument("--faults", type=int, default=10, help="faults in each")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="this one alone, told step by step")
    parser.add_argument("--site", choices=("one", "hash", "random"), default="one")
    parser.add_argument("--plain", action="store_true", help="without the fast path")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended first
    environ = {"CHAT_FAST_PATH": "0"} if options.plain else {}
    with (
        tempfile.TemporaryDirectory(prefix="chatproxy-faults-") as folder,
        started_ground(Path(folder), options.site, **environ) as ground,
    ):
        if options.seed is not None:
            steps = _steps(options.seed, options)
            print("\n".join(map(str, steps)), flush=True)
            verdict = judged(ground, steps)
            print(*verdict.stories, sep="\n\n")
            _tell(options.seed, verdict)
            sys.exit(not verdict.is_clean)
        sys.exit(_many(ground, options))


def _many(ground: Ground, options: argparse.Namespace) -> int:
    totals, failed, played = Counter[str](), list[int](), 0
    end = time.monotonic() + 60 * options.minutes
    for seed in range(options.first, options.first + options.schedules):
        if time.monotonic() > end:
            break
        verdict = judged(ground, _steps(seed, options))
        played += 1
        totals += verdict.counts
        totals += Counter(
            {"lost": verdict.lost, "twice": verdict.twice, "out of order": verdict.disordered}
        )
        totals["faults"] += options.faults
        if not verdict.is_clean:
            failed.append(seed)
            print(*verdict.stories, sep="\n\n")
            _tell(seed, verdict)
        if played % 10 == 0:
            _summary(played, totals, failed)
    _summary(played, totals, failed)
    return 1 if failed else 0


def _steps(seed: int, options: argparse.Namespace) -> list[Step]:
    return schedule(seed, options.faults, kinds_for(is_whole_site=options.site != "one"))


def _tell(seed: int, verdict: Verdict) -> None:
    how = "clean" if verdict.is_clean else "; ".join(verdict.complaints)
    print(f"seed {seed}: {how}", flush=True)


def _summary(played: int, totals: Counter[str], failed: list[int]) -> None:
    names = ("faults", "said", "sent", "pages", "reconnects", "lost", "twice", "out of order")
    counts = ", ".join(f"{name} {totals[name]:,}" for name in names)
    print(f"{played} schedules: {counts}; failed seeds: {failed or 'none'}", flush=True)


if __name__ == "__main__":
    main()
