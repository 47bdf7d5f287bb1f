"""What comes in with a form: the inputs of a page, or JSON of a program."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from oneo.forms.answers import Upload
from oneo.forms.spec import OWN_PREFIX, FormSpec
from oneo_app.http.bodies import read_raw
from oneo_app.http.refusals import RequestRefusedError
from oneo_app.http.strict_json import check_text, loads

STATE, TRAP = f"{OWN_PREFIX}state", f"{OWN_PREFIX}website"
# Of everything but files, in bytes.
_MAX_TEXTS = 262_144
_MAX_BODY = 50_000_000


@dataclass(frozen=True)
class Inputs:
    """What a page sends.

    Attributes:
        texts: By field.
        uploads: Files by field.
        state: See `oneo.forms.states`.
        trap: An input that people do not see.
    """

    texts: Mapping[str, Sequence[str]]
    uploads: Mapping[str, Sequence[Upload]] = field(default_factory=dict)
    state: str = ""
    trap: str = ""


def is_json(request: Request) -> bool:
    """Whether a program asks, which is answered in JSON."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


async def read_inputs(request: Request, spec: FormSpec) -> Inputs:
    """The inputs of a page.

    Raises:
        RequestRefusedError: 413 for too much, 400 for what cannot be read, 415 for another type.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("multipart/form-data", "application/x-www-form-urlencoded"):
        raise RequestRefusedError(
            415, "this is no form", "send multipart/form-data or application/json", code="content_type"
        )
    raw = await read_raw(request, _limit(spec))
    parsed = await _parsed(request.headers, raw, kind, len(spec.fields))
    texts: dict[str, list[str]] = {}
    uploads: dict[str, list[Upload]] = {}
    try:
        for name, value in parsed.multi_items():
            if isinstance(value, UploadFile):
                upload = Upload(check_text(value.filename or ""), await value.read())
                uploads.setdefault(check_text(name), []).append(upload)
            else:
                texts.setdefault(check_text(name), []).append(check_text(value))
    except ValueError as error:
        raise RequestRefusedError(400, f"the form cannot be kept: {error}", code="payload") from None
    finally:
        await parsed.close()
    return Inputs(texts, uploads, _last(texts, STATE), _last(texts, TRAP))


async def read_values(request: Request, spec: FormSpec) -> tuple[dict[str, Any], dict[str, list[Upload]]]:
    """The values and files of a program's JSON: an object of fields, files as `{"name", "content"}` in Base64.

    Raises:
        RequestRefusedError: 413 for too much, 400 for what cannot be read.
    """
    raw = await read_raw(request, _limit(spec) * 4 // 3)
    try:
        value = loads(raw.decode("utf-8"))
        if not isinstance(value, dict):
            raise ValueError("an object of fields is expected")
        files = {
            name: _uploads(value.pop(name))
            for name, one in spec.fields.items()
            if one.is_file and name in value
        }
    except ValueError as error:
        raise RequestRefusedError(
            400, f"the body is not valid JSON: {str(error)[:200]}", code="payload"
        ) from None
    return value, files


async def _parsed(headers: Headers, raw: bytes, kind: str, fields: int) -> FormData:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield raw
        if kind != "multipart/form-data":
            yield b""

    most = 100 * (fields + 2)
    try:
        if kind == "multipart/form-data":
            parser = MultiPartParser(
                headers, stream(), max_files=100, max_fields=most, max_part_size=_MAX_TEXTS
            )
            return await parser.parse()
        return await FormParser(headers, stream(), max_fields=most, max_part_size=_MAX_TEXTS).parse()
    except (MultiPartException, KeyError, ValueError, UnicodeError) as error:
        reason = error.message if isinstance(error, MultiPartException) else "it is broken"
        raise RequestRefusedError(400, f"the form cannot be read: {reason[:200]}", code="payload") from None


def _limit(spec: FormSpec) -> int:
    files = sum(one.most * spec.look(name).max_bytes for name, one in spec.fields.items() if one.is_file)
    return min(_MAX_TEXTS + files, _MAX_BODY)


def _last(texts: Mapping[str, Sequence[str]], name: str) -> str:
    return texts.get(name, ("",))[-1]


def _uploads(value: Any) -> list[Upload]:
    found = []
    for one in value if isinstance(value, list) else [value]:
        name, content = (one.get("name"), one.get("content")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(content, str):
            raise ValueError('a file is {"name": …, "content": … in Base64}')
        try:
            found.append(Upload(name, base64.b64decode(content, validate=True)))
        except binascii.Error:
            raise ValueError("the content of a file is no Base64") from None
    return found
