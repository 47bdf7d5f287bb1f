"""Done once in the scheduler before it forks its workers, so that no task has to do it again.

A task is a forked process that lives for a fraction of a second. What it would load or compile first (node types,
the expression parser, the mapping of the tables, the text of each SQL statement) it inherits instead.
"""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import configure_mappers

from oneo.database import Database
from oneo.errors import InfrastructureError
from oneo.expressions import Scope, compile_condition, compile_template
from oneo.store import executions, log, records, workflows
from oneo.store.log import NodeKey
from oneo_operators.catalogue import catalogue

# No tenant has this id: statements run, find nothing and change nothing.
_NOBODY = "nobody"
_NOTHING = UUID(int=0)


def warm_up(database: Database) -> None:
    """Load and compile what every task needs; leaves no connection open."""
    catalogue().all()
    configure_mappers()
    scope = Scope({"record": {"score": 1}})
    compile_template("{{ record.score | default(0) }}").evaluate(scope)
    compile_condition("{{ record.score }} > 0").evaluate(scope)
    key = NodeKey(_NOBODY, _NOTHING, "node")
    with database.tenant(_NOBODY) as session:
        workflows.at_revision(session, 0, f"{_NOBODY}--workflow")
        records.find_one(session, _NOTHING)
        log.success_of(session, key)
        log.context_updates(session, _NOBODY, _NOTHING, ["node"])
    # There is no such attempt, which is refused, too.
    with suppress(InfrastructureError), database.tenant(_NOBODY) as session:
        log.end_attempt(
            session, key, 1, "success", input={}, output={}, context_updates={"a": 1}, routes=("success",)
        )
    # The tenant does not exist, so these are refused; by then they have been compiled.
    with suppress(IntegrityError), database.tenant(_NOBODY) as session:
        log.start_attempt(session, key, "condition")
    with suppress(IntegrityError), database.tenant(_NOBODY) as session:
        executions.ensure_started(
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
        )
    database.close()
