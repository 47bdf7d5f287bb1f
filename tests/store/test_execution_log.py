"""The execution log: attempts are counted, and a node succeeds once."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from oneo.database import Database
from oneo.store import attempts, log
from oneo.store.log import NodeKey


@pytest.fixture
def key(tenant: str, publish, enqueue) -> NodeKey:
    publish()
    return NodeKey(tenant, enqueue(), "call")


def test_attempts_are_counted_and_share_one_now(database: Database, key: NodeKey):
    found = []
    for _ in range(3):
        with database.tenant(key.tenant_id) as session:
            found.append(attempts.before(session, key))
            log.start_attempt(session, key, "http_request", found[-1].attempts + 1)

    assert [before.attempts for before in found] == [0, 1, 2]
    assert found[0].first_started is None
    assert found[1].first_started == found[2].first_started is not None


def test_iterations_of_a_loop_count_for_themselves(database: Database, key: NodeKey):
    with database.tenant(key.tenant_id) as session:
        log.start_attempt(session, key, "http_request")
        inside = NodeKey(key.tenant_id, key.execution_id, key.node_id, "[1]")

        assert attempts.before(session, key).attempts == 1
        assert attempts.before(session, inside).attempts == 0


def test_what_a_failed_attempt_left_goes_when_a_later_one_succeeds(database: Database, key: NodeKey):
    later = NodeKey(key.tenant_id, key.execution_id, "later")
    with database.tenant(key.tenant_id) as session:
        log.start_attempt(session, key, "http_request")
        log.end_attempt(session, key, 1, "failed", context_updates={"failure": 1}, routes=["error"])
        assert attempts.before(session, later, [key.node_id]).context == {key.node_id: {"failure": 1}}

        log.start_attempt(session, key, "http_request", 2)
        log.end_attempt(session, key, 2, "success")
        assert attempts.before(session, later, [key.node_id]).context == {}


def test_a_node_succeeds_once(database: Database, key: NodeKey):
    with database.tenant(key.tenant_id) as session:
        for number in (1, 2):
            log.start_attempt(session, key, "http_request", number)
        log.end_attempt(session, key, 1, "success", output={"first": True})
    with pytest.raises(IntegrityError, match="one_success"), database.tenant(key.tenant_id) as session:
        log.end_attempt(session, key, 2, "success", output={"first": False})
    with database.tenant(key.tenant_id) as session:
        log.end_attempt(session, key, 2, "failed", error={"message": "lost the race"})

        assert attempts.before(session, key).kept.output == {"first": True}


def test_an_attempt_keeps_what_went_in_and_came_out(database: Database, key: NodeKey):
    with database.tenant(key.tenant_id) as session:
        log.start_attempt(session, key, "http_request")
        assert attempts.before(session, key).kept is None
        log.end_attempt(
            session,
            key,
            1,
            "success",
            input={"url": "x"},
            output=[1, None],
            context_updates={"a": 1},
            routes=("success", "high"),
        )
    with database.tenant(key.tenant_id) as session:
        (row,) = log.of_execution(session, key.execution_id)

    assert (row.input, row.output, row.context_updates, row.routes) == (
        {"url": "x"},
        [1, None],
        {"a": 1},
        ["success", "high"],
    )
    assert row.ended_at >= row.started_at


def test_a_row_written_at_once_is_written_once(database: Database, key: NodeKey):
    with database.tenant(key.tenant_id) as session:
        log.write_row(session, key, "trigger_manual", "success", output=1)
        log.write_row(session, key, "trigger_manual", "skipped", output=2)
        (row,) = log.of_execution(session, key.execution_id)

    assert (row.status, row.output, row.attempt) == ("success", 1, 1)


def test_context_comes_from_what_nodes_left_outside_loops(database: Database, key: NodeKey):
    def end(node: str, status: str, updates: dict | None, loop: str = "") -> None:
        one = NodeKey(key.tenant_id, key.execution_id, node, loop)
        number = attempts.before(session, one).attempts + 1
        log.start_attempt(session, one, "x", number)
        log.end_attempt(session, one, number, status, context_updates=updates)

    with database.tenant(key.tenant_id) as session:
        end("a", "failed", {"try": 1})
        end("a", "success", {"try": 2})
        end("b", "success", None)
        end("c", "failed", None)
        end("d", "success", {"x": 1}, "[0]")
        end("e", "success", {"x": 1})
        found = attempts.before(session, key, ["a", "b", "c", "d"])

    assert found.context == {"a": {"try": 2}}


def test_a_log_row_needs_its_execution(database: Database, tenant: str):
    with pytest.raises(IntegrityError), database.tenant(tenant) as session:
        log.start_attempt(session, NodeKey(tenant, uuid4(), "a"), "x")
