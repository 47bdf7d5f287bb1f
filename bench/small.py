"""What needs no stack: the cost of importing us beside Airflow."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator

from bench.measure import Measurement

_SCRIPT = """
import time
import airflow.sdk
from airflow.sdk import BaseOperator, DAG
start = time.perf_counter()
import oneo_operators
print((time.perf_counter() - start) * 1000)
"""


def measure_imports(rounds: int = 5) -> Iterator[Measurement]:
    """Milliseconds that `import oneo_operators` takes after `airflow.sdk`."""
    samples = []
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True)
        samples.append(float(done.stdout.split()[-1]))
    yield Measurement("import oneo_operators after airflow.sdk", statistics.median(samples), 60, " ms")
