"""What log files on this machine keep of the data of executions: of tasks, and of the stack's components."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from oneo.store.address import ERASED, Address
from oneo_app.stack.layout import layout

# Where an entry begins; a stack trace follows in lines of its own.
_ENTRY = re.compile(rb"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", re.MULTILINE)


def remove_logs(runs: Sequence[tuple[str, str]], *, dry_run: bool = False) -> int:
    """Remove the log files of the tasks of runs.

    Args:
        runs: (DAG id, run id) of each.
        dry_run: Only count.

    Returns:
        How many files.
    """
    given = os.environ.get("AIRFLOW__LOGGING__BASE_LOG_FOLDER")
    logs = (Path(given) if given else layout().airflow_home / "logs").resolve()
    count = 0
    for dag_id, run_id in runs:
        of_dag = logs / f"dag_id={dag_id}"
        folder = (of_dag / f"run_id={run_id}").resolve()
        # Whoever starts a run may choose its id.
        if folder.parent != of_dag or not folder.is_dir():
            continue
        count += sum(one.is_file() for one in folder.rglob("*"))
        if not dry_run:
            shutil.rmtree(folder)
    return count


def blank_entries(runs: Sequence[tuple[str, str]], address: Address, *, dry_run: bool = False) -> int:
    """Blank the entries about runs, or that name the address, in the logs of the stack's components.

    The LocalExecutor repeats in the scheduler's log what tasks log.

    Args:
        runs: (DAG id, run id) of each.
        address: The person's.
        dry_run: Only count.

    Returns:
        How many entries.
    """
    names = [*(run_id for _, run_id in runs), quote(address.email)]
    about = re.compile("|".join([*map(re.escape, names), address.pattern]).encode(), re.IGNORECASE)
    return sum(_blank(path, about, dry_run=dry_run) for path in sorted(layout().logs.glob("*.log*")))


def _blank(path: Path, about: re.Pattern[bytes], *, dry_run: bool) -> int:
    count = 0
    # In place, byte by byte: the component that writes the file goes on at its end.
    with path.open("r+b") as file:
        content = file.read()
        starts = [0, *(found.start() for found in _ENTRY.finditer(content) if found.start()), len(content)]
        for start, end in pairwise(starts):
            entry = content[start:end]
            if not about.search(entry):
                continue
            count += 1
            if not dry_run:
                file.seek(start)
                file.write(_blanked(entry))
    return count


def _blanked(entry: bytes) -> bytes:
    """An entry of the same length, of which the moment is left."""
    when = _ENTRY.match(entry)
    kept = (when[0] if when else b"") + b" " + ERASED.encode()
    line, *_ = entry.split(b"\n", 1)
    blank = re.sub(rb"[^\n]", b" ", entry)
    return kept + blank[len(kept) :] if len(line) >= len(kept) else blank
