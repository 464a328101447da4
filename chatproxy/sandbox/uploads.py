"""Attachment operations: StartAttachmentUpload, CompleteAttachmentUpload, GetAttachment."""

from chatproxy.sandbox.calls import Call, invalid
from chatproxy.sandbox.clock import as_instant
from chatproxy.sandbox.contacts import Contact, Wire
from chatproxy.sandbox.options import Options
from chatproxy.sandbox.wire import ServiceError
from chatproxy.upstream.vocabulary import (
    ATTACHMENT_MIME_TYPES,
    ATTACHMENT_TYPES,
    AttachmentStatus,
    ContentDisposition,
    ParticipantRole,
)


def start_attachment_upload(call: Call) -> Wire:
    members, options = call.members, call.center.options
    name, content_type = members["AttachmentName"], members["ContentType"]
    size_bytes = members["AttachmentSizeInBytes"]
    check_file(options, call.contact, name, content_type, size_bytes)
    file = call.center.files.reserve(
        call.contact.initial_contact_id,
        call.participant.participant_id,
        name,
        content_type,
        size_bytes,
    )
    url, expires_at = call.center.files.sign("PUT", file, options.upload_url_s)
    return {
        "AttachmentId": file.attachment_id,
        "UploadMetadata": {
            "Url": url,
            "UrlExpiry": as_instant(expires_at),
            "HeadersToInclude": {
                "Content-Type": content_type,
                "Content-Length": str(size_bytes),
            },
        },
    }


def complete_attachment_upload(call: Call) -> Wire:
    attachment_id = call.members["AttachmentIds"][0]
    file = call.center.files.get(attachment_id)
    if file is None or file.owner_id != call.participant.participant_id:
        raise invalid("AttachmentIds holds an unknown attachment")
    if file.is_completed:
        raise ServiceError("ConflictException", "The attachment is already complete")
    if file.data is None:
        raise invalid("The attachment has not been uploaded")
    _check_room(call.center.options, call.contact)
    call.center.post_attachment(call.contact, call.participant, attachment_id)
    return {}


def get_attachment(call: Call) -> Wire:
    if call.participant.role == ParticipantRole.CUSTOM_BOT:
        raise ServiceError("AccessDeniedException", "Access denied")
    attachment_id = call.members["AttachmentId"]
    shared = call.contact.attachment(attachment_id)
    file = call.center.files.get(attachment_id)
    if shared is None or file is None:
        raise invalid("AttachmentId is not an attachment of this chat")
    if shared.status != AttachmentStatus.APPROVED:
        raise invalid(f"The attachment cannot be fetched: {shared.status}")
    lifetime_s = call.members.get("UrlExpiryInSeconds", call.center.options.download_url_s)
    disposition = call.members.get("UrlContentDisposition", ContentDisposition.ATTACHMENT)
    url, expires_at = call.center.files.sign("GET", file, lifetime_s, disposition)
    return {
        "Url": url,
        "UrlExpiry": as_instant(expires_at),
        "AttachmentSizeInBytes": file.size_bytes,
    }


def check_file(
    options: Options, contact: Contact, name: str, content_type: str, size_bytes: int
) -> None:
    """Whether a chat takes this file, whoever sends it: customer or agent.

    Raises:
        ServiceError: it does not; the message is fit to show.
    """
    _check_room(options, contact)
    _check_type(options, name, content_type)
    if size_bytes > options.attachment_max_bytes:
        megabytes = options.attachment_max_bytes / (1024 * 1024)
        raise invalid(f"The attachment is too large; the limit is {megabytes:g} MB")


def _check_room(options: Options, contact: Contact) -> None:
    if not options.attachments_enabled:
        raise invalid("Attachments are not enabled for this instance")
    if contact.attachments_used >= options.attachments_per_chat:
        raise ServiceError(
            "ServiceQuotaExceededException",
            f"A chat may hold no more than {options.attachments_per_chat} attachments",
        )


def _check_type(options: Options, name: str, content_type: str) -> None:
    """The type must be known, and so must the name's extension if it has one."""
    extra = set(options.extra_attachment_types)
    _, dot, extension = name.rpartition(".")
    is_known = content_type in ATTACHMENT_MIME_TYPES or content_type in extra
    if dot and extension.lower() not in ATTACHMENT_TYPES and extension.lower() not in extra:
        is_known = False
    if not is_known:
        raise invalid(f"Files of this type are not supported: {name} ({content_type})")
