"""Files people share: upload slots, bytes, and URLs that open one file for a while. In memory only.

A URL's secret is worth nothing but that one file. What the URLs answer, and in whose wire shape
(S3's), is the business of ``bucket``.
"""

import secrets
from dataclasses import dataclass

from chatproxy.sandbox.clock import Clock
from chatproxy.sandbox.contacts import new_id
from chatproxy.sandbox.options import Options


@dataclass(eq=False)
class StoredFile:
    """One attachment of one chat; ``data`` is None until uploaded."""

    attachment_id: str
    initial_contact_id: str
    owner_id: str
    name: str
    content_type: str
    size_bytes: int
    data: bytes | None = None
    is_completed: bool = False


@dataclass(eq=False)
class SignedUrl:
    """Permission to do one thing (PUT or GET) with one file until ``expires_at``."""

    method: str
    file: StoredFile
    expires_at: float
    disposition: str = "attachment"


class Files:
    """Attachments by id, signed URLs by secret."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self.base_url = "http://127.0.0.1:8001"
        self._files: dict[str, StoredFile] = {}
        self._urls: dict[str, SignedUrl] = {}

    def reserve(
        self, initial_contact_id: str, owner_id: str, name: str, content_type: str, size_bytes: int
    ) -> StoredFile:
        """Make room for a file that is going to be uploaded."""
        file = StoredFile(new_id(), initial_contact_id, owner_id, name, content_type, size_bytes)
        self._files[file.attachment_id] = file
        return file

    def add(self, initial_contact_id: str, name: str, content_type: str, data: bytes) -> str:
        """Store a file that did not come over the API; returns its attachment id."""
        file = self.reserve(initial_contact_id, "", name, content_type, len(data))
        file.data, file.is_completed = data, True
        return file.attachment_id

    def get(self, attachment_id: str) -> StoredFile | None:
        return self._files.get(attachment_id)

    def completed(self, attachment_id: str) -> StoredFile:
        """The file, marked as shared.

        Raises:
            KeyError: unknown, or nothing was uploaded.
        """
        file = self._files[attachment_id]
        if file.data is None:
            raise KeyError(attachment_id)
        file.is_completed = True
        return file

    def sign(
        self, method: str, file: StoredFile, lifetime_s: float, disposition: str = "attachment"
    ) -> tuple[str, float]:
        """A URL for one file and one method, and when it expires."""
        secret = secrets.token_urlsafe(48)
        expires_at = self._clock.now() + lifetime_s
        self._urls[secret] = SignedUrl(method, file, expires_at, disposition)
        url = (
            f"{self.base_url}/attachments/{file.attachment_id}"
            f"?X-Amz-Expires={int(lifetime_s)}&X-Amz-Signature={secret}"
        )
        return url, expires_at

    def permission(self, secret: str) -> SignedUrl | None:
        return self._urls.get(secret)

    def is_expired(self, url: SignedUrl) -> bool:
        return self._clock.now() >= url.expires_at

    def expire(self, method: str) -> int:
        """End the life of every signed URL for ``method`` now."""
        now = self._clock.now()
        matching = [each for each in self._urls.values() if each.method == method]
        for url in matching:
            url.expires_at = min(url.expires_at, now)
        return len(matching)

    def forget(self, initial_contact_id: str) -> None:
        """Drop the files of a chat that is long over."""
        self._files = {
            key: each
            for key, each in self._files.items()
            if each.initial_contact_id != initial_contact_id
        }
        self._urls = {key: each for key, each in self._urls.items() if each.file in self}

    def __contains__(self, file: StoredFile) -> bool:
        return file.attachment_id in self._files

    def clear(self) -> None:
        self._files.clear()
        self._urls.clear()
