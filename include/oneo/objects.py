"""The object store: results too large for rows and XCom, kept as compressed JSON and passed on by reference.

A reference says neither whose it is nor of which execution: both come from whoever reads. So nobody reaches
another tenant's objects, whatever reference he makes up.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import zlib
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from oneo.database import to_json
from oneo.errors import InfrastructureError
from oneo.settings import settings

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

REFERENCE: Final = "$object"
"""The key of a reference that names the object."""

_NAME = re.compile(r"[\w-]+(\[\d+\])*/[0-9a-f]{64}")
# Of a large result, people see the first entries of each list and the beginning of each text.
_SHOWN_ITEMS, _SHOWN_CHARACTERS, _SHOWN_DEPTH = 3, 200, 4


def keep(tenant_id: str, execution_id: UUID, place: str, value: Any) -> dict[str, Any] | None:
    """Keep a value where it is large; the same value at the same place is the same object.

    Args:
        tenant_id: Whose it is.
        execution_id: It goes when the execution goes.
        place: The node, with its loop index.
        value: What JSON knows.

    Returns:
        The reference; None where the value is small and nothing was kept.
    """
    content = to_json(value).encode()
    if len(content) <= settings().inline_bytes:
        return None
    digest = hashlib.sha256(content).hexdigest()
    name = f"{place}/{digest}"
    files, folder = _store()
    path = f"{folder}/{tenant_id}/{execution_id}/{name}.json.gz"
    if not files.exists(path):
        _write(files, path, gzip.compress(content, compresslevel=1, mtime=0))
    return {REFERENCE: name, "size": len(content), "sha256": digest}


def read(tenant_id: str, execution_id: UUID, reference: dict[str, Any]) -> Any:
    """The value of a reference.

    Raises:
        InfrastructureError: The object is gone, or is not what was kept.
    """
    name = str(reference.get(REFERENCE))
    where = f"object {name!r} of execution {execution_id}"
    if not _NAME.fullmatch(name):
        raise InfrastructureError(f"{where}: no name of an object", hint="somebody has changed the reference")
    files, folder = _store()
    try:
        content = gzip.decompress(files.cat_file(f"{folder}/{tenant_id}/{execution_id}/{name}.json.gz"))
    except (OSError, EOFError, zlib.error) as error:
        raise InfrastructureError(
            f"{where} cannot be read: {type(error).__name__}",
            hint="ONEO_OBJECTS_URL must name the same store in every process; or the object was erased",
        ) from error
    if not name.endswith(hashlib.sha256(content).hexdigest()):
        raise InfrastructureError(f"{where} is not what was kept", hint="bring it back from a backup")
    return json.loads(content)


def found(tenant_id: str, execution_id: UUID, reference: dict[str, Any]) -> Any:
    """The value of a reference; None where the object was erased.

    Raises:
        InfrastructureError: The store does not answer, or the object is not what was kept.
    """
    try:
        return read(tenant_id, execution_id, reference)
    except InfrastructureError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def count(tenant_id: str, execution_id: UUID) -> int:
    """How many objects an execution has."""
    files, folder = _store()
    path = f"{folder}/{tenant_id}/{execution_id}"
    return len(files.find(path)) if files.exists(path) else 0


def size(tenant_id: str) -> int:
    """How many bytes the objects of a tenant take, compressed as they are."""
    files, folder = _store()
    path = f"{folder}/{tenant_id}"
    return sum(one["size"] for one in files.find(path, detail=True).values()) if files.exists(path) else 0


def remove(tenant_id: str, execution_id: UUID | None = None) -> int:
    """Remove the objects of an execution, or all of a tenant; returns how many there were."""
    files, folder = _store()
    path = f"{folder}/{tenant_id}" if execution_id is None else f"{folder}/{tenant_id}/{execution_id}"
    if not files.exists(path):
        return 0
    count = len(files.find(path))
    files.rm(path, recursive=True)
    return count


def preview(value: Any, depth: int = _SHOWN_DEPTH) -> Any:
    """The beginning of a value, for people."""
    if isinstance(value, str):
        return value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}…"
    if not isinstance(value, dict | list) or not value:
        return value
    if depth == 0:
        return "…"
    if isinstance(value, list):
        shown = [preview(one, depth - 1) for one in value[:_SHOWN_ITEMS]]
        more = len(value) - len(shown)
        return [*shown, f"… and {more:,} more"] if more else shown
    most = _SHOWN_ITEMS * 10
    found = {key[:_SHOWN_CHARACTERS]: preview(one, depth - 1) for key, one in islice(value.items(), most)}
    return {**found, "…": f"and {len(value) - most:,} more"} if len(value) > most else found


def shortened(value: Any) -> Any:
    """A value that is only looked at: whole where it is small, else its beginning."""
    return preview(value) if len(to_json(value)) > settings().inline_bytes else value


def _store() -> tuple[AbstractFileSystem, str]:
    from fsspec.core import url_to_fs  # noqa: PLC0415 - only where something is large

    files, folder = url_to_fs(settings().objects_url or str(settings().home / "objects"))
    return files, str(folder).rstrip("/")


def _write(files: AbstractFileSystem, path: str, content: bytes) -> None:
    from fsspec.implementations.local import LocalFileSystem  # noqa: PLC0415 - as above

    if not isinstance(files, LocalFileSystem):
        files.pipe_file(path, content)
        return
    folder = Path(path).parent
    # The tenants' folder is nobody else's business on this machine.
    folder.parents[2].mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(f"{path}.{uuid4().hex}")
    with draft.open("wb") as stream:
        stream.write(content)
        stream.flush()
        # The row that refers to it waits for the disk, too.
        os.fsync(stream.fileno())
    draft.replace(path)
