"""``manage.py serve``: run the proxy on daphne. The work is in ``chatproxy.serve``."""

from __future__ import annotations

import asyncio
import sys
import warnings
from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from chatproxy import database
from chatproxy.lifespan import DRAIN_DEADLINE_S, lifespan


class Command(BaseCommand):
    help = "Run the proxy. SIGTERM hands over its chats, then ends it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")
        parser.add_argument(
            "--drain-seconds",
            type=float,
            default=DRAIN_DEADLINE_S,
            help="longest time to hand over chats when told to stop",
        )
        parser.add_argument(
            "--access-log", action="store_true", help="log a line per request, without its query"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if not 0 < options["port"] < 65_536:
            raise CommandError(f"--port is from 1 to 65535, not {options['port']}.")
        if wrong := database.trouble():
            raise CommandError(wrong)
        # Whitenoise's own words for what the check has told with a hint.
        warnings.filterwarnings("ignore", "No directory at", UserWarning)
        # Before anything else imports Twisted: it installs the asyncio reactor, on this loop.
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
        from chatproxy.serve import run

        code = run(
            import_string("chatproxy.asgi.application"),
            host=options["host"],
            port=options["port"],
            lifespan=lifespan,
            drain_s=options["drain_seconds"],
            access=options["access_log"],
        )
        if code:
            sys.exit(code)
