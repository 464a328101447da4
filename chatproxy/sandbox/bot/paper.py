"""A one-page PDF of plain lines, small enough to be written by hand: something real to download."""

from collections.abc import Iterable

_HEADER = b"%PDF-1.4\n"


def one_page_pdf(lines: Iterable[str]) -> bytes:
    """An A4 page with ``lines`` (Latin-1) in a fixed-width font, the first one large."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        _stream(_drawing(lines)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
    ]
    return _assembled(objects)


def _drawing(lines: Iterable[str]) -> bytes:
    commands = ["BT", "72 760 Td", "/F1 20 Tf", "24 TL"]
    for number, line in enumerate(lines):
        if number == 1:
            commands += ["/F1 11 Tf", "16 TL"]
        escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        commands.append(f"({escaped}) Tj T*")
    return "\n".join([*commands, "ET"]).encode("latin-1", "replace")


def _stream(content: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)


def _assembled(objects: list[bytes]) -> bytes:
    """Header, numbered objects, and the table that says at which byte each one starts."""
    document = bytearray(_HEADER)
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(document))
        document += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table_at = len(document)
    document += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        document += b"%010d 00000 n \n" % offset
    document += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    document += b"startxref\n%d\n%%%%EOF\n" % table_at
    return bytes(document)
