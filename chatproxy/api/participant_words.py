"""What the reference says about the Participant Service's operations, in our own words.

Above all what differs from Amazon's; shapes come from the service's model (``service_model.py``).
"""

from __future__ import annotations

from chatproxy.api.reference_words import (
    BODY,
    CLIENT_TOKEN,
    CONNECTION_KEY,
    CONTACT,
    ITEM,
    KEYED,
    LATER,
    NOW,
    OURS,
    PARTICIPANT,
    SESSION,
    UPSTREAM,
    Words,
)
from chatproxy.upstream.vocabulary import Operation

CALL = (*BODY, *KEYED, "chat-ended", *OURS, *UPSTREAM)

PARTICIPANT_OPERATIONS: dict[str, Words] = {
    Operation.CREATE_PARTICIPANT_CONNECTION: Words(
        "CreateParticipantConnection",
        "Get a connection key and a websocket URL",
        "Takes the **session key**; every other operation takes the connection key this one "
        "answers with. The first call starts the contact flow. Call it again whenever a socket "
        "is lost or refused: each call makes a new key and a new URL, and earlier keys stay "
        "good.\n\n"
        "Differs from Amazon's: the URL is on our host and opens one socket, once, within 100 "
        "seconds. Amazon is asked only when the session has no live link; the answer waits at "
        "most three seconds for it and is 200 all the same. `ConnectParticipant` is accepted and "
        "not forwarded. `WEBRTC_CONNECTION` is refused with 400.",
        (*BODY, *KEYED, "chat-ended", *OURS),
        {"Type": ["WEBSOCKET", "CONNECTION_CREDENTIALS"]},
        {
            "Websocket": {
                "Url": f"wss://chat.example.com/ws/chat/{SESSION}?ticket=…",
                "ConnectionExpiry": "2026-11-22T10:41:07.312Z",
            },
            "ConnectionCredentials": {"ConnectionToken": CONNECTION_KEY, "Expiry": LATER},
        },
    ),
    Operation.SEND_MESSAGE: Words(
        "SendMessage",
        "Say something",
        "Repeat a send with the same `ClientToken` until it is answered: it is said once. Make "
        "the token yourself (a UUID), so that a retry after a lost answer is safe. Which content "
        "types a widget allows is in its configuration.",
        CALL,
        {"ContentType": "text/plain", "Content": "Hello", "ClientToken": CLIENT_TOKEN},
        {"Id": ITEM, "AbsoluteTime": NOW},
    ),
    Operation.SEND_EVENT: Words(
        "SendEvent",
        "Typing, delivered, read",
        "Content type is one of `application/vnd.amazonaws.connect.event.` + `typing`, "
        "`message.delivered`, `message.read`. Receipts carry `Content`: a JSON **string** with a "
        "`messageId`.\n\n"
        "Differs from Amazon's: answered at once and sent on when there is room. Of what waits, "
        "the newest of each kind goes; typing is dropped first. So 409 and upstream failures are "
        "never answered.",
        (*BODY, *KEYED, "chat-ended", *OURS),
        {
            "ContentType": "application/vnd.amazonaws.connect.event.message.read",
            "Content": f'{{"messageId":"{ITEM}"}}',
        },
        {"Id": CLIENT_TOKEN, "AbsoluteTime": NOW},
    ),
    Operation.GET_TRANSCRIPT: Words(
        "GetTranscript",
        "A page of what was said",
        "By default the newest ten items, newest first. Page with `NextToken`, repeating the "
        "other members.\n\n"
        "Differs from Amazon's: answered from memory where the proxy has the whole chat, and "
        "`NextToken` is always ours. For a chat that is over, use "
        "`GET /api/v1/session/transcript`.",
        CALL,
        {"MaxResults": 15, "SortOrder": "ASCENDING"},
        {
            "InitialContactId": CONTACT,
            "Transcript": [
                {
                    "Id": ITEM,
                    "Type": "MESSAGE",
                    "ContentType": "text/plain",
                    "Content": "Hello",
                    "AbsoluteTime": NOW,
                    "ParticipantId": PARTICIPANT,
                    "ParticipantRole": "CUSTOMER",
                    "DisplayName": "Ada",
                    "MessageMetadata": {
                        "MessageId": ITEM,
                        "Receipts": [{"RecipientParticipantId": CONTACT, "ReadTimestamp": NOW}],
                    },
                }
            ],
            "NextToken": "…",
        },
    ),
    Operation.DISCONNECT_PARTICIPANT: Words(
        "DisconnectParticipant",
        "Leave the chat",
        "The chat is over when the event `chat.ended` arrives; a flow may still ask for a "
        "survey. `DELETE /api/v1/session` does the same with the session key, and may be "
        "repeated.",
        CALL,
        {"ClientToken": CLIENT_TOKEN},
        {},
    ),
    Operation.START_ATTACHMENT_UPLOAD: Words(
        "StartAttachmentUpload",
        "Ask where to put a file",
        "Then `PUT` the bytes to `UploadMetadata.Url` with exactly the headers in "
        "`HeadersToInclude` and no key, and call CompleteAttachmentUpload. The file goes "
        "straight to Amazon's storage.",
        (*CALL, "quota-exceeded"),
        {
            "AttachmentName": "invoice.pdf",
            "AttachmentSizeInBytes": 48213,
            "ContentType": "application/pdf",
            "ClientToken": CLIENT_TOKEN,
        },
        {
            "AttachmentId": ITEM,
            "UploadMetadata": {
                "Url": "https://…",
                "UrlExpiry": NOW,
                "HeadersToInclude": {"Content-Type": "application/pdf"},
            },
        },
    ),
    Operation.COMPLETE_ATTACHMENT_UPLOAD: Words(
        "CompleteAttachmentUpload",
        "Show an uploaded file to everybody",
        "It appears in the chat as an ATTACHMENT item, `IN_PROGRESS` while it is scanned, then "
        "`APPROVED` or `REJECTED`.",
        (*CALL, "quota-exceeded", "conflict"),
        {"AttachmentIds": [ITEM], "ClientToken": CLIENT_TOKEN},
        {},
    ),
    Operation.GET_ATTACHMENT: Words(
        "GetAttachment",
        "Get an address to download a file from",
        "The address is short-lived: ask when somebody clicks, and do not keep it.",
        CALL,
        {"AttachmentId": ITEM},
        {"Url": "https://…", "UrlExpiry": NOW, "AttachmentSizeInBytes": 48213},
    ),
    Operation.DESCRIBE_VIEW: Words(
        "DescribeView",
        "Read the view behind a ViewToken",
        "`InputSchema` and `Template` are JSON strings. Percent-encode the token.",
        (*KEYED, "chat-ended", "message-refused", "not-found", *OURS, *UPSTREAM),
        None,
        {
            "View": {
                "Id": "form",
                "Name": "Form",
                "Version": 1,
                "Content": {
                    "InputSchema": "{}",
                    "Template": "{}",
                    "Actions": ["Submit", "Cancel"],
                },
            }
        },
    ),
    Operation.GET_AUTHENTICATION_URL: Words(
        "GetAuthenticationUrl",
        "Get the address where the customer signs in",
        "Within a minute of the event `authentication.initiated`, whose content has the "
        "`SessionId`.",
        CALL,
        {"SessionId": SESSION, "RedirectUri": "https://shop.example.com/signed-in"},
        {"AuthenticationUrl": "https://…"},
    ),
    Operation.CANCEL_PARTICIPANT_AUTHENTICATION: Words(
        "CancelParticipantAuthentication",
        "Decline to sign in",
        "The flow goes on along its opted-out branch.",
        CALL,
        {"SessionId": SESSION},
        {},
    ),
}

#: Shape name → what it is. What is plain from its name stays unsaid.
SHAPES: dict[str, str] = {
    "Item": "One entry of the conversation: a message, an event or an attachment.",
    "StartPosition": "Where to begin: at an item, at a moment, or so many items from the end. "
    "Name one of the three.",
    "Receipt": "Who got, or read, a message, and when.",
    "Websocket": "Where to open the browser socket.",
    "ConnectionCredentials": "The connection key, in the field the service has its token in.",
    "UploadMetadata": "Where and how to put the bytes.",
}

#: Member, or ``Shape.Member`` where it differs between shapes → what it means.
MEMBERS: dict[str, str] = {
    "ClientToken": "Idempotency key: repeat it with every retry. SDKs fill it in.",
    "ContentType": "Media type of the content.",
    "SendMessageRequest.ContentType": "`text/plain`, `text/markdown`, `application/json` or "
    "`application/vnd.amazonaws.connect.message.interactive.response`.",
    "SendMessageRequest.Content": "At most 16,384 UTF-8 bytes. A text box should stop at the "
    "widget's `maxLength` characters.",
    "SendEventRequest.ContentType": "`application/vnd.amazonaws.connect.event.typing`, "
    "`…message.delivered` or `…message.read`.",
    "SendEventRequest.Content": 'Receipts only: the JSON string `{"messageId":"…"}`.',
    "AbsoluteTime": "When the service took it (UTC). Sort by it.",
    "Item.Id": "The same for every version of an item: keep the newest.",
    "Item.Content": "Of a message: text, Markdown, or JSON as a string.",
    "Item.ContactId": "The contact it belongs to; differs after a transfer or in a continued chat.",
    "Type": "What is wanted.",
    "Item.Type": "What kind of entry it is.",
    "ConnectParticipant": "Accepted for compatibility; not forwarded.",
    "Url": "Short-lived. Use it at once; do not keep it.",
    "Websocket.Url": "Opens one socket, once, within 100 seconds.",
    "ConnectionExpiry": "When that socket will be closed at the latest; ask for a new URL before.",
    "ConnectionToken": "The connection key: send it in `X-Amz-Bearer`.",
    "Expiry": "When the connection key stops working, about a day ahead.",
    "NextToken": "Where the next page begins. Ours, opaque, good for this session only.",
    "MaxResults": "Items on a page; 10 unless told.",
    "ScanDirection": "Which way to walk from the start position; `BACKWARD` unless told.",
    "SortOrder": "Order within a page; `DESCENDING` (newest first) unless told.",
    "GetTranscriptRequest.ContactId": "Not needed: the key says which chat.",
    "HeadersToInclude": "Send exactly these with the `PUT`.",
    "AttachmentSizeInBytes": "Size of the file in bytes.",
    "UrlExpiryInSeconds": "How long the address shall work.",
    "UrlContentDisposition": "Whether a browser shows the file or saves it.",
    "RedirectUri": "Where the customer returns to after signing in.",
    "SessionId": "From the content of the event `authentication.initiated`.",
    "Receipts": "One for each recipient.",
    "Status": "`IN_PROGRESS` while it is scanned.",
    "InputSchema": "JSON as a string.",
    "Template": "JSON as a string.",
}
