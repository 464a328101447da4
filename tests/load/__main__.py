"""``make load``: shows of what holds under load, with figures. See docs/reliability.md.

python -m tests.load jitter [--tabs N] [--messages N] [--every S]
python -m tests.load avalanche [--chats N] [--tabs N]
python -m tests.load sends [--site one|hash|random] [--chats N] [--messages N] [--seed N]
python -m tests.load slow [--chats N] [--sleepers N]
python -m tests.load typing [--chats N] [--seconds S]
python -m tests.load soak [--minutes M] [--chats N]
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from pathlib import Path

import uvloop

from tests.bench import report
from tests.bench.process import pin_load
from tests.load import avalanche, jitter, sends, slow, soak, typing_storm


def _jitter(options: argparse.Namespace, folder: Path) -> bool:
    pin_load()
    plan = jitter.Plan(tabs=options.tabs, messages=options.messages, every_s=options.every)
    print(f"{report.machine()}\n\n{jitter.describe(plan)}\n\n{jitter.HEAD}", flush=True)
    return uvloop.run(jitter.run(plan, folder))[-1].is_whole


def _avalanche(options: argparse.Namespace, _: Path) -> bool:
    print(f"{report.machine()}\n", flush=True)
    return avalanche.run(avalanche.Plan(options.chats, options.tabs))


def _sends(options: argparse.Namespace, folder: Path) -> bool:
    print(f"{report.machine()}\n", flush=True)
    plan = sends.Plan(options.chats, options.messages, options.site, options.seed)
    return sends.run(plan, folder)


def _soak(options: argparse.Namespace, folder: Path) -> bool:
    print(f"{report.machine()}\n", flush=True)
    return soak.run(soak.Plan(options.minutes, options.chats), folder)


def _slow(options: argparse.Namespace, folder: Path) -> bool:
    pin_load()
    print(f"{report.machine()}\n", flush=True)
    return uvloop.run(slow.run(slow.Plan(options.chats, options.sleepers), folder))


def _typing(options: argparse.Namespace, folder: Path) -> bool:
    print(f"{report.machine()}\n", flush=True)
    plan = typing_storm.Plan(chats=options.chats, seconds=options.seconds)
    return uvloop.run(typing_storm.run(plan, folder))


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.load", description=__doc__.split("\n", 1)[0])
    shows = parser.add_subparsers(dest="show", required=True)
    show = shows.add_parser("jitter", help=jitter.__doc__.split("\n", 1)[0])
    show.add_argument("--tabs", type=int, default=1000)
    show.add_argument("--messages", type=int, default=120)
    show.add_argument("--every", type=float, default=2.0, help="seconds between a chat's messages")
    show.set_defaults(run=_jitter)
    show = shows.add_parser("avalanche", help=avalanche.__doc__.split("\n", 1)[0])
    show.add_argument("--chats", type=int, default=250)
    show.add_argument("--tabs", type=int, default=8, help="of each chat")
    show.set_defaults(run=_avalanche)
    show = shows.add_parser("sends", help=sends.__doc__.split("\n", 1)[0])
    show.add_argument("--site", choices=("one", "hash", "random"), default="one")
    show.add_argument("--chats", type=int, default=200)
    show.add_argument("--messages", type=int, default=50, help="in each chat")
    show.add_argument("--seed", type=int, default=1)
    show.set_defaults(run=_sends)
    show = shows.add_parser("soak", help=soak.__doc__.split("\n", 1)[0])
    show.add_argument("--minutes", type=float, default=30.0)
    show.add_argument("--chats", type=int, default=40, help="at one time")
    show.set_defaults(run=_soak)
    show = shows.add_parser("slow", help=slow.__doc__.split("\n", 1)[0])
    show.add_argument("--chats", type=int, default=500)
    show.add_argument("--sleepers", type=int, default=50, help="tabs that never read")
    show.set_defaults(run=_slow)
    show = shows.add_parser("typing", help=typing_storm.__doc__.split("\n", 1)[0])
    show.add_argument("--chats", type=int, default=500)
    show.add_argument("--seconds", type=float, default=60.0, help="of each of the two parts")
    show.set_defaults(run=_typing)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended first
    with tempfile.TemporaryDirectory(prefix="chatproxy-load-") as folder:
        if not options.run(options, Path(folder)):
            sys.exit("It did not hold what it should: see the figures.")


if __name__ == "__main__":
    main()
