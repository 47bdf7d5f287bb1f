"""`python -m bench.records`: importing records on a PostgreSQL of its own, without a stack."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Measurement
from oneo.database import Database, migrate
from oneo.store import pipelines, tenants
from oneo.store.pipelines import PipelineSpec
from oneo_app.stack import embedded_postgres

FEW, MANY = 10_000, 200_000
_TENANT, _PIPELINE = "bench", "people"
_FIELDS = [
    {"id": "name", "required": True},
    {"id": "email", "type": "email"},
    {"id": "phone", "type": "phone"},
    {"id": "score", "type": "number"},
    {"id": "active", "type": "boolean"},
    {"id": "born", "type": "date"},
    {"id": "source", "type": "select", "options": ["web", "phone", "fair"]},
]
_FIRST = ("Anna", "Bernd", "Chloé", "Daniel", "Emma", "Farid", "Greta")
_LAST = (
    "Schmidt",
    "Müller",
    "Weber",
    "O'Brien",
    "Rossi",
    "Nowak",
    "Garcia",
    "Yilmaz",
    "Jansen",
    "Svensson",
    "Kim",
)
# In a process of its own: what one import needs at most is not hidden by the one before.
_SCRIPT = """
import json, sys, time
from pathlib import Path
from oneo.database import Database
from oneo.importing import ImportOptions, Reading, import_file
url, tenant, pipeline, path, events = sys.argv[1:]
options = ImportOptions(Path(path + ".rejects"), Reading(key="ref"), events=events)
start = time.perf_counter()
result = import_file(Database(url), tenant, pipeline, Path(path), options)
seconds = time.perf_counter() - start
# Not ru_maxrss: a process inherits that of the one that started it.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(json.dumps([result.created + result.updated, seconds, int(status["VmHWM"].split()[0])]))
"""


def measure_imports_of_records() -> Iterator[Measurement]:
    """Milliseconds of 1,000 rows, and how time and memory grow with a file twenty times as long."""
    with tempfile.TemporaryDirectory(prefix="oneo-bench-") as folder, embedded_postgres(Path(folder)) as urls:
        migrate(urls.oneo_owner)
        database = Database(urls.oneo)
        with database.system() as session:
            tenants.ensure(session, _TENANT)
        with database.tenant(_TENANT) as session:
            spec = PipelineSpec.model_validate({"id": _PIPELINE, "fields": _FIELDS})
            pipelines.apply(session, _TENANT, spec)
        database.dispose()
        few, firing, many = (
            _people(Path(folder) / f"{name}.csv", rows)
            for name, rows in (("few", FEW), ("firing", FEW), ("many", MANY))
        )
        quick, memory = _import(urls.oneo, few, FEW)
        fired, _ = _import(urls.oneo, firing, FEW, "now")
        seconds, grown = _import(urls.oneo, many, MANY)
        known, _ = _import(urls.oneo, few, FEW)
    yield Measurement(
        "import of 1,000 records, silent",
        seconds / MANY * 1_000_000,
        200,
        " ms",
        f"{MANY / seconds:,.0f} rows per second of {MANY:,}",
    )
    yield Measurement(
        f"memory of importing {MANY:,} records to that of {FEW:,}",
        grown / memory,
        1.2,
        detail=f"{grown / 1024:.0f} MB to {memory / 1024:.0f} MB",
    )
    yield Measurement("import that fires to a silent one", fired / quick, 2)
    yield Measurement(f"import of what is known, among {MANY:,}, to the first one", known / quick, 1.5)


def _import(url: str, path: Path, rows: int, events: str = "silent") -> tuple[float, float]:
    """Seconds and peak memory, in KiB, of importing a file."""
    command = [sys.executable, "-c", _SCRIPT, url, _TENANT, _PIPELINE, str(path), events]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    written, seconds, memory = json.loads(done.stdout)
    assert written == rows, f"{written} of {rows} rows became records"
    return seconds, memory


def _people(path: Path, rows: int) -> Path:
    """Contacts as another system exports them: its key, a name, an address, a phone number and what else there is."""
    with path.open("w", newline="") as file:
        write = csv.writer(file).writerow
        write(["ref", "Name", "Email", "Phone", "Score", "Active", "Born", "Source", "City"])
        for n in range(rows):
            day = f"19{n % 100:02}-{n % 12 + 1:02}-{n % 28 + 1:02}"
            ref = f"{path.stem}-{n}"
            name = f"{_FIRST[n % len(_FIRST)]} {_LAST[n // len(_FIRST) % len(_LAST)]}"
            email = f"person.{n}@example.com"
            phone = f"+49 171 {n:07}"
            source = ("web", "phone", "fair")[n % 3]
            write([ref, name, email, phone, n % 100, "yes", day, source, "Berlin"])
    return path


if __name__ == "__main__":
    for measured in measure_imports_of_records():
        print(f"{measured.name}: {measured.shown}, at most {measured.bound:g}{measured.unit}")
