"""What the bot asks with is answered through the proxy: a view's form, and a list's pages."""

from __future__ import annotations

import json
from typing import Any

import boto3
import botocore
import botocore.config
import pytest

from tests.flow.client import Tab, Visitor
from tests.processes import RunningDemo

INTERACTIVE = "application/vnd.amazonaws.connect.message.interactive"
Wire = dict[str, Any]


@pytest.fixture
def visitor(demo: RunningDemo) -> Visitor:
    return Visitor(demo.url)


def answer_with_boto3(visitor: Visitor, **response: object) -> None:
    """SendMessage as an SDK makes it, of an interactive response."""
    service = boto3.client(
        "connectparticipant",
        region_name="us-west-2",
        endpoint_url=visitor.url,
        config=botocore.config.Config(signature_version=botocore.UNSIGNED),
    )
    service.send_message(
        ConnectionToken=visitor.connection_key,
        ContentType=f"{INTERACTIVE}.response",
        Content=json.dumps({"version": "1.0", **response}),
    )


def asked(tab: Tab, number: int) -> Wire:
    """The content of the bot's so many-th interactive message."""

    def found() -> list[Wire]:
        return [item for item in tab.items() if item.get("ContentType") == INTERACTIVE]

    tab.wait(lambda _: len(found()) >= number)
    content: Wire = json.loads(found()[number - 1]["Content"])["data"]["content"]
    return content


def test_show_more_brings_the_next_page(visitor: Visitor) -> None:
    tab = visitor.open_tab()
    visitor.send("pages")
    first = asked(tab, 1)
    answer_with_boto3(
        visitor,
        templateType="ListPicker",
        action="SHOW_MORE",
        data={name: first[name] for name in ("nextIndex", "listId", "referenceId")},
    )
    second = asked(tab, 2)
    assert second["referenceId"] == first["referenceId"]
    assert second["subtitle"].startswith(f"{first['nextIndex'] + 1} to ")
    tab.close()


def test_a_form_that_was_filled_in_reaches_the_bot(visitor: Visitor) -> None:
    tab = visitor.open_tab()
    visitor.send("view")
    asked(tab, 1)
    answer_with_boto3(
        visitor,
        templateType="ViewResource",
        action="Submit",
        data={"name": "Ada", "city": "London"},
    )
    tab.wait(lambda _: any("You sent “Submit” with name: Ada" in text for text in tab.texts()))
    tab.close()
