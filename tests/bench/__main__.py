"""``make bench``: the proxy and its peers, in one run. See README.md beside this file.

python -m tests.bench [--quick] [--repeat N] [--only relay|rest|idle] [--write FILE]
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import uvloop

from tests.bench import idle, messages, relays, report
from tests.bench.figures import Found
from tests.bench.plan import FULL, QUICK, Plan
from tests.bench.process import pin_load
from tests.bench.tables import tables
from tests.bench.targets import targets

PARTS = ("relay", "rest", "idle")


async def measure(plan: Plan, folder: Path, parts: tuple[str, ...]) -> Found:
    """All figures of the ``parts`` named; progress on stdout.

    Raises:
        RuntimeError: a server did not come up, or answered nothing.
    """
    found = Found()
    if "relay" in parts:
        await relays.measure(plan, folder, found)
    if "rest" in parts:
        await messages.measure(plan, folder, found)
    if "idle" in parts:
        await idle.measure(plan.idle, folder, found)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="two minutes; to see it work")
    parser.add_argument("--repeat", type=int, help="rounds; medians are over these")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--write", type=Path, help="write the tables to this file too")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    if options.repeat:
        plan = dataclasses.replace(plan, repeat=options.repeat)
    parts = (options.only,) if options.only else PARTS
    pin_load()
    with tempfile.TemporaryDirectory(prefix="chatproxy-bench-") as folder:
        found = uvloop.run(measure(plan, Path(folder), parts))
    text = "\n\n".join([report.machine(), *targets(found, plan), *tables(found)]) + "\n"
    print("\n" + text)
    if options.write:
        report.write(options.write, text)


if __name__ == "__main__":
    main()
