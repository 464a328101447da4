"""nginx in front of several processes, with the files of ``deploy/nginx`` as they are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from chatproxy.child import ROOT, Program
from chatproxy.cluster.servers import found, plain_environ

SHIPPED = ROOT / "deploy" / "nginx"

Routing = Literal["hash", "random"]
#: How a request finds its process: where its session's link is, or anywhere.
METHODS: dict[Routing, str] = {"hash": "hash $chat_key consistent", "random": "random"}

_MAIN = """\
daemon off;
pid {folder}/nginx.pid;
worker_processes 1;
worker_rlimit_nofile 65536;
error_log stderr warn;
{user}
events {{ worker_connections 16384; }}

http {{
    client_body_temp_path {folder}/bodies;
    proxy_temp_path       {folder}/answers;
    fastcgi_temp_path     {folder}/unused;
    uwsgi_temp_path       {folder}/unused;
    scgi_temp_path        {folder}/unused;
    proxy_headers_hash_max_size 1024;

    include {shipped}/chatproxy.conf;
    access_log {folder}/access.log chat;

    upstream chatproxy {{
        {method};
{servers}
        keepalive 64;
    }}

    server {{
        listen 127.0.0.1:{port} backlog=4096;
        include {shipped}/locations.conf;
    }}
}}
"""


def nginx_server(
    port: int, ports: Sequence[int], folder: Path, *, routing: Routing = "hash"
) -> Program:
    """An nginx, not started yet, on loopback, in front of processes at ``ports``."""
    folder.mkdir(parents=True, exist_ok=True)
    servers = [f"        server 127.0.0.1:{one} max_fails=0;" for one in ports]
    settings = folder / "nginx.conf"
    settings.write_text(
        _MAIN.format(
            folder=folder,
            shipped=SHIPPED,
            method=METHODS[routing],
            servers="\n".join(servers),
            port=port,
            # Its workers would be nobody's otherwise, who can't write here.
            user="user root;" if os.geteuid() == 0 else "",
        )
    )
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    command = [found("nginx", "nginx-light", path), "-p", str(folder), "-c", str(settings)]
    return Program(
        "nginx", command, environ=plain_environ(), port=port, log_dir=folder, folder=folder
    )
