"""A whole chat, with each of the clients people bring: boto3, the aws cli, plain HTTP."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.contract.ground import ENDED, JOINED, LEFT, REGION, TYPING, Ground

# The script pip installs fails where the path of the environment holds a space.
AWS = [sys.executable, "-m", "awscli"]


def test_boto3_goes_through_a_whole_chat(ground: Ground) -> None:
    chat = ground.start(initial_message="I need help")
    boto = ground.boto()
    made = boto.create_participant_connection(
        Type=["WEBSOCKET", "CONNECTION_CREDENTIALS"],
        ParticipantToken=chat.started.participant_token,
    )
    token = made["ConnectionCredentials"]["ConnectionToken"]
    chat.token = token
    ear = chat.listen(made["Websocket"]["Url"])
    sent = boto.send_message(
        ContentType="text/plain", Content="Hello — is anybody there? 🙂", ConnectionToken=token
    )
    echo = ear.item(Id=sent["Id"])
    assert echo["Content"] == "Hello — is anybody there? 🙂"
    assert echo["AbsoluteTime"] == sent["AbsoluteTime"]
    assert boto.send_event(ContentType=TYPING, ConnectionToken=token)["Id"]
    chat.say("Yes, I am", role="AGENT")
    assert ear.item(Content="Yes, I am")["ParticipantRole"] == "AGENT"
    page = boto.get_transcript(ConnectionToken=token, SortOrder="ASCENDING", StartPosition={})
    said = [each["Content"] for each in page["Transcript"] if each["Type"] == "MESSAGE"]
    assert said == ["I need help", "Hello — is anybody there? 🙂", "Yes, I am"]
    boto.disconnect_participant(ConnectionToken=token)
    ear.item(ContentType=LEFT, ParticipantRole="CUSTOMER")
    ear.item(ContentType=ENDED)
    with pytest.raises(boto.exceptions.AccessDeniedException):
        boto.send_message(ContentType="text/plain", Content="Wait!", ConnectionToken=token)


def test_plain_http_goes_through_a_whole_chat(ground: Ground) -> None:
    chat = ground.live(display_name="Jane")
    assert chat.ear.item(ContentType=JOINED)["DisplayName"] == "Jane"
    sent = chat.send("Hello")
    assert chat.ear.item(Id=sent["Id"])["Content"] == "Hello"
    chat.done("disconnect", {})
    chat.ear.item(ContentType=ENDED)
    assert chat.ear.closed() == 1000


def test_a_chat_works_for_who_never_listens(ground: Ground) -> None:
    chat = ground.start()
    chat.connect()
    chat.send("Anybody?")
    chat.say("Here")
    said = [each["Content"] for each in chat.entries() if each["Type"] == "MESSAGE"]
    assert said == ["Anybody?", "Here"]


def test_aws_cli_goes_through_a_whole_chat(ground: Ground, tmp_path: Path) -> None:
    chat = ground.start()

    def aws(operation: str, *arguments: str) -> Any:
        done = _aws(ground.url, tmp_path, operation, *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    made = aws(
        "create-participant-connection",
        *("--type", "WEBSOCKET", "CONNECTION_CREDENTIALS"),
        *("--participant-token", chat.started.participant_token),
    )
    token = ("--connection-token", made["ConnectionCredentials"]["ConnectionToken"])
    ear = chat.listen(made["Websocket"]["Url"])
    sent = aws("send-message", *token, "--content-type", "text/plain", "--content", "Hello")
    assert ear.item(Id=sent["Id"])["Content"] == "Hello"
    page = aws("get-transcript", *token, "--sort-order", "ASCENDING")
    assert page["Transcript"][-1]["Id"] == sent["Id"]
    refused = _aws(
        ground.url, tmp_path, "send-message", *token, "--content-type", "text/x", "--content", "x"
    )
    assert refused.returncode != 0
    assert "ValidationException" in refused.stderr
    aws("disconnect-participant", *token)
    ear.item(ContentType=ENDED)


def _aws(url: str, home: Path, operation: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*AWS, "connectparticipant", operation, "--no-sign-request", "--output", "json"]
    return subprocess.run(
        [*command, "--endpoint-url", url, "--region", REGION, *arguments],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "AWS_MAX_ATTEMPTS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
