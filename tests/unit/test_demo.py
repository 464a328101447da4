"""The demo's settings and refusals; that it runs is proved in ``flow/test_demo_command.py``."""

import socket
from pathlib import Path

import pytest

from chatproxy.demo import DemoRefused, check_ports, environment
from tests.processes import free_port


def test_settings_already_in_the_environment_win(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgres://elsewhere", "PATH": "/bin"}
    settings = environment(8000, 8001, given, var=tmp_path)
    assert settings["DATABASE_URL"] == "postgres://elsewhere"
    assert settings["PATH"] == "/bin"
    assert settings["CHAT_DEMO"] == "1"


def test_a_setting_given_as_a_file_is_not_given_twice(tmp_path: Path) -> None:
    settings = environment(8000, 8001, {"CHAT_SECRET_KEY_FILE": "/run/key"}, var=tmp_path)
    assert "CHAT_SECRET_KEY" not in settings


def test_every_address_follows_the_ports(tmp_path: Path) -> None:
    settings = environment(9100, 9200, {}, var=tmp_path)
    assert settings["CHAT_PUBLIC_URL"] == "http://127.0.0.1:9100"
    assert settings["CONNECT_ENDPOINT_URL"] == "http://127.0.0.1:9200"
    assert settings["CONNECT_PARTICIPANT_ENDPOINT_URL"] == "http://127.0.0.1:9200"
    assert settings["CONNECT_WEBSOCKET_HOSTS"] == "127.0.0.1:9200"


def test_a_web_proxy_is_not_asked_for_the_sandbox(tmp_path: Path) -> None:
    settings = environment(8000, 8001, {"NO_PROXY": "intranet"}, var=tmp_path)
    assert settings["no_proxy"] == settings["NO_PROXY"] == "intranet,127.0.0.1"


def test_keys_are_kept_so_that_a_chat_outlives_a_restart(tmp_path: Path) -> None:
    first = environment(8000, 8001, {}, var=tmp_path)
    second = environment(8000, 8001, {}, var=tmp_path)
    assert first["CHAT_VAULT_KEYS"] == second["CHAT_VAULT_KEYS"]
    assert first["CHAT_SECRET_KEY"] == second["CHAT_SECRET_KEY"]


def test_keys_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    environment(8000, 8001, {}, var=tmp_path)
    assert {file.stat().st_mode & 0o077 for file in tmp_path.iterdir()} == {0}


def test_a_taken_port_is_told_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DemoRefused, match=rf"Port {port}, .* the proxy.*make run PORT="):
            check_ports(port, free_port())
        with pytest.raises(DemoRefused, match=rf"Port {port}, .* the sandbox.*SANDBOX_PORT="):
            check_ports(free_port(), port)


def test_the_port_of_the_one_that_runs_already_may_be_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        check_ports(port, free_port(), "sandbox")
        check_ports(free_port(), port, "proxy")
        with pytest.raises(DemoRefused, match="the proxy"):
            check_ports(port, free_port(), "proxy")


def test_one_port_for_both_is_refused() -> None:
    with pytest.raises(DemoRefused, match="both 8000"):
        check_ports(8000, 8000)
