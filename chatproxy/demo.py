"""The demo: sandbox and proxy side by side on loopback, with everything a newcomer needs.

``manage.py demo`` (``make run``) calls ``adopt_environment`` before Django reads its settings, and
``run`` after. Nothing here is for production: the credentials are public, and ``widgets/demo.py``
refuses to create them anywhere but on loopback in demo mode. How a child process is started and
watched is told in ``child.py``; the sandbox itself is ``chatproxy.sandbox``.
"""

import argparse
import os
import secrets
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from cryptography.fernet import Fernet

from chatproxy.child import ROOT, Child, be_interrupted, is_free, watch

VAR = ROOT / "var"
DEFAULT_PORT = 8000
DEFAULT_SANDBOX_PORT = 8001


class DemoRefused(Exception):
    """The demo cannot start; the sentence says why and what to do."""


class SentenceParser(argparse.ArgumentParser):
    """Says what is wrong in a sentence, without how the command is used: `make` has called it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, message.removeprefix("argument ") + "\n")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=port_number, default=DEFAULT_PORT, help="where the proxy listens"
    )
    parser.add_argument(
        "--sandbox-port",
        type=port_number,
        default=DEFAULT_SANDBOX_PORT,
        help="where the sandbox listens",
    )
    parser.add_argument(
        "--prepare", action="store_true", help="migrate and seed the database, start nothing"
    )
    parser.add_argument(
        "--only",
        choices=("sandbox", "proxy"),
        help="run one of the two in this process, so that it can be killed and started by itself",
    )


def port_number(text: str) -> int:
    """A port as argparse takes it from the command line."""
    if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(
        f"{text[:40]!r} is no port: give a number from 1 to 65535, as in "
        "`make run PORT=8000 SANDBOX_PORT=8001`."
    )


def adopt_environment(arguments: Sequence[str]) -> None:
    """Give this process the demo's settings, before Django reads them; those already set stay."""
    parser = SentenceParser(add_help=False)
    add_arguments(parser)
    options, _ = parser.parse_known_args(arguments)
    VAR.mkdir(exist_ok=True)
    os.environ.update(environment(options.port, options.sandbox_port, os.environ, var=VAR))


def environment(
    port: int, sandbox_port: int, environ: Mapping[str, str], *, var: Path
) -> dict[str, str]:
    """``environ`` with a value for each setting the demo needs and ``environ`` does not give.

    A setting given as a file (``CHAT_SECRET_KEY_FILE``) counts as given. Keys are kept in ``var``,
    so that a chat goes on after a restart.
    """
    sandbox_url = f"http://127.0.0.1:{sandbox_port}"
    defaults = {
        "CHAT_DEMO": "1",
        "CHAT_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CHAT_LOG_FORMAT": "text",
        "CHAT_STARTS_PER_ADDRESS": "600/minute",  # everybody here has the same address
        "CHAT_SECRET_KEY": _kept(var / "demo.secret-key", lambda: secrets.token_urlsafe(50)),
        "CHAT_VAULT_KEYS": _kept(var / "demo.vault-key", lambda: Fernet.generate_key().decode()),
        "DATABASE_URL": f"sqlite:///{quote(str(var / 'demo.sqlite3'))}",
        "CONNECT_REGION": "us-west-2",
        "CONNECT_INSTANCE_ID": "11111111-2222-4333-8444-555555555555",
        "CONNECT_CONTACT_FLOW_ID": "66666666-7777-4888-8999-000000000000",
        "CONNECT_ENDPOINT_URL": sandbox_url,
        "CONNECT_PARTICIPANT_ENDPOINT_URL": sandbox_url,
        "CONNECT_WEBSOCKET_HOSTS": f"127.0.0.1:{sandbox_port}",
        "SANDBOX_SETTINGS": '{"quotas": "exact"}',  # throttled as a real instance would
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
    }
    given = {name for name in defaults if name in environ or f"{name}_FILE" in environ}
    added = {name: defaults[name] for name in defaults.keys() - given}
    return {**environ, **added, **_without_web_proxy(environ)}


def _without_web_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    """boto3 honours a company's web proxy, which cannot reach the sandbox on this machine."""
    spared = environ.get("no_proxy") or environ.get("NO_PROXY")
    both = ",".join(filter(None, [spared, "127.0.0.1"]))
    return {"no_proxy": both, "NO_PROXY": both}


def sandbox_process(port: int, *, environ: Mapping[str, str], log_dir: Path) -> Child:
    """The sandbox as a child process, not started yet."""
    arguments = ["-m", "chatproxy.sandbox", "--host", "127.0.0.1", "--port", str(port)]
    # It has settings of its own; the proxy's would be used if the variable were handed on.
    environ = {name: environ[name] for name in environ if name != "DJANGO_SETTINGS_MODULE"}
    return Child("sandbox", arguments, environ=environ, port=port, log_dir=log_dir)


def proxy_process(
    port: int,
    *,
    environ: Mapping[str, str],
    log_dir: Path,
    drain_s: int = 5,
    name: str = "proxy",
) -> Child:
    """The proxy as a child process, not started yet.

    Args:
        drain_s: Time to hand over chats when told to stop; short, for whoever pressed Ctrl-C waits.
    """
    arguments = ["manage.py", "serve", "--host", "127.0.0.1", "--port", str(port)]
    arguments += ["--drain-seconds", str(drain_s)]
    return Child(name, arguments, environ=environ, port=port, log_dir=log_dir)


def check_ports(port: int, sandbox_port: int, only: str | None = None) -> None:
    """Say in one sentence which port is taken, and how to move it.

    Args:
        only: Which of the two is to be started, if not both; the other may well be running.

    Raises:
        DemoRefused: one of the two is taken, or both are the same.
    """
    if port == sandbox_port:
        raise DemoRefused(f"PORT and SANDBOX_PORT are both {port}; give the sandbox another one.")
    for taken, who, variable in (
        (port, "proxy", "PORT"),
        (sandbox_port, "sandbox", "SANDBOX_PORT"),
    ):
        if only in {None, who} and not is_free(taken):
            raise DemoRefused(
                f"Port {taken}, meant for the {who}, is already in use: end what listens there, "
                f"or choose another with `make run {variable}={taken + 10}`."
            )


def become(only: str, port: int, sandbox_port: int) -> NoReturn:
    """Run the sandbox, or the proxy, in place of this process."""
    if only == "sandbox":
        sandbox_process(sandbox_port, environ=os.environ, log_dir=VAR / "log").become()
    proxy_process(port, environ=os.environ, log_dir=VAR / "log").become()


def run(port: int, sandbox_port: int, announcement: str) -> None:
    """Start both, print ``announcement`` once they are ready, and stay until Ctrl-C.

    Raises:
        ChildFailed: one did not come up, or ended by itself; the other has been ended too.
    """
    log_dir = VAR / "log"
    sandbox = sandbox_process(sandbox_port, environ=os.environ, log_dir=log_dir)
    proxy = proxy_process(port, environ=os.environ, log_dir=log_dir)
    try:
        be_interrupted()
        _say("Starting the sandbox and the proxy …")
        for child in (sandbox, proxy):
            child.start()
        for child in (sandbox, proxy):
            child.wait_ready()
        _say(announcement)
        watch(proxy, sandbox)
    except KeyboardInterrupt:
        _say("\nStopping …")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not orphan a child
        for child in (proxy, sandbox):
            child.stop()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _kept(path: Path, make: Callable[[], str]) -> str:
    """What the file holds; made, and readable by its owner alone, if there is none."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(make())
    return path.read_text()
