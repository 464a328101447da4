"""One box: every part of the sandbox, wired; ``current()`` is the one this process runs."""

from functools import cache
from typing import Any

from chatproxy.sandbox.agents import AgentDesk
from chatproxy.sandbox.bot import Bot
from chatproxy.sandbox.center import Center
from chatproxy.sandbox.clock import Clock
from chatproxy.sandbox.faults import Faults
from chatproxy.sandbox.ledger import Ledger
from chatproxy.sandbox.options import Options
from chatproxy.sandbox.quotas import Quotas
from chatproxy.sandbox.socket import Switchboard


class Box:
    """Holds the parts; ``listen_on`` tells them where they can be reached."""

    def __init__(self) -> None:
        self.options = Options()
        self._baseline = self.options.as_dict()
        self.clock = Clock()
        self.center = Center(self.options, self.clock)
        self.quotas = Quotas(self.options, self.clock)
        self.faults = Faults()
        self.ledger = Ledger()
        self.switchboard = Switchboard(self.center, self.faults)
        self.center.observe(self.switchboard)
        self.desk = AgentDesk(self.center)
        self.bot = Bot(self.center, self.desk)

    def configure(self, settings: dict[str, Any]) -> None:
        """Change options for good: ``reset`` comes back to these.

        Raises:
            ValueError: see ``Options.update``.
        """
        self.options.update(settings)
        self._baseline = self.options.as_dict()

    def reset(self) -> None:
        """As fresh as started: no chats, no sockets, no faults, no counts, the first options."""
        self.switchboard.clear()
        self.faults.remove()
        self.center.clear()
        self.desk.clear()
        self.clock.clear()
        self.quotas.clear()
        self.ledger.clear()
        self.options.update(self._baseline)

    def listen_on(self, port: int) -> None:
        """Make the URLs handed out lead here. ChatJS insists on 127.0.0.1 for plain sockets."""
        self.center.tokens.websocket_base = f"ws://127.0.0.1:{port}/socket"
        self.center.files.base_url = f"http://127.0.0.1:{port}"


@cache
def current() -> Box:
    return Box()
