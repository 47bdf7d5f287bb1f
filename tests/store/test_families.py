"""Executions inside executions: who asked for which, in either direction."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from oneo.database import Database
from oneo.store import execution_queue, executions, families, workflows
from oneo.store.families import Origin


@pytest.fixture
def line(database: Database, tenant: str, publish) -> list[UUID]:
    """Three executions, each inside the one before; the last waits in the queue."""
    publish()
    ids = [uuid4()]
    ids.append(families.id_in(ids[0], "call"))
    ids.append(families.id_in(ids[1], "call[2]"))
    with database.tenant(tenant) as session:
        for depth, execution_id in enumerate(ids):
            parent = ids[depth - 1] if depth else None
            origin = Origin("eva", parent, "call" if parent else None, depth)
            common = {
                "version": 1,
                "trigger_node": "start",
                "trigger_type": "sub_workflow",
                "data": {},
                "dag_id": workflows.dag_id(tenant, "welcome"),
                "origin": origin,
            }
            if depth == 2:
                executions.enqueue(session, tenant, "welcome", execution_id=execution_id, **common)
            else:
                run_id = f"{families.INLINE if depth else families.LOCAL}{execution_id}"
                executions.ensure_started(
                    session, tenant, execution_id, workflow_id="welcome", run_id=run_id, **common
                )
    return ids


def test_the_id_follows_from_parent_node_and_round(line: list[UUID]) -> None:
    assert families.id_in(line[0], "call[0]") == families.id_in(line[0], "call[0]")
    assert len({families.id_in(one, node) for one in line for node in ("a", "a[0]", "a[1]")}) == 9


def test_ancestors_come_outermost_first(database: Database, tenant: str, line: list[UUID]) -> None:
    with database.tenant(tenant) as session:
        found = families.ancestors(session, tenant, line[2])
    assert [row.id for row in found] == line
    assert [(row.depth, row.started_by) for row in found] == [(0, "eva"), (1, "eva"), (2, "eva")]


def test_children_are_those_of_one_level(database: Database, tenant: str, line: list[UUID]) -> None:
    with database.tenant(tenant) as session:
        assert [row.id for row in families.children(session, line[0])] == [line[1]]


def test_other_tenants_have_no_part_in_it(database: Database, tenant: str, line: list[UUID]) -> None:
    with database.system() as session:
        assert families.ancestors(session, "somebody-else", line[2]) == []
        assert families.open_inside(session, "somebody-else", line[0]) == []
        assert families.take_queued(session, "somebody-else", line[0]) is None


def test_open_inside_are_those_without_a_run_of_their_own(
    database: Database, tenant: str, line: list[UUID]
) -> None:
    with database.system() as session:
        assert [row.id for row in families.open_inside(session, tenant, line[0])] == [line[1]]


def test_what_waits_is_taken_once_and_not_by_the_dispatcher(
    database: Database, tenant: str, line: list[UUID]
) -> None:
    def take(_: int) -> UUID | None:
        with database.tenant(tenant) as session:
            row = families.take_queued(session, tenant, line[0])
            return row.id if row is not None else None

    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(take, range(4)))
    assert [one for one in taken if one is not None] == [line[2]]
    with database.system() as session:
        workflows.mark_live(session, tenant, "welcome", 1)
        assert line[2] not in [row.id for row in execution_queue.claim_due(session, 1000)]
        row = executions.get_for_update(session, tenant, line[2])
        assert not families.has_dag_run(row)


def test_an_id_is_queued_once(database: Database, tenant: str, publish) -> None:
    publish()
    execution_id = uuid4()
    common = {
        "version": 1,
        "trigger_node": None,
        "trigger_type": "sub_workflow",
        "data": {},
        "dag_id": workflows.dag_id(tenant, "welcome"),
        "execution_id": execution_id,
    }
    with database.tenant(tenant) as session:
        assert executions.enqueue(session, tenant, "welcome", **common) == execution_id
        assert executions.enqueue(session, tenant, "welcome", **common) is None
