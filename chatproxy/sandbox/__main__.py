"""``python -m chatproxy.sandbox --port 8001``: run Amazon Connect in a box."""

import argparse
import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "chatproxy.sandbox.settings"

from daphne.server import Server

from chatproxy.sandbox.asgi import application
from chatproxy.sandbox.box import current


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="chatproxy.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    options = parser.parse_args(arguments)
    current().listen_on(options.port)
    Server(
        application=application,
        endpoints=[f"tcp:port={options.port}:interface={options.host}"],
        # The service sends no protocol pings, and a half-open socket must be able to stay so.
        ping_interval=86_400,
        websocket_timeout=-1,
        application_close_timeout=1,
        verbosity=1,
    ).run()


main(sys.argv[1:])
