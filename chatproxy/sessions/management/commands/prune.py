"""``manage.py prune``: delete what has been kept long enough. Run it daily."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatproxy.conf import conf
from chatproxy.sessions import items, lifecycle


class Command(BaseCommand):
    help = "Deletes what people wrote in chats that ended more than CHAT_RETENTION_DAYS ago."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only say how much would be deleted"
        )
        parser.add_argument(
            "--days", type=int, help="instead of CHAT_RETENTION_DAYS; 0: of every chat that is over"
        )

    def handle(self, *, dry_run: bool, days: int | None, **_: Any) -> None:
        days = conf.retention_days if days is None else days
        if days < 0:
            raise CommandError("--days counts from today backwards: give 0 or more.")
        if dry_run:
            self._say(items.prunable(days), "would be deleted", days)
            return
        lifecycle.sweep()
        self._say(items.prune(days), "deleted", days)

    def _say(self, count: int, done: str, days: int) -> None:
        noun = "item" if count == 1 else "items"
        self.stdout.write(f"{count} {noun} {done}: chats that ended more than {days} days ago.")
