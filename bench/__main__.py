"""`make bench`: print each measurement with its bound, and exit 1 where one does not hold."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from bench.draining import measure_draining
from bench.filters import measure_filters
from bench.fusion import measure_fusion
from bench.intake import measure_intake
from bench.language import measure_language
from bench.latency import SAMPLES, TENANT, measure_latency
from bench.matching import measure_matching
from bench.measure import Measurement
from bench.reacting import measure_reacting
from bench.records import measure_imports_of_records
from bench.small import measure_imports
from bench.stack import bench_stack

console = Console()


def main() -> None:
    """Measure everything."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    found: list[Measurement] = [
        *measure_imports(),
        *measure_language(console.print),
        *measure_filters(console.print),
        *measure_imports_of_records(),
        *measure_intake(console.print),
        *measure_matching(console.print),
        *measure_draining(console.print),
    ]
    with bench_stack() as stack:
        stack.oneo("pipelines", "apply", str(SAMPLES / "contacts.json"), "--tenant", TENANT)
        found += measure_reacting(stack, console.print)
        found += measure_fusion(stack, rounds, console.print)
        found += measure_latency(stack, rounds, console.print)
    shown = Table("measurement", "value", "bound", "", title="as ratios in one run, unless a unit is given")
    for one in found:
        shown.add_row(
            one.name, one.shown, f"at most {one.bound:g}", "ok" if one.holds else "[red]missed[/red]"
        )
    console.print(shown)
    sys.exit(0 if all(one.holds for one in found) else 1)


if __name__ == "__main__":
    main()
