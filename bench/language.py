"""What the language costs without Airflow: an expression, a compile, a round of a loop."""

from __future__ import annotations

import statistics
import tempfile
import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jinja2.sandbox import SandboxedEnvironment

from bench.measure import Measurement
from dag_factory.examine import plan_of
from oneo.database import Database, migrate
from oneo.expressions import Scope, compile_template
from oneo.store import tenants
from oneo_app.runs import run_here
from oneo_app.stack import embedded_postgres
from oneo_operators.catalogue import catalogue

TENANT = "bench"
SOURCE = "{{ record.name }}"
ITEMS = 10_000


def measure_language(say: Callable[[str], None]) -> Iterator[Measurement]:
    """Expressions, the compiler and loops."""
    say("expressions, a definition of 200 nodes, a loop of 10,000 rounds")
    yield from _expression()
    yield _compile()
    with store() as database:
        yield _loop(database)


def _expression() -> Iterator[Measurement]:
    names = {"record": {"name": "Ann"}}
    scope, ours = Scope(names), compile_template(SOURCE)
    theirs = SandboxedEnvironment().from_string(SOURCE)
    # In turn, and the best of each: what else the machine does only ever adds.
    pairs = [(_micros(lambda: ours.evaluate(scope)), _micros(lambda: theirs.render(names))) for _ in range(7)]
    mine, jinja = (min(times) for times in zip(*pairs, strict=True))
    yield Measurement(f"{SOURCE}, compiled", mine, 3, " µs")
    yield Measurement(f"{SOURCE} / the same in Jinja2's sandbox", mine / jinja, 0.2, detail=f"{jinja:.2f} µs")


def _micros(work: Callable[[], Any], number: int = 20_000) -> float:
    return timeit.timeit(work, number=number) / number * 1e6


def _compile() -> Measurement:
    document = _long(200)
    plan_of(document, catalogue())
    times = [timeit.timeit(lambda: plan_of(document, catalogue()), number=1) * 1000 for _ in range(9)]
    return Measurement("check and compile 200 nodes", statistics.median(times), 100, " ms")


def _long(count: int) -> dict[str, Any]:
    """A definition of many nodes: a chain with a branch at every tenth, each node reading the one before."""
    nodes: list[dict[str, Any]] = [{"id": "start", "type": "trigger_manual"}]
    edges = []
    for number in range(1, count):
        node = {
            "id": f"n{number}",
            "type": "set_variable",
            "config": {"variables": {f"v{number}": "{{ now }}"}},
        }
        if number % 10 == 0:
            ways = [
                {"if": "{{ trigger.n }} > 1", "label": "many"},
                {"else": f"n{number + 1}", "label": "few"},
            ]
            node |= {"type": "condition", "config": {"conditions": ways[:1] + ways[1:]}}
            node["config"]["conditions"][0]["then"] = f"n{number + 1}"
        elif number > 1:
            node["config"]["variables"]["before"] = f"{{{{ nodes.n{number - 1} }}}}"
        nodes.append(node)
        edges.append({"source": nodes[-2]["id"], "target": node["id"]})
    nodes[-1] = {"id": f"n{count - 1}", "type": "set_variable", "config": {"variables": {"last": 1}}}
    return {"id": "long", "name": "Long", "nodes": nodes, "edges": edges}


def _loop(database: Database) -> Measurement:
    def looping(rounds: int) -> dict[str, Any]:
        return {
            "id": "each",
            "name": "Each",
            "nodes": [
                {"id": "start", "type": "trigger_manual"},
                {"id": "each", "type": "for_each", "config": {"items_source": rounds}},
                {"id": "work", "type": "set_variable", "config": {"variables": {"seen": "{{ item }}"}}},
            ],
            "edges": [
                {"source": "start", "target": "each"},
                {"source": "each", "target": "work", "loop": True},
                {"source": "work", "target": "each", "loop_back": True},
            ],
        }

    run_here(database, TENANT, looping(100), {})
    start = time.perf_counter()
    report = run_here(database, TENANT, looping(ITEMS), {})
    took = time.perf_counter() - start
    if report["status"] != "success":
        raise RuntimeError(f"the loop ended as {report['status']}: {report['error']}")
    return Measurement(f"for_each of {ITEMS:,} items, per item", took / ITEMS * 1000, 1, " ms")


@contextmanager
def store() -> Iterator[Database]:
    """A store of its own, with one tenant."""
    with tempfile.TemporaryDirectory() as home, embedded_postgres(Path(home) / "db") as urls:
        migrate(urls.oneo_owner)
        database = Database(urls.oneo)
        with database.system() as session:
            tenants.ensure(session, TENANT)
        try:
            yield database
        finally:
            database.dispose()
