"""``manage.py demo``: sandbox and proxy on this machine, seeded, until Ctrl-C (``make run``)."""

import argparse
import os
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from chatproxy import demo
from chatproxy.child import ChildFailed
from chatproxy.widgets.demo import NotADemo, seed_demo
from chatproxy.widgets.demo_login import ADMIN_NAME, ADMIN_PASSWORD


class Command(BaseCommand):
    help = "Runs the proxy with an Amazon Connect sandbox beside it, seeded, on this machine only."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        demo.add_arguments(parser)

    def handle(
        self, *, port: int, sandbox_port: int, prepare: bool, only: str | None, **_: Any
    ) -> None:
        try:
            if not prepare:
                demo.check_ports(port, sandbox_port, only)
            if only != "sandbox":
                self._prepare(port)
            if prepare:
                return
            if only:
                demo.become(only, port, sandbox_port)
            demo.run(port, sandbox_port, _announcement(port, sandbox_port))
        except (demo.DemoRefused, ChildFailed, NotADemo) as err:
            raise CommandError(str(err)) from err

    def _prepare(self, port: int) -> None:
        try:
            call_command("migrate", verbosity=0, interactive=False)
            seed_demo(port)
        except DatabaseError as err:
            raise CommandError(
                f"The database does not fit this version ({err}). If it is the demo's own, "
                f"delete {demo.VAR / 'demo.sqlite3'} and run it again."
            ) from err


def _announcement(port: int, sandbox_port: int) -> str:
    url = os.environ["CHAT_PUBLIC_URL"]
    return f"""
  The chat is ready.

  Demo page      {url}/demo/
  Agent console  http://127.0.0.1:{sandbox_port}/console/
  Admin          {url}/admin/   (log in as {ADMIN_NAME}, password {ADMIN_PASSWORD})
  API docs       {url}/api/docs

  Logs are in var/log/. Ctrl-C ends both servers.
"""
