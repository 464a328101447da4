"""``python -m chatproxy.sandbox --port 8001``: run Amazon Connect in a box."""

import argparse
import json
import os
import socket
import sys
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "chatproxy.sandbox.settings"

from daphne.server import Server

from chatproxy.sandbox.asgi import application
from chatproxy.sandbox.box import current
from chatproxy.sandbox.doors import warm_up


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="chatproxy.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=JSON",
        help="a setting of the control API, such as quotas=exact; may be repeated",
    )
    options = parser.parse_args(arguments)
    try:
        current().configure(_settings(os.environ.get("SANDBOX_SETTINGS", "{}"), options.set))
    except ValueError as err:
        parser.error(str(err))
    if not 0 < options.port < 65_536:
        parser.error(f"--port is from 1 to 65535, not {options.port}")
    if is_taken(options.host, options.port):
        parser.error(f"port {options.port} is taken; give another one with --port")
    warm_up()
    current().listen_on(options.port)
    Server(
        application=application,
        endpoints=[f"tcp:port={options.port}:interface={options.host}"],
        # The service sends no protocol pings, and a half-open socket must be able to stay so.
        ping_interval=86_400,
        websocket_timeout=-1,
        # What a client did not wait for is done all the same: the service would not stop either.
        application_close_timeout=300,
        verbosity=1,
        ready_callable=lambda: announce(options.port),
    ).run()


def announce(port: int) -> None:
    sys.stdout.write(
        f"The sandbox answers on http://127.0.0.1:{port}; "
        f"the agent console is http://127.0.0.1:{port}/console/\n"
    )
    sys.stdout.flush()


def is_taken(host: str, port: int) -> bool:
    """Whether something listens there already; daphne would log it and exit with 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _settings(from_environment: str, from_arguments: list[str]) -> dict[str, Any]:
    """Settings from SANDBOX_SETTINGS (a JSON object), overridden by ``--set``."""
    settings = json.loads(from_environment)
    if not isinstance(settings, dict):
        raise ValueError("SANDBOX_SETTINGS is a JSON object")
    for each in from_arguments:
        name, _, value = each.partition("=")
        try:
            settings[name] = json.loads(value)
        except ValueError:
            settings[name] = value  # so that quotas=exact needs no quotes
    return settings


if __name__ == "__main__":
    main(sys.argv[1:])
