"""A whole site on loopback: PostgreSQL, Redis, a sandbox, several processes of ours, nginx.

`make cluster` and the tests run the same one. Everything it keeps is in one folder, and goes with
it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import psycopg

from chatproxy.child import ROOT, Child, ChildFailed, Program
from chatproxy.cluster.nginx import Routing, nginx_server
from chatproxy.cluster.servers import postgres_server, redis_server
from chatproxy.demo import environment, proxy_process, sandbox_process

READY_WITHIN_S = 60.0
DRAIN_S = 20


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each part listens. ``site`` is nginx, the address people use."""

    site: int
    sandbox: int
    redis: int
    postgres: int
    proxies: Sequence[int]


class Cluster:
    """Not started yet. As a context manager: started, and stopped and removed at the end.

    Args:
        environ: The environment of the processes; its settings win over the cluster's own.
        routing: How nginx chooses a process.
        settle_s: How long a part may take to be ready.
    """

    def __init__(
        self,
        ports: Ports,
        *,
        environ: Mapping[str, str],
        routing: Routing = "hash",
        settle_s: float = READY_WITHIN_S,
    ) -> None:
        # Not below the checkout: PostgreSQL may have to run as a user who can't get there.
        self.folder = Path(tempfile.mkdtemp(prefix="chatproxy-cluster-"))
        self.folder.chmod(0o755)
        self._settle_s = settle_s
        self._ports = ports
        self.redis = redis_server(ports.redis, self.folder / "redis")
        self.postgres = postgres_server(ports.postgres, self.folder / "postgres")
        self.environ = environment(
            ports.site, ports.sandbox, {**self._settings(), **environ}, var=self.folder
        )
        logs = self.folder / "log"
        self.sandbox = sandbox_process(ports.sandbox, environ=self.environ, log_dir=logs)
        self.proxies: list[Child] = [
            proxy_process(
                port,
                environ=self.environ,
                log_dir=logs,
                drain_s=DRAIN_S,
                name=f"proxy-{number}",
            )
            for number, port in enumerate(ports.proxies, 1)
        ]
        self.nginx = nginx_server(ports.site, ports.proxies, self.folder / "nginx", routing=routing)

    def _settings(self) -> dict[str, str]:
        return {
            "DATABASE_URL": f"postgres://chat@127.0.0.1:{self._ports.postgres}/chat",
            "REDIS_URL": f"redis://127.0.0.1:{self._ports.redis}/0",
            "CHAT_TRUSTED_PROXIES": "127.0.0.1",
        }

    @property
    def url(self) -> str:
        return self.nginx.url

    @property
    def parts(self) -> list[Program]:
        """All of it, in the order it is started."""
        return [self.postgres, self.redis, self.sandbox, *self.proxies, self.nginx]

    def start(self) -> None:
        """Start everything and wait until it is ready.

        Raises:
            ChildFailed: some part did not come up.
        """
        for part in (self.postgres, self.redis, self.sandbox):
            part.start()
        self._make_database()
        self._prepare()
        for part in (*self.proxies, self.nginx):
            part.start()
        for part in (self.redis, self.sandbox, *self.proxies, self.nginx):
            part.wait_ready(self._settle_s)

    def stop(self) -> None:
        """End everything, the front first, and remove what it kept."""
        for part in reversed(self.parts):
            # PostgreSQL waits for clients to go; those have gone.
            part.stop(grace_s=5)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Cluster:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _make_database(self) -> None:
        address = f"postgres://chat@127.0.0.1:{self._ports.postgres}/postgres"
        end = time.monotonic() + self._settle_s
        while True:
            try:
                with psycopg.connect(address, autocommit=True) as connection:
                    connection.execute("CREATE DATABASE chat")
            except psycopg.OperationalError as err:
                if self.postgres.exit_code is not None or time.monotonic() > end:
                    raise ChildFailed(self.postgres.obituary()) from err
                time.sleep(0.1)
            else:
                return

    def _prepare(self) -> None:
        command = ["manage.py", "demo", "--prepare", "--port", str(self._ports.site)]
        done = subprocess.run(  # noqa: S603  (our own command)
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ChildFailed(f"The database could not be prepared.\n{done.stdout}")
