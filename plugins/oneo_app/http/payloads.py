"""What a body says: JSON, forms, files and text as plain data."""

from __future__ import annotations

import codecs
import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import Field, File, FormParser, parse_options_header

from oneo_app.http.refusals import RequestRefusedError
from oneo_app.http.strict_json import check_text, loads

MAX_FIELDS = 1000
MAX_FILE_BYTES = 262_144
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
# Encodings of text and nothing else: Python knows many that are compressions or ciphers.
_CHARSETS = {
    "ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "iso8859-1", "iso8859-2", "iso8859-5", "iso8859-7",
    "iso8859-9", "iso8859-15", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "koi8-r", "shift_jis", "euc_jp",
    "iso2022_jp", "gbk", "gb18030", "big5", "euc_kr",
}  # fmt: skip


@dataclass(frozen=True)
class Payload:
    """What a body says.

    Attributes:
        value: The value of JSON, the fields of a form, a text; None for an empty body.
        files: Files of a form: `field`, `name`, `content_type`, `size`, `sha256` and `content` as Base64, which is None
            for a large one.
    """

    value: Any = None
    files: list[dict[str, Any]] = field(default_factory=list)


def parse(body: bytes, content_type: str) -> Payload:
    """Read a body (without its compression).

    Args:
        body: The bytes.
        content_type: The value of the `Content-Type` header; without one, JSON is tried and then text.

    Raises:
        RequestRefusedError: 415 for another type or charset, 400 for what cannot be read or kept.
    """
    name, raw_options = parse_options_header(content_type)
    kind, options = name.decode("latin-1"), {key.decode("latin-1"): one for key, one in raw_options.items()}
    if not body.strip():
        return Payload()
    try:
        if kind == _MULTIPART:
            return _multipart(body, options)
        text, charset = _decoded(body, options)
        if kind == _FORM:
            pairs = parse_qsl(text, True, encoding=charset, errors="strict", max_num_fields=MAX_FIELDS)
            return Payload(_fields(pairs))
        if kind in ("application/json", "text/json") or kind.endswith("+json"):
            return Payload(loads(text))
        if kind.startswith("text/") or kind == "application/xml" or kind.endswith("+xml"):
            return Payload(text)
        if not kind:
            return Payload(_json_or_text(text))
    except (ValueError, FormParserError) as error:
        message = str(error) if isinstance(error, ValueError) else "the form cannot be read"
        raise RequestRefusedError(
            400,
            f"the body is not valid {kind or 'text'}: {message[:200]}",
            code="payload",
            kept="the body cannot be read as what it says it is",
        ) from None
    raise RequestRefusedError(
        415,
        f"bodies of type {kind[:80]!r} are not read",
        "send JSON, a form or text",
        code="content_type",
        kept="bodies of that type are not read",
    )


def _decoded(body: bytes, options: Mapping[str, bytes]) -> tuple[str, str]:
    """The text, and the charset it was written in."""
    asked = options.get("charset", b"utf-8").decode("latin-1").strip()
    try:
        charset = codecs.lookup(asked).name
    except (LookupError, ValueError):
        charset = ""
    if charset not in _CHARSETS:
        raise RequestRefusedError(
            415,
            f"the charset {asked[:40]!r} is not read",
            "send UTF-8",
            code="content_type",
            kept="bodies in that charset are not read",
        )
    try:
        return check_text(body.decode("utf-8-sig" if charset == "utf-8" else charset)), charset
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {error.start + 1} is no {charset}") from None


def _json_or_text(text: str) -> Any:
    if text.lstrip()[:1] in ("{", "["):
        return loads(text)
    return text


def _fields(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Fields of a form; one that comes several times is a list."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if check_text(name) not in found:
            found[name] = check_text(value)
        elif isinstance(found[name], list):
            found[name].append(check_text(value))
        else:
            found[name] = [found[name], check_text(value)]
    return found


def _multipart(body: bytes, options: Mapping[str, bytes]) -> Payload:
    pairs: list[tuple[str, str]] = []
    files: list[dict[str, Any]] = []
    ended: list[bool] = []

    def count() -> None:
        if len(pairs) + len(files) >= MAX_FIELDS:
            raise ValueError(f"it has more than {MAX_FIELDS} fields")

    def on_field(one: Field) -> None:
        count()
        pairs.append(((one.field_name or b"").decode(), (one.value or b"").decode()))

    def on_file(one: File) -> None:
        count()
        files.append(_file(one))
        one.close()

    # Files stay in memory: the body is there already, and within its limit.
    config = {"MAX_MEMORY_FILE_SIZE": len(body) + 1, "UPLOAD_ERROR_ON_BAD_CTE": True}
    parser = FormParser(
        _MULTIPART, on_field, on_file, lambda: ended.append(True), options.get("boundary"), config=config
    )
    parser.write(body)
    parser.finalize()
    if not ended:
        raise ValueError("it ends too early")
    return Payload(_fields(pairs), files)


def _file(one: File) -> dict[str, Any]:
    one.file_object.seek(0)
    content = one.file_object.read()
    return {
        "field": check_text((one.field_name or b"").decode()),
        "name": check_text((one.file_name or b"").decode()),
        "content_type": one.content_type,
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "content": b64encode(content).decode() if len(content) <= MAX_FILE_BYTES else None,
    }
