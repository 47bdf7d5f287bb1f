"""Done once in the scheduler before it forks its workers, so that no task has to do it again.

A task is a forked process that lives for a fraction of a second. What it would load or compile first (node types,
the expression parser, the mapping of the tables, the text of each SQL statement) it inherits instead.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, configure_mappers

from dag_factory.examine import plan_of_published
from dag_factory.render import Edition, render
from oneo.database import Database
from oneo.errors import OneoError
from oneo.expressions import Scope, compile_condition, compile_template
from oneo.store import (
    attempts,
    contacts,
    executions,
    log,
    notifications,
    pipelines,
    records,
    revisions,
    tasks,
    tenants,
)
from oneo.store.contacts import Wanted
from oneo.store.log import NodeKey
from oneo_operators.catalogue import catalogue

# What nodes load when they run.
_MODULES = ("oneo_operators.airflow_task", "oneo_operators.record_stores", "oneo_operators.sub_workflows")
# No tenant has this id: statements find nothing, or are refused, and nothing is changed.
_NOBODY = "nobody"
_NOTHING = UUID(int=0)
_KEY = NodeKey(_NOBODY, _NOTHING, "node")


def warm_up(database: Database) -> None:
    """Load and compile what every task needs; leaves no connection open."""
    for name in _MODULES:
        import_module(name)
    catalogue().all()
    configure_mappers()
    scope = Scope({"record": {"score": 1}})
    compile_template("{{ record.score | default(0) }}").evaluate(scope)
    compile_condition("{{ record.score }} > 0").evaluate(scope)
    _render_once()
    for step in _STEPS:
        # What is refused has been compiled by then.
        with suppress(SQLAlchemyError, OneoError), database.tenant(_NOBODY) as session:
            step(session)
    database.close()


def _render_once() -> None:
    """The way from a stored definition to a task, walked once: Python runs code faster that it has run before."""
    plan = plan_of_published(_SAMPLE, catalogue(), only="work")
    edition = Edition(_NOBODY, 1, datetime(2026, 1, 1, tzinfo=UTC), _SAMPLE)
    render(plan, edition, catalogue(), only="work")


_SAMPLE = {
    "id": "sample",
    "name": "Sample",
    "variables": {"name": {"type": "string", "default": ""}},
    "nodes": [
        {"id": "start", "type": "trigger_manual"},
        {"id": "work", "type": "set_variable", "config": {"variables": {"name": "{{ trigger.name }}"}}},
    ],
}


_nobody: dict[str, Any] = {"execution_id": _NOTHING, "node_id": "node", "priority": "low", "title": ""}
_STEPS: tuple[Callable[[Session], object], ...] = (
    lambda session: revisions.at_revision(session, 0, f"{_NOBODY}--workflow"),
    lambda session: executions.ensure_started(
        session,
        _NOBODY,
        _NOTHING,
        workflow_id="workflow",
        version=1,
        trigger_node=None,
        trigger_type="trigger_manual",
        data={},
        dag_id="dag",
        run_id="run",
    ),
    lambda session: tenants.settings_of(session, _NOBODY),
    lambda session: attempts.before(session, _KEY, ["earlier"]),
    lambda session: log.start_attempt(session, _KEY, "condition"),
    lambda session: log.end_attempt(
        session, _KEY, 1, "success", input={}, output={}, context_updates={"a": 1}, routes=("success",)
    ),
    lambda session: pipelines.get(session, "leads"),
    lambda session: records.find_one(session, _NOTHING),
    lambda session: records.find_one(session, _NOTHING, lock=True),
    lambda session: records.find(session, "leads", {"email": "a@example.com"}),
    lambda session: contacts.matches(session, "contacts", Wanted({"email": "a@example.com"})),
    lambda session: records.create(session, _NOBODY, "leads", {}),
    lambda session: tasks.create(
        session,
        _NOBODY,
        task_id=_NOTHING,
        record_id=None,
        type="call",
        description=None,
        assigned_to=None,
        due_at=None,
        remind_at=None,
        **_nobody,
    ),
    lambda session: notifications.create(
        session,
        _NOBODY,
        notification_id=_NOTHING,
        channel="in_app",
        recipient="",
        message="",
        link_url=None,
        **_nobody,
    ),
)
