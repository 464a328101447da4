"""``manage.py cluster`` (``make cluster``): the demo as a site of many processes, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from chatproxy.child import ChildFailed, be_interrupted, is_free
from chatproxy.cluster.nginx import METHODS
from chatproxy.cluster.running import Cluster, Ports
from chatproxy.cluster.servers import ProgramMissing
from chatproxy.demo import SentenceParser, port_number
from chatproxy.widgets.demo_login import ADMIN_NAME, ADMIN_PASSWORD

MOST_PROCESSES = 32


def main(arguments: Sequence[str]) -> int:
    """Run it; the exit code."""
    options = _read(arguments)
    ports = _ports(options.port, options.sandbox_port, options.processes)
    if len(set(_all(ports))) < len(_all(ports)):
        return _refused(f"SANDBOX_PORT={options.sandbox_port} is a port of the cluster's own.")
    if taken := [port for port in _all(ports) if not is_free(port)]:
        return _refused(
            f"Port {taken[0]} is already in use: end what listens there, or move the whole "
            f"cluster with `make cluster PORT={options.port + 1000} "
            f"SANDBOX_PORT={options.sandbox_port + 1000}`."
        )
    try:
        cluster = Cluster(ports, environ=os.environ, routing=options.routing)
    except ProgramMissing as err:
        return _refused(str(err))
    be_interrupted()
    try:
        _say(f"Starting PostgreSQL, Redis, the sandbox, {options.processes} proxies and nginx …")
        cluster.start()
        _say(_announcement(cluster))
        _watch(cluster)
    except ChildFailed as err:
        return _refused(str(err))
    except KeyboardInterrupt:
        _say("\nStopping …")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not orphan a child
        cluster.stop()
    return 0


def _watch(cluster: Cluster) -> NoReturn:
    """Stay. A process of ours that ends is started again, as systemd would; others end us all."""
    others = [part for part in cluster.parts if part not in cluster.proxies]
    while True:
        for proxy in cluster.proxies:
            if proxy.exit_code is not None:
                _say(f"{proxy.name} ended (exit code {proxy.exit_code}) and is started again.")
                proxy.start()
        for part in others:
            if part.exit_code is not None:
                raise ChildFailed(part.obituary())
        time.sleep(1)


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    parser = SentenceParser(prog="manage.py cluster", description=__doc__)
    parser.add_argument("--port", type=port_number, default=8000, help="where nginx listens")
    parser.add_argument(
        "--sandbox-port", type=port_number, default=8001, help="where the sandbox listens"
    )
    parser.add_argument("--processes", type=_processes, default=3, help="how many proxies")
    parser.add_argument(
        "--routing", choices=sorted(METHODS), default="hash", help="how nginx chooses a proxy"
    )
    options = parser.parse_args(arguments)
    if options.port + 100 + options.processes > 65_535:
        parser.error(f"PORT={options.port} leaves no room above it for the processes.")
    return options


def _processes(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 3 and 1 <= int(text) <= MOST_PROCESSES:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"{text[:40]!r} is no number of processes: give one from 1 to {MOST_PROCESSES}, "
        "as in PROCESSES=3."
    )


def _ports(port: int, sandbox_port: int, processes: int) -> Ports:
    """All the others follow from where nginx listens: 8098 and 8099, 8101, 8102, …"""
    return Ports(
        site=port,
        sandbox=sandbox_port,
        redis=port + 98,
        postgres=port + 99,
        proxies=range(port + 101, port + 101 + processes),
    )


def _all(ports: Ports) -> list[int]:
    return [ports.site, ports.sandbox, ports.redis, ports.postgres, *ports.proxies]


def _announcement(cluster: Cluster) -> str:
    proxies = ", ".join(proxy.url for proxy in cluster.proxies)
    return f"""
  The cluster is ready.

  Demo page      {cluster.url}/demo/
  Agent console  {cluster.sandbox.url}/console/
  Admin          {cluster.url}/admin/   (log in as {ADMIN_NAME}, password {ADMIN_PASSWORD})

  Proxies        {proxies}
  PostgreSQL     {cluster.environ["DATABASE_URL"]}
  Redis          {cluster.environ["REDIS_URL"]}

  Logs are in {cluster.folder}. Ctrl-C ends everything, and deletes them and the database.
"""


def _refused(why: str) -> int:
    sys.stderr.write(why + "\n")
    return 1


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
