"""The type of a file by what stands in it: what its sender calls it says nothing."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile

_MAGIC = (
    ("application/pdf", b"%PDF-"),
    ("image/png", b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", b"\xff\xd8\xff"),
    ("image/gif", b"GIF87a"),
    ("image/gif", b"GIF89a"),
)
_OFFICE = "application/vnd.openxmlformats-officedocument."
_DOCUMENTS = {
    "word/document.xml": f"{_OFFICE}wordprocessingml.document",
    "xl/workbook.xml": f"{_OFFICE}spreadsheetml.sheet",
    "ppt/presentation.xml": f"{_OFFICE}presentationml.presentation",
}
KNOWN_TYPES = (
    *dict.fromkeys(kind for kind, _ in _MAGIC),
    "image/webp",
    "text/plain",
    *_DOCUMENTS.values(),
)
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
# A text that a browser would run is none that we would hand on as one.
_MARKUP = re.compile(r"<\s*(!doctype|html|script|svg|\?xml)", re.IGNORECASE)
_MAX_NAME = 120


def type_of(content: bytes) -> str | None:
    """The type of a file; None where it is none of `KNOWN_TYPES`."""
    for kind, magic in _MAGIC:
        if content.startswith(magic):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith(b"PK\x03\x04"):
        return _document(content)
    return "text/plain" if _is_text(content) else None


def safe_name(given: str) -> str:
    """A file's name without folders, control characters and what turns the direction of reading."""
    name = unicodedata.normalize("NFC", given).replace("\\", "/").rpartition("/")[2]
    name = "".join(one for one in name if unicodedata.category(one)[0] != "C").strip(" .")
    if len(name) > _MAX_NAME:
        stem, dot, ending = name.rpartition(".")
        kept = f"{dot}{ending}" if dot and len(ending) <= 10 else ""
        name = (stem if kept else name)[: _MAX_NAME - len(kept)] + kept
    return name or "file"


def _document(content: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return None
    return next((kind for name, kind in _DOCUMENTS.items() if name in names), None)


def _is_text(content: bytes) -> bool:
    if _NO_TEXT.search(content):
        return False
    try:
        return not _MARKUP.match(content.decode("utf-8-sig").lstrip())
    except UnicodeDecodeError:
        return False
