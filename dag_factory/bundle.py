"""The store as a DAG bundle: Airflow sees a folder of shard files, each of which reads its workflows from the store.

The version of the bundle is the store's revision. A shard file names its shard and a revision and nothing else,
so a version needs no copy of any definition, and definitions are never Python code.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.dag_processing.bundles.base import BaseDagBundle, BundleVersion

from oneo.database import database
from oneo.store import revisions, workflows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# Parsing a file locks all its DAG rows and any error in it marks all of them stale: shards stay small.
SHARDS = 40
# A publish is live in about 2 s; one that is not after this time may have been overlooked.
OVERDUE_SECONDS = 3.0

_STUB = '''"""Airflow DAGs of shard {shard}, as the store had them at revision {revision}. Generated; do not edit."""

from oneo_operators.shard import dags

globals().update(dags(shard={shard}, revision={revision}))
'''


def shard_of(dag_id: str) -> int:
    """The shard a DAG lives in, always the same one."""
    return zlib.crc32(dag_id.encode()) % SHARDS


class WorkflowBundle(BaseDagBundle):
    """All active workflows of the store."""

    supports_versioning = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._current: Path = self.base_dir / "current"

    @property
    def path(self) -> Path:
        """The folder with the shard files of this version, or of the newest."""
        versions: Path = self.versions_dir
        return versions / str(int(self.version)) if self.version else self._current

    def initialize(self) -> None:
        """Make the shard files of this bundle's version exist."""
        if not self.version:
            self.refresh()
        elif not self.path.is_dir():
            self._write_version(int(self.version))
        super().initialize()

    def get_current_version(self) -> BundleVersion | None:
        """The revision this bundle stands for."""
        if self.version:
            return BundleVersion(version=self.version)
        return BundleVersion(version=str(self._read_revision()))

    def refresh(self) -> None:
        """Rewrite the shard files of whatever was published or withdrawn since the last look."""
        if self.version:
            return
        with self.lock(), database().system() as session:
            self._current.mkdir(parents=True, exist_ok=True)
            self._catch_up(session)
            self._show_again(workflows.overdue(session, OVERDUE_SECONDS))

    def _catch_up(self, session: Session) -> None:
        known = self._read_revision()
        newest = revisions.current_revision(session)
        removed = revisions.count_until(session, known) < self._read_number(".versions")
        if newest == known and not removed:
            return
        changed = revisions.changed_since(session, known, newest)
        filled = {shard_of(dag_id) for dag_id in revisions.live_dag_ids(session, newest)}
        touched = {shard_of(workflows.dag_id(*pair)) for pair in changed}
        # A store that went back in time is another store: nothing of the old one may stay. Of a tenant that was
        # removed nothing says which shards had its workflows.
        if newest < known or removed:
            touched = set(range(SHARDS))
        for shard in range(SHARDS):
            file = self._file(shard)
            if shard not in filled:
                file.unlink(missing_ok=True)
            elif shard in touched or not file.exists():
                _write(file, _STUB.format(shard=shard, revision=newest))
        _write(self._current / ".versions", str(revisions.count_until(session, newest)))
        # Last: a crash before this line repeats the work.
        _write(self._current / ".revision", str(newest))

    def _show_again(self, dag_ids: list[str]) -> None:
        """Make the files of workflows that should be live by now look changed.

        Airflow compares a file's time with the end of its last parse: a change that came while the file was being
        parsed stays unseen until the next regular parse, which is an hour away.
        """
        for shard in {shard_of(dag_id) for dag_id in dag_ids}:
            file = self._file(shard)
            if file.exists() and time.time() - file.stat().st_mtime > OVERDUE_SECONDS:
                file.touch()

    def _file(self, shard: int) -> Path:
        return self._current / f"shard_{shard:02}.py"

    def _read_revision(self) -> int:
        return self._read_number(".revision")

    def _read_number(self, name: str) -> int:
        try:
            return int((self._current / name).read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def _write_version(self, revision: int) -> None:
        self.versions_dir.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=self.versions_dir, prefix=".draft-"))
        draft.chmod(0o755)
        for shard in range(SHARDS):
            (draft / f"shard_{shard:02}.py").write_text(_STUB.format(shard=shard, revision=revision))
        try:
            draft.rename(self.path)
        except OSError:
            # Another worker was first; both wrote the same.
            shutil.rmtree(draft, ignore_errors=True)


def _write(path: Path, content: str) -> None:
    """Replace a file in one step: a parser never sees half of it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(content)
    draft.replace(path)
