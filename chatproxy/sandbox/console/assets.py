"""The console's own scripts, styles and pictures; a handful of small files, so no collecting."""

from hashlib import sha256
from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseNotModified

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}


async def asset(request: HttpRequest, name: str) -> HttpResponse:
    """One file of the folder, revalidated on each use so that an upgrade shows at once."""
    file = (_FOLDER / name).resolve()
    content_type = _TYPES.get(file.suffix)
    if content_type is None or not file.is_relative_to(_FOLDER) or not file.is_file():
        return HttpResponseNotFound("No such file.", content_type="text/plain")
    content = file.read_bytes()
    etag = f'"{sha256(content).hexdigest()[:20]}"'
    response = (
        HttpResponseNotModified()
        if request.headers.get("If-None-Match") == etag
        else HttpResponse(content, content_type=content_type)
    )
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache"
    # The sample pictures are shown by chat widgets, on pages of other origins.
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
