"""Large results: kept beside the rows, passed on by reference, and out of everybody else's reach."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from dag_factory.binding import Binding
from oneo import objects
from oneo.errors import InfrastructureError
from oneo.settings import settings
from oneo_operators import airflow_task
from oneo_operators.result import NodeResult
from oneo_operators.xcom import pass_on, unwrap
from tests.nodes.bench import COUNT, MAKE, TELL, Bench, workflow

ROWS = [{"id": f"r{number}", "name": f"Record number {number}", "score": number} for number in range(50_000)]


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    """A search that finds 50,000 records, as one of its pages would look."""

    async def run(self: Any, config: Any, context: Any) -> NodeResult:
        return NodeResult({"count": len(ROWS), "records": ROWS}, {"records": ROWS})

    monkeypatch.setattr(bench.catalogue.get("find_records"), "run", run)


FIND = {"id": "find", "type": "find_records", "config": {"pipeline_id": "leads"}}
LAST = {
    "id": "tell",
    "type": "task_notify",
    "config": {
        "recipients": ["eva"],
        "title": "{{ nodes.find.records[49999].name }}",
        "message": "{{ context.records[0].name }}",
    },
}
SIZE = {"id": "size", "type": "set_variable", "config": {"variables": {"n": "{{ nodes.find.count }}"}}}


def files(bench: Bench) -> list[str]:
    folder = settings().home / "objects" / bench.tenant
    return [path.name for path in folder.rglob("*.json.gz")]


def test_the_rows_stay_small_and_those_after_see_all(bench: Bench, many: None) -> None:
    report = bench.run(workflow(FIND, LAST))
    assert report["status"] == "success"
    assert report["nodes"]["tell"]["input"]["title"] == "Record number 49999"
    assert report["nodes"]["tell"]["input"]["message"] == "Record number 0"
    assert report["nodes"]["find"]["output"]["records"] == ROWS
    [row] = [row for row in bench.rows(report["execution"]) if row.node_id == "find"]
    kept = json.dumps([row.output, row.context_updates, row.output_object, row.context_object])
    assert len(kept) < 4000
    assert row.output["count"] == 50_000
    assert row.output["records"][-1] == "… and 49,997 more"


def test_a_task_hands_over_a_reference_and_the_next_resolves_it(
    bench: Bench, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_task, "database", lambda: bench.database)
    state = bench.begin(workflow(FIND, LAST))
    found = bench.attempt(state, "find")
    value = pass_on(found.output, bench.tenant, state.id, "find")
    assert len(json.dumps(value)) < 2000
    assert (value["size"] > 2_000_000, json.loads(value["preview"])["count"]) == (True, 50_000)

    task = SimpleNamespace(xcom_pull=lambda **_: value)
    fresh = SimpleNamespace(outputs={}, tenant_id=bench.tenant, id=state.id)
    binding = Binding(bench.tenant, 1, state.plan, state.plan.by_id["tell"])
    airflow_task._fetch_outputs(task, binding, fresh)  # type: ignore[arg-type]
    assert fresh.outputs["find"]["records"] == ROWS


def test_what_was_kept_is_given_again_to_a_repeated_attempt(bench: Bench, many: None) -> None:
    state = bench.begin(workflow(FIND))
    first, again = bench.attempt(state, "find"), bench.attempt(state, "find")
    assert (again.replayed, again.output, again.context_updates) == (True, first.output, {"records": ROWS})
    # Output and context entries, however often they are kept.
    assert len(files(bench)) == 2


def test_context_kept_beside_is_seen_by_a_later_process(bench: Bench, many: None) -> None:
    state = bench.begin(workflow(FIND, LAST))
    bench.attempt(state, "find")
    state.context.clear()
    attempt = bench.attempt_of(state, "tell")
    state.outputs["find"] = {"records": ROWS}
    outcome = asyncio.run(attempt.run(may_retry=lambda _: False))
    assert outcome.status == "success"


def test_the_executions_output_is_found_whole(bench: Bench, many: None) -> None:
    report = bench.run(workflow(FIND))
    assert report["output"]["records"] == ROWS
    declared = {"rows": {"type": "array", "value": "{{ nodes.find.records }}"}}
    assert bench.run(workflow(FIND, outputs=declared))["output"] == {"rows": ROWS}


def test_a_small_result_needs_no_object(bench: Bench) -> None:
    bench.run(workflow(SIZE | {"config": {"variables": {"n": 1}}}))
    assert files(bench) == []


def test_a_reference_in_data_is_data(bench: Bench, many: None) -> None:
    state = bench.begin(workflow(FIND, MAKE, TELL, COUNT))
    found = bench.attempt(state, "find")
    reference = objects.keep(bench.tenant, state.id, "find", found.output)
    lead = bench.record("leads", trick=reference)
    show = {"id": "show", "type": "set_variable", "config": {"variables": {"x": "{{ record.trick }}"}}}
    report = bench.run(workflow(show), {"record_id": lead})
    assert report["nodes"]["show"]["output"] == {"x": reference}
    value = pass_on({"trick": reference}, bench.tenant, state.id, "show")
    assert unwrap(value, bench.tenant, state.id) == {"trick": reference}
    assert unwrap(pass_on(reference, bench.tenant, state.id, "show"), bench.tenant, state.id) == reference


@pytest.fixture
def theirs(bench: Bench) -> tuple[UUID, dict[str, Any]]:
    execution = uuid4()
    found = objects.keep("theirs", execution, "find", ["omegasecret" * 10_000])
    assert found is not None
    return execution, found


def test_nobody_reads_another_tenants_object(bench: Bench, theirs: tuple[UUID, dict[str, Any]]) -> None:
    execution, reference = theirs
    assert objects.read("theirs", execution, reference) == ["omegasecret" * 10_000]
    with pytest.raises(InfrastructureError, match="cannot be read"):
        objects.read(bench.tenant, execution, reference)
    with pytest.raises(InfrastructureError, match="cannot be read"):
        objects.read("theirs", uuid4(), reference)
    for name in (f"../../theirs/{execution}/{reference['$object']}", f"/{reference['$object']}", "", "x"):
        with pytest.raises(InfrastructureError, match="no name of an object"):
            unwrap({**reference, "$object": name}, bench.tenant, uuid4())


def test_an_object_that_was_changed_is_not_believed(theirs: tuple[UUID, dict[str, Any]]) -> None:
    execution, reference = theirs
    folder = settings().home / "objects/theirs" / str(execution)
    other = objects.keep("theirs", execution, "find", ["other" * 100_000])
    assert other is not None
    (folder / f"{other['$object']}.json.gz").replace(folder / f"{reference['$object']}.json.gz")
    with pytest.raises(InfrastructureError, match="is not what was kept"):
        objects.read("theirs", execution, reference)


def test_another_store_serves_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONEO_OBJECTS_URL", "memory://oneo")
    settings.cache_clear()
    execution, value = uuid4(), {"text": "ß" * 100_000}
    reference = objects.keep("acme", execution, "loop[3]", value)
    assert reference is not None
    assert objects.read("acme", execution, reference) == value
    assert objects.remove("acme", execution) == 1
    assert objects.remove("acme") == 0
    settings.cache_clear()


@pytest.fixture(autouse=True)
def fresh_settings(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Objects of a test run stand in its own folder."""
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()
