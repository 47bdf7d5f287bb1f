"""Files that come with mail, and names that are safe to keep."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from dataclasses import dataclass
from uuid import UUID

_MAX_NAME = 120
# Parts of paths, what shells and Windows give a meaning, and what cannot be seen, e.g. a change of direction.
_UNSAFE = re.compile(r'[\\/:*?"<>|]')


@dataclass(frozen=True)
class MailFile:
    """A file that came with a mail."""

    id: UUID
    name: str
    content_type: str
    content: bytes


def safe_name(name: str, content_type: str) -> str:
    """A file's name without anything that leads elsewhere; one for its type where none is left."""
    visible = "".join(one for one in name if unicodedata.category(one)[0] != "C")
    last = re.split(r"[\\/]", visible)[-1]
    found = _UNSAFE.sub("_", last).strip(" .")
    if not found:
        return f"file{mimetypes.guess_extension(content_type) or ''}"
    stem, dot, suffix = found.rpartition(".")
    if len(found) > _MAX_NAME and dot and len(suffix) <= 10:
        return f"{stem[: _MAX_NAME - len(suffix) - 1]}.{suffix}"
    return found[:_MAX_NAME]
