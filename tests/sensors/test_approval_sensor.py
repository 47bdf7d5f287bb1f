"""A task that asks people: once for each run, deferred until one of them decides."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from oneo.database import Database
from oneo.errors import NotFoundError, UserError
from oneo.store import approvals
from oneo.store.models import Approval
from oneo_app.dispatcher.reminding import expire_approvals
from oneo_operators.sensors.approval import ApprovalSensor
from tests.dispatcher.crm import Crm
from tests.sensors.test_sensors import deferred, told

pytestmark = pytest.mark.usefixtures("store")


def run(number: int = 1, map_index: int = -1, **params: Any) -> Any:
    """What Airflow tells a task of a run."""
    names = {"dag_id": "sales", "run_id": f"run {number}"}
    return {
        "params": params,
        "dag_run": SimpleNamespace(**names, run_after=datetime.now(UTC)),
        "ti": SimpleNamespace(**names, task_id="ask", map_index=map_index),
    }


def sensor(crm: Crm, **options: Any) -> ApprovalSensor:
    given = {"title": "Discount?", "assignees": ["eva"], "timeout": 3600, "tenant": crm.tenant, **options}
    return ApprovalSensor(task_id="ask", **given)


def asked(crm: Crm) -> list[Approval]:
    with crm.database.tenant(crm.tenant) as session:
        return approvals.recent(session)


def decide(crm: Crm, decision: str = "approve", **more: Any) -> None:
    with crm.database.tenant(crm.tenant) as session:
        approvals.decide(session, crm.tenant, asked(crm)[0].id, decision, by="eva", **more)


def test_the_decision_ends_the_wait(crm: Crm, store: Database) -> None:
    task = sensor(crm)
    trigger = deferred(task, run())
    (fired,) = told(store, [trigger], lambda: decide(crm, "reject", comment="no"))
    assert task.execute_complete({}, fired) == {"decision": "reject", "comment": "no", "decided_by": "eva"}


def test_an_expression_sees_the_run_and_what_it_gives_stays_data(crm: Crm) -> None:
    task = sensor(
        crm,
        title="{{ variables.percent }} % for {{ variables.name }}?",
        assignees=["{{ variables.boss }}", "{{ variables.second | default('') }}"],
    )
    deferred(task, run(percent=20, name="{{ secrets.x }}", boss="max"))
    (row,) = asked(crm)
    assert (row.title, row.assignees) == ("20 % for {{ secrets.x }}?", ["max"])


def test_it_asks_once_for_each_run_and_each_mapped_task(crm: Crm) -> None:
    for context in (run(1), run(1), run(2), run(2, map_index=0), run(2, map_index=1)):
        deferred(sensor(crm), context)
    assert sorted(row.key for row in asked(crm)) == [
        "dag/sales/run 1/ask",
        "dag/sales/run 2/ask",
        "dag/sales/run 2/ask/0",
        "dag/sales/run 2/ask/1",
    ]


def test_a_try_after_the_decision_waits_for_nothing(crm: Crm) -> None:
    deferred(sensor(crm), run())
    decide(crm)
    assert sensor(crm).execute(run())["decision"] == "approve"


@pytest.mark.parametrize(
    ("options", "error"), [({}, AirflowFailException), ({"soft_fail": True}, AirflowSkipException)]
)
def test_what_nobody_decides_in_time_fails_or_is_skipped(
    crm: Crm, store: Database, options: dict[str, Any], error: type[Exception]
) -> None:
    task = sensor(crm, timeout=0, **options)
    (fired,) = told(store, [deferred(task, run())], lambda: expire(crm))
    for end in (lambda: task.execute_complete({}, fired), lambda: task.execute(run())):
        with pytest.raises(error, match="nobody has decided in time"):
            end()


def test_or_the_default_counts(crm: Crm, store: Database) -> None:
    task = sensor(crm, timeout=0, default="reject")
    (fired,) = told(store, [deferred(task, run())], lambda: expire(crm))
    assert task.execute_complete({}, fired) == {"decision": "reject", "comment": None, "decided_by": None}


def test_one_that_is_cancelled_fails_in_spite_of_a_default(crm: Crm, store: Database) -> None:
    task = sensor(crm, default="reject")

    def cancel() -> None:
        with crm.database.tenant(crm.tenant) as session:
            approvals.cancel(session, crm.tenant, asked(crm)[0].id, by="max")

    (fired,) = told(store, [deferred(task, run())], cancel)
    with pytest.raises(AirflowFailException, match="it was cancelled"):
        task.execute_complete({}, fired)


def test_one_that_is_erased_does_not_wait_for_ever(crm: Crm, store: Database) -> None:
    task = sensor(crm)

    def erase() -> None:
        with crm.database.removal(crm.tenant) as session:
            session.delete(session.merge(asked(crm)[0]))
            session.flush()
        crm.emit("anything")

    (fired,) = told(store, [deferred(task, run())], erase)
    with pytest.raises(AirflowFailException, match="it is no longer there"):
        task.execute_complete({}, fired)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"assignees": [], "title": ""}, "title has 0 characters.*assignees names nobody"),
        ({"default": "aprove"}, "default: 'aprove' is none of the options .*'approve'"),
        ({"options": [{"id": "a"}]}, "options.0"),
    ],
)
def test_what_cannot_be_asked_is_said_when_the_dag_is_read(
    crm: Crm, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        sensor(crm, **options)


def test_what_expressions_cannot_give_is_said_in_the_task(crm: Crm) -> None:
    with pytest.raises(UserError, match="assignees names nobody"):
        sensor(crm, assignees=["{{ variables.boss }}"]).execute(run(boss=""))
    with pytest.raises(UserError, match="'x' is no record id"):
        sensor(crm, record_id="{{ variables.record }}").execute(run(record="x"))


def test_a_tenant_that_is_not_there_is_not_asked(crm: Crm) -> None:
    with pytest.raises(NotFoundError, match="there is no tenant 'nobody'"):
        sensor(crm, tenant="nobody").execute(run())


def expire(crm: Crm) -> None:
    while expire_approvals(crm.database):
        pass
