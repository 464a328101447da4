"""The widget's built files as answers: what pages on other sites load from us.

The loader has one address for ever and a short cache; everything with a hash in its name never
changes, so it is kept a year. Any page may read them (they are public, and ``integrity`` needs
CORS), so the answers are the same for everybody. A file is read and compressed once, and again when
it changes. What lies in the folder is the build's business.
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

CONTENT_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
SHORT_CACHE = "public, max-age=300, stale-while-revalidate=86400"
YEAR_CACHE = "public, max-age=31536000, immutable"
_NAME = re.compile(r"\A[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+\Z")
_HASHED = re.compile(r"\.[0-9a-f]{8,}\.")


@dataclass(frozen=True, slots=True)
class WidgetFile:
    """One file of the build, with its compressed twins; an encoding nobody made is ``None``."""

    name: str
    plain: bytes
    gzipped: bytes
    brotli: bytes | None
    digest: str

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[Path(self.name).suffix]

    @property
    def cache_control(self) -> str:
        return YEAR_CACHE if _HASHED.search(self.name) else SHORT_CACHE

    def encoded_for(self, accepted: frozenset[str]) -> tuple[bytes, str]:
        """The smallest body a client that accepts these encodings can read, and its encoding."""
        if self.brotli is not None and "br" in accepted:
            return self.brotli, "br"
        if "gzip" in accepted and len(self.gzipped) < len(self.plain):
            return self.gzipped, "gzip"
        return self.plain, ""


_known: dict[Path, tuple[tuple[int, int], WidgetFile]] = {}


def widget_file(folder: Path, name: str) -> WidgetFile | None:
    """The file ``name`` directly in ``folder``, if the build put one there under that name."""
    if not _NAME.match(name) or Path(name).suffix not in CONTENT_TYPES:
        return None
    path = folder / name
    try:
        facts = path.stat()
    except OSError:
        return None
    stamp = (facts.st_mtime_ns, facts.st_size)
    found = _known.get(path)
    if found is None or found[0] != stamp:
        if not path.is_file():
            return None
        found = _known[path] = (stamp, _read(path))
    return found[1]


def _read(path: Path) -> WidgetFile:
    plain = path.read_bytes()
    twin = path.with_name(path.name + ".br")
    return WidgetFile(
        name=path.name,
        plain=plain,
        gzipped=gzip.compress(plain, compresslevel=9, mtime=0),
        brotli=twin.read_bytes() if twin.is_file() else None,
        digest=sha256(plain).hexdigest()[:20],
    )


def accepted_encodings(header: str) -> frozenset[str]:
    """What an Accept-Encoding header allows, leaving out what it refuses with ``q=0``."""
    accepted = set()
    for part in header.split(","):
        coding, _, parameters = part.strip().lower().partition(";")
        weight = parameters.strip().removeprefix("q=").strip()
        if weight.strip("0.") or not parameters.strip():
            accepted.add(coding.strip())
    return frozenset(accepted)
