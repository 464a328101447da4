"""The bucket behind attachment URLs: ``PUT`` and ``GET`` on signed URLs, errors in S3's XML.

What was signed is method, file, time, content type and length. The length is compared with the
body that arrived, since browsers drop a hand-set Content-Length and send their own.
"""

import hashlib
from urllib.parse import quote
from uuid import uuid4
from xml.sax.saxutils import escape

from chatproxy.sandbox.storage import Files, SignedUrl
from chatproxy.sandbox.web import Answer, Request

PATH = "/attachments/"
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "PUT, GET",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Expose-Headers": "ETag, Content-Disposition",
}


def answer(files: Files, request: Request) -> Answer:
    """Answer one request to a signed URL."""
    if request.method == "OPTIONS":
        return Answer(200, dict(_CORS))
    url = files.permission(request.query.get("X-Amz-Signature", ""))
    if url is None:
        return _error(403, "AccessDenied", "Access Denied")
    if request.method != url.method or not request.path.endswith(url.file.attachment_id):
        return _mismatch()
    if files.is_expired(url):
        return _error(403, "AccessDenied", "Request has expired")
    return _stored(url, request) if url.method == "PUT" else _fetched(url)


def _stored(url: SignedUrl, request: Request) -> Answer:
    file = url.file
    if file.is_completed:
        return _error(403, "AccessDenied", "Access Denied")
    if request.headers.get("content-type") != file.content_type:
        return _mismatch()
    if len(request.body) != file.size_bytes:
        return _mismatch()
    file.data = request.body
    digest = hashlib.md5(request.body, usedforsecurity=False).hexdigest()
    return Answer(200, _CORS | {"ETag": f'"{digest}"'})


def _fetched(url: SignedUrl) -> Answer:
    if url.file.data is None:
        return _error(404, "NoSuchKey", "The specified key does not exist.")
    disposition = f"{url.disposition.lower()}; filename*=UTF-8''{quote(url.file.name)}"
    headers = {"Content-Type": url.file.content_type, "Content-Disposition": disposition}
    return Answer(200, _CORS | headers, url.file.data)


def _mismatch() -> Answer:
    return _error(
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided.",
    )


def _error(status: int, code: str, message: str) -> Answer:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message>"
        f"<RequestId>{uuid4().hex[:16].upper()}</RequestId></Error>"
    )
    return Answer(status, _CORS | {"Content-Type": "application/xml"}, body.encode())
