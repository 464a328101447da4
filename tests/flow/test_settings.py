"""A start with settings that are missing or wrong says which, all at once, and how to set them."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chatproxy.child import ROOT
from tests.processes import clean_environment, free_port

WHOLE = {
    "CHAT_PUBLIC_URL": "https://chat.example.com",
    "CHAT_SECRET_KEY": "fifty random characters, or what passes for them here",
    "CHAT_VAULT_KEYS": "dGVzdHMgb25seSB0ZXN0cyBvbmx5IHRlc3RzIG9ubHk=",
    "CONNECT_REGION": "eu-central-1",
    "CONNECT_INSTANCE_ID": "11111111-2222-4333-8444-555555555555",
    "CONNECT_CONTACT_FLOW_ID": "66666666-7777-4888-8999-000000000000",
}
COLLECTED = ROOT / "var" / "static" / "staticfiles.json"
NO_SUCH_DRIVER = "mysql://ada:s3cret@db/chat"
PORT_TOO_LARGE = "https://chat.example.com:99999"


def manage(folder: Path, *command: str, **changed: str) -> tuple[int, str]:
    """Exit code of a management command, and all it printed; an empty value unsets a setting."""
    database = {"DATABASE_URL": f"sqlite:///{folder / 'x.sqlite3'}"}
    given = {**clean_environment(), **WHOLE, **database, **changed}
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={name: value for name, value in given.items() if value},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_whole_set_of_settings_passes(tmp_path: Path) -> None:
    code, said = manage(tmp_path, "check")
    assert code == 0, said


def test_nothing_set_tells_everything_at_once(tmp_path: Path) -> None:
    code, said = manage(tmp_path, "check", **dict.fromkeys(WHOLE, ""))
    assert code == 1
    for name in WHOLE:
        assert name in said
    assert said.count("HINT") >= len(WHOLE)
    assert "Traceback" not in said


def test_values_of_the_wrong_kind_are_named_all_at_once(tmp_path: Path) -> None:
    wrong = {
        "CHAT_RETENTION_DAYS": ("a month", "not a whole number"),
        "CHAT_GOVERNOR": ("perhaps", "not true or false"),
        "CONNECT_READ_TIMEOUT_S": ("long", "not a number"),
        "CONNECT_QUOTAS": ("{20", "not JSON"),
        "DATABASE_URL": ("my database", "not a database URL"),
        "CHAT_SECRET_KEY_FILE": ("/nowhere", "can't be read"),
        "CHAT_LOG_LEVEL": ("LOUD", "WARNING"),
    }
    given = {name: value for name, (value, _) in wrong.items()}
    code, said = manage(tmp_path, "check", **{**given, "CHAT_SECRET_KEY": ""})
    assert code == 1
    assert "Traceback" not in said, said
    for name, (_, says) in wrong.items():
        assert name in said
        assert says in said, said


def test_a_wrong_value_is_not_repeated(tmp_path: Path) -> None:
    _, said = manage(tmp_path, "check", DATABASE_URL="postgres//chat:s3cret@db/chat")
    assert "DATABASE_URL" in said
    assert "s3cret" not in said


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_database_that_is_neither_postgresql_nor_sqlite_is_refused(
    tmp_path: Path, command: str
) -> None:
    code, said = manage(tmp_path, command, DATABASE_URL=NO_SUCH_DRIVER)
    assert code == 1
    assert "postgres://" in said
    assert "sqlite:///" in said
    assert "Traceback" not in said
    assert "s3cret" not in said


@pytest.mark.parametrize("name", ["CHAT_PUBLIC_URL", "CONNECT_ENDPOINT_URL", "REDIS_URL"])
def test_an_address_that_can_t_be_taken_apart_is_named(tmp_path: Path, name: str) -> None:
    for address in (PORT_TOO_LARGE, "https://[chat"):
        code, said = manage(tmp_path, "check", **{name: address})
        assert code == 1
        assert f"{name} can't be used" in said
        assert "Traceback" not in said


def test_a_misspelt_setting_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    strange = {"CHAT_PUBLC_URL": "https://x", "CONNECT_REGON_FILE": "/run/region"}
    kubernetes = {"CHAT_SERVICE_HOST": "10.0.0.1", "CHAT_PORT_80_TCP_ADDR": "10.0.0.1"}
    code, said = manage(tmp_path, "check", **strange, **kubernetes)
    assert code == 0
    assert "CHAT_PUBLC_URL is no setting; did you mean CHAT_PUBLIC_URL?" in said
    assert "did you mean CONNECT_REGION_FILE?" in said
    assert said.count("is no setting") == len(strange)


def test_a_database_without_its_folder_is_found_by_the_check(tmp_path: Path) -> None:
    code, said = manage(tmp_path, "check", DATABASE_URL=f"sqlite:///{tmp_path}/no/x.sqlite3")
    assert code == 1
    assert f"mkdir -p {tmp_path}/no" in said


def serve(folder: Path, **changed: str) -> tuple[int, str]:
    return manage(folder, "serve", "--port", str(free_port()), **changed)


def test_serve_on_a_database_that_is_not_migrated_says_what_to_run(tmp_path: Path) -> None:
    code, said = serve(tmp_path)
    assert code == 1
    assert "run `python manage.py migrate`, then start again" in said
    assert "Traceback" not in said


@pytest.mark.skipif(COLLECTED.exists(), reason="files were collected in this checkout")
def test_serve_says_that_files_are_to_be_collected_in_our_words_alone(tmp_path: Path) -> None:
    assert manage(tmp_path, "migrate", "--verbosity", "0")[0] == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:  # so that it ends when it has loaded all
        code, said = manage(tmp_path, "serve", "--port", str(taken.getsockname()[1]))
    assert code == 2
    assert "python manage.py collectstatic" in said
    assert "UserWarning" not in said


def test_serve_on_a_database_that_can_t_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").mkdir()
    away = f"postgres://chat@127.0.0.1:{free_port()}/chat"
    for database, hint in (
        ({}, "this user may write"),
        ({"DATABASE_URL": away}, "that PostgreSQL runs"),
    ):
        code, said = serve(tmp_path, **database)
        assert code == 1
        assert "The database can't be opened (" in said
        assert hint in said
        assert "Traceback" not in said


def test_serve_refuses_to_start_until_all_is_well(tmp_path: Path) -> None:
    code, said = manage(tmp_path, "serve", "--port", str(free_port()), CONNECT_REGION="")
    assert code == 1
    assert "CONNECT_REGION" in said
    assert "HINT" in said
    assert "Traceback" not in said
