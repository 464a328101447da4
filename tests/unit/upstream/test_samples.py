"""The wire examples in ``tests/samples`` are read as they say."""

import json
from pathlib import Path
from typing import Any

import pytest

from chatproxy.upstream import shapes
from chatproxy.upstream.answers import error_of
from chatproxy.upstream.topics import ChatFrame, TopicsProtocol
from chatproxy.upstream.transport import Answer
from chatproxy.upstream.versions import newest, version_keys
from chatproxy.upstream.vocabulary import EventType, ItemType, MessageType, Operation

SAMPLES = Path(__file__).parents[2] / "samples"
FRAMES = sorted((SAMPLES / "frames").glob("*.json"))
ANSWERS = sorted((SAMPLES / "answers").glob("*.json"))
OK = [path for path in ANSWERS if json.loads(path.read_text())["status"] == 200]
REFUSALS = [path for path in ANSWERS if path not in OK]


def sample(path: Path) -> Any:
    found = json.loads(path.read_text())
    assert found["source"]
    return found


@pytest.mark.parametrize("path", FRAMES, ids=lambda path: path.stem)
def test_frame_is_read_as_it_says(path: Path) -> None:
    found = sample(path)
    event = TopicsProtocol().receive(found["text"].encode())
    assert type(event).__name__ == found["read_as"]
    if isinstance(event, ChatFrame):
        item = event.item
        assert item.wire == found["item"]
        assert item.type in set(ItemType)
        assert item.content_type in {*EventType, *MessageType, ""}
        assert item.at is not None
        assert len(set(version_keys(item))) == len(version_keys(item)) >= 1
        assert newest(item.wire, item.wire) == item.wire


@pytest.mark.parametrize("path", OK, ids=lambda path: path.stem)
def test_answer_is_read_as_it_says(path: Path) -> None:
    found = sample(path)
    assert found["operation"] in set(Operation)
    read = getattr(shapes, found["read_as"]).parse(found["body"])
    assert "made-up" not in repr(read)


@pytest.mark.parametrize("path", REFUSALS, ids=lambda path: path.stem)
def test_refusal_is_read_as_it_says(path: Path) -> None:
    found = sample(path)
    body = json.dumps(found["body"]).encode()
    error = error_of(found["operation"], Answer(found["status"], found["headers"], body))
    assert type(error).__name__ == found["read_as"]
