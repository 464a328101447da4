"""PostgreSQL and Redis of our own, on loopback: made in a folder, started, and gone with it.

For `make cluster` and for tests. Debian's programs; where one is missing, the error names the
package. What they keep is as safe as a demo needs: nothing is synced to a disk.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from chatproxy.child import Program

POSTGRES_FOLDERS = "/usr/lib/postgresql/*/bin"
"""Debian keeps all but the clients out of the PATH, by version."""


class ProgramMissing(Exception):
    """A program this needs is not installed; the sentence says how to get it."""


def redis_server(port: int, folder: Path) -> Program:
    """A Redis, not started yet; ``redis://127.0.0.1:<port>/0``. Forgets all when it stops."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {"port": str(port), "bind": "127.0.0.1", "save": "", "appendonly": "no"}
    command = [found("redis-server", "redis-server"), *_as_flags(options)]
    return Program(
        "redis", command, environ=plain_environ(), port=port, log_dir=folder, folder=folder
    )


def postgres_server(port: int, folder: Path) -> Program:
    """A PostgreSQL, not started yet; ``postgres://chat@127.0.0.1:<port>/<database>``, no password.

    Its data is made in ``folder`` the first time. It does not run as root: then it runs as
    ``postgres``, who must be able to reach ``folder``, and is given it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    user = "postgres" if os.geteuid() == 0 else None
    data = folder / "data"
    if not data.exists():
        if user:
            shutil.chown(folder, user, user)
        make = ["-D", str(data), "-U", "chat", "-A", "trust", "-E", "UTF8", "--no-sync"]
        _run([_postgres("initdb"), *make], folder, user)
    options = {
        "fsync": "off",
        "unix_socket_directories": str(folder),
        "listen_addresses": "127.0.0.1",
        "max_connections": "200",
    }
    serve = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    return Program(
        "postgres",
        [_postgres("postgres"), "-D", str(data), "-p", str(port), *serve],
        environ=plain_environ(),
        port=port,
        log_dir=folder,
        folder=folder,
        user=user,
    )


def _run(command: Sequence[str], folder: Path, user: str | None) -> None:
    done = subprocess.run(  # noqa: S603  (Debian's own programs)
        command,
        cwd=folder,
        env=plain_environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed:\n{done.stdout}")


def _postgres(program: str) -> str:
    folders = sorted(map(str, Path("/").glob(POSTGRES_FOLDERS[1:])), reverse=True)
    path = os.pathsep.join([*folders, os.environ.get("PATH", "")])
    # What lies in the PATH may be a link; the program looks for its neighbours where it lies.
    return str(Path(found(program, "postgresql", path)).resolve())


def found(program: str, package: str, path: str | None = None) -> str:
    """Where a program is.

    Raises:
        ProgramMissing: nowhere.
    """
    where = shutil.which(program, path=path)
    if where is None:
        raise ProgramMissing(
            f"There is no '{program}' here. Install it; on Debian: apt-get install {package}"
        )
    return where


def _as_flags(options: dict[str, str]) -> list[str]:
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def plain_environ() -> dict[str, str]:
    """What a program that is not ours needs of our environment."""
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
