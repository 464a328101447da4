"""One box: every part of the sandbox, wired together; ``current()`` is the one this process runs."""

from functools import cache

from chatproxy.sandbox.agents import AgentDesk
from chatproxy.sandbox.bot import Bot
from chatproxy.sandbox.center import Center
from chatproxy.sandbox.clock import Clock
from chatproxy.sandbox.options import Options
from chatproxy.sandbox.socket import Switchboard


class Box:
    """Holds the parts; ``listen_on`` tells them where they can be reached."""

    def __init__(self) -> None:
        self.options = Options()
        self.clock = Clock()
        self.center = Center(self.options, self.clock)
        self.switchboard = Switchboard(self.center)
        self.center.observe(self.switchboard)
        self.desk = AgentDesk(self.center)
        self.bot = Bot(self.center, self.desk)

    def listen_on(self, port: int) -> None:
        """Make the URLs handed out lead here. ChatJS insists on 127.0.0.1 for plain sockets."""
        self.center.tokens.websocket_base = f"ws://127.0.0.1:{port}/socket"
        self.center.files.base_url = f"http://127.0.0.1:{port}"


@cache
def current() -> Box:
    return Box()
