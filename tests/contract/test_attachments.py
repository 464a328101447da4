"""Files: reserve, upload, complete, see the frame, fetch; with and without a scanner."""

from typing import Any

import pytest
import requests

from tests.contract.ground import Chat, Ground, Wire, assert_refused, differs

PIXEL = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001")


def reserve(chat: Chat, name: str = "pixel.png", size_bytes: int = len(PIXEL), **more: Any) -> Wire:
    body = {
        "ContentType": "image/png",
        "AttachmentSizeInBytes": size_bytes,
        "AttachmentName": name,
        "ClientToken": f"start {name}",
    }
    return chat.done("start-attachment-upload", body | more)


def put(started: Wire, data: bytes = PIXEL, **headers: str) -> requests.Response:
    metadata = started["UploadMetadata"]
    wanted = {k: v for k, v in metadata["HeadersToInclude"].items() if k != "Content-Length"}
    return requests.put(metadata["Url"], data=data, headers=wanted | headers, timeout=10)


def complete(chat: Chat, attachment_id: str, retry: str = "done") -> requests.Response:
    body = {"AttachmentIds": [attachment_id], "ClientToken": retry}
    return chat.post("complete-attachment-upload", body)


def share(chat: Chat, name: str = "pixel.png", data: bytes = PIXEL) -> str:
    started = reserve(chat, name, len(data))
    assert put(started, data).status_code == 200
    answer = complete(chat, started["AttachmentId"], f"done {name}")
    assert (answer.status_code, answer.json()) == (200, {})
    return str(started["AttachmentId"])


def fetch(chat: Chat, attachment_id: str, **more: Any) -> requests.Response:
    got = chat.done("attachment", {"AttachmentId": attachment_id} | more)
    return requests.get(got["Url"], timeout=10)


def test_a_file_goes_up_is_seen_and_comes_down(ground: Ground) -> None:
    chat = ground.live()
    started = reserve(chat)
    assert set(started["UploadMetadata"]) == {"Url", "UrlExpiry", "HeadersToInclude"}
    assert put(started).status_code == 200
    assert complete(chat, started["AttachmentId"]).json() == {}
    frame = chat.ear.item(Type="ATTACHMENT", ParticipantRole="CUSTOMER")
    assert frame["Attachments"] == [
        {
            "ContentType": "image/png",
            "AttachmentId": started["AttachmentId"],
            "AttachmentName": "pixel.png",
            "Status": "APPROVED",
        }
    ]
    assert "Content" not in frame
    assert "ContentType" not in frame
    entry = chat.entries()[-1]
    assert (entry["Id"], entry["Attachments"]) == (frame["Id"], frame["Attachments"])
    got = chat.done("attachment", {"AttachmentId": started["AttachmentId"]})
    assert got["AttachmentSizeInBytes"] == len(PIXEL)
    down = requests.get(got["Url"], timeout=10)
    assert (down.content, down.headers["Content-Type"]) == (PIXEL, "image/png")


def test_the_agents_file_comes_down_too(ground: Ground) -> None:
    chat = ground.live()
    chat.act("attach", name="plän.txt", text="how to", role="AGENT")
    frame = chat.ear.item(Type="ATTACHMENT")
    answer = fetch(chat, frame["Attachments"][0]["AttachmentId"])
    assert answer.text == "how to"


def test_a_large_file_arrives_whole(ground: Ground) -> None:
    chat = ground.live()
    data = bytes(range(256)) * 4096 * 8
    assert fetch(chat, share(chat, "large.png", data)).content == data


def test_a_scanner_shows_progress_and_then_its_verdict(ground: Ground) -> None:
    chat = ground.live()
    ground.sandbox.change(scanner_s=30)
    good, bad = share(chat, "good.png"), share(chat, "virus.png")
    first = chat.ear.item(Type="ATTACHMENT")
    assert first["Attachments"][0]["Status"] == "IN_PROGRESS"
    assert_refused(chat.post("attachment", {"AttachmentId": good}), 400, "ValidationException")
    ground.sandbox.advance(31)
    verdicts = {
        each["Attachments"][0]["AttachmentId"]: (each["Id"], each["Attachments"][0]["Status"])
        for each in (item for item in chat.ear.settle() if item["Type"] == "ATTACHMENT")
    }
    assert verdicts[good] == (first["Id"], "APPROVED")
    assert verdicts[bad][1] == "REJECTED"
    assert fetch(chat, good).content == PIXEL
    assert_refused(chat.post("attachment", {"AttachmentId": bad}), 400, "ValidationException")
    statuses = [
        each["Attachments"][0]["Status"] for each in chat.entries() if "Attachments" in each
    ]
    assert statuses == ["APPROVED", "REJECTED"]


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("tool.exe", "application/x-msdownload"),
        ("tool.exe", "text/plain"),
        ("page.html", "text/html"),
        ("picture.svg", "image/svg+xml"),
        ("picture.png", "image/svg+xml"),
    ],
)
def test_a_file_of_another_type_is_refused(ground: Ground, name: str, content_type: str) -> None:
    chat = ground.live()
    body = {
        "ContentType": content_type,
        "AttachmentSizeInBytes": 1,
        "AttachmentName": name,
        "ClientToken": "t",
    }
    answer = chat.post("start-attachment-upload", body)
    assert name in assert_refused(answer, 400, "ValidationException")


@pytest.mark.parametrize("name", ["scan", "scan.JPG", "a.b.pdf", "no dot.jfif"])
def test_names_of_known_types_are_taken(ground: Ground, name: str) -> None:
    chat = ground.live()
    reserve(chat, name, 5, ContentType="image/jpeg")


def test_a_file_that_is_too_large_is_refused(ground: Ground) -> None:
    chat = ground.live()
    reserve(chat, "most.png", 20 * 1024 * 1024)
    body = {
        "ContentType": "image/png",
        "AttachmentSizeInBytes": 20 * 1024 * 1024 + 1,
        "AttachmentName": "more.png",
        "ClientToken": "t",
    }
    assert "20 MB" in assert_refused(
        chat.post("start-attachment-upload", body), 400, "ValidationException"
    )


def test_a_chat_holds_35_files(ground: Ground) -> None:
    chat = ground.live()
    ground.sandbox.change(attachments_per_chat=2)
    reserved = reserve(chat, "late.png")
    put(reserved)
    share(chat, "1.png")
    share(chat, "2.png")
    body = {
        "ContentType": "image/png",
        "AttachmentSizeInBytes": 1,
        "AttachmentName": "3.png",
        "ClientToken": "3",
    }
    name = "ServiceQuotaExceededException"
    assert_refused(chat.post("start-attachment-upload", body), 402, name)
    assert_refused(complete(chat, reserved["AttachmentId"]), 402, name)


def test_completing_needs_an_upload(ground: Ground) -> None:
    chat = ground.live()
    started = reserve(chat)
    assert_refused(complete(chat, started["AttachmentId"]), 400, "ValidationException")


def test_completing_twice_conflicts_but_a_retry_does_not(ground: Ground) -> None:
    chat = ground.live()
    started = reserve(chat)
    put(started)
    assert complete(chat, started["AttachmentId"], "one").status_code == 200
    assert complete(chat, started["AttachmentId"], "one").status_code == 200
    answer = complete(chat, started["AttachmentId"], "another")
    assert_refused(answer, 409, "ConflictException")
    frames = [each for each in chat.ear.settle() if each["Type"] == "ATTACHMENT"]
    assert len(frames) == 1


def test_a_retried_start_reserves_once(ground: Ground) -> None:
    chat = ground.live()
    assert reserve(chat)["AttachmentId"] == reserve(chat)["AttachmentId"]


def test_another_chat_cannot_complete_or_fetch_it(ground: Ground) -> None:
    chat, other = ground.live(), ground.live()
    started = reserve(chat)
    put(started)
    assert_refused(complete(other, started["AttachmentId"]), 400, "ValidationException")
    complete(chat, started["AttachmentId"])
    answer = other.post("attachment", {"AttachmentId": started["AttachmentId"]})
    assert_refused(answer, 400, "ValidationException")


@differs("proxy", "the bucket is the service's")
def test_the_bucket_refuses_what_was_not_signed(ground: Ground) -> None:
    chat = ground.live()
    started = reserve(chat)
    url = started["UploadMetadata"]["Url"]
    for answer in (
        put(started, b"shorter"),
        put(started, **{"Content-Type": "text/html"}),
        requests.get(url, timeout=10),
        requests.put(url.replace("X-Amz-Signature=", "X-Amz-Signature=x"), timeout=10),
    ):
        assert answer.status_code == 403
        assert answer.headers["Content-Type"] == "application/xml"
        assert "<Code>" in answer.text
    assert put(started).status_code == 200


@differs("proxy", "the bucket is the service's")
def test_signed_urls_expire(ground: Ground) -> None:
    ground.sandbox.stop_clock()
    chat = ground.live()
    attachment_id = share(chat)
    late = reserve(chat, "late.png")
    short = chat.done("attachment", {"AttachmentId": attachment_id, "UrlExpiryInSeconds": 5})
    ground.sandbox.advance(4)
    assert requests.get(short["Url"], timeout=10).status_code == 200
    ground.sandbox.advance(2)
    gone = requests.get(short["Url"], timeout=10)
    assert gone.status_code == 403
    assert "Request has expired" in gone.text
    ground.sandbox.control("POST", "expire", {"kind": "upload"})
    assert "Request has expired" in put(late).text


@differs("proxy", "the bucket is the service's")
def test_a_page_may_use_the_bucket(ground: Ground) -> None:
    chat = ground.live()
    url = reserve(chat)["UploadMetadata"]["Url"]
    asked = {"Origin": "https://shop.example", "Access-Control-Request-Method": "PUT"}
    preflight = requests.options(url, headers=asked, timeout=10)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "PUT" in preflight.headers["Access-Control-Allow-Methods"]


def test_a_download_says_whether_to_show_or_to_save(ground: Ground) -> None:
    chat = ground.live()
    attachment_id = share(chat, "plän.png")
    saved = fetch(chat, attachment_id)
    assert saved.headers["Content-Disposition"].startswith("attachment;")
    shown = fetch(chat, attachment_id, UrlContentDisposition="INLINE")
    assert shown.headers["Content-Disposition"] == "inline; filename*=UTF-8''pl%C3%A4n.png"


def test_without_the_feature_nothing_goes_up(ground: Ground) -> None:
    chat = ground.live()
    ground.sandbox.change(attachments_enabled=False)
    body = {
        "ContentType": "image/png",
        "AttachmentSizeInBytes": 1,
        "AttachmentName": "a.png",
        "ClientToken": "t",
    }
    answer = chat.post("start-attachment-upload", body)
    assert_refused(answer, 400, "ValidationException")


@differs("proxy", "no custom bots there")
def test_a_custom_bot_may_not_fetch(ground: Ground) -> None:
    chat = ground.live()
    attachment_id = share(chat)
    bot = chat.act("join", role="CUSTOM_BOT", display_name="Robot")
    made = chat.post(
        "connection", {"Type": ["CONNECTION_CREDENTIALS"]}, bot["participant_token"]
    ).json()
    token = made["ConnectionCredentials"]["ConnectionToken"]
    answer = chat.post("attachment", {"AttachmentId": attachment_id}, token)
    assert_refused(answer, 403, "AccessDeniedException")
