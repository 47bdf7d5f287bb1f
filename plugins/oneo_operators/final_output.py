"""The outputs that a workflow declares, made when its nodes have ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dag_factory.outputs import type_problem
from dag_factory.plan import Plan
from oneo.errors import ConfigError, ExpressionError
from oneo.expressions import resolve
from oneo.store import executions, records
from oneo.store.large import context_of, output_of
from oneo_operators.execution import ExecutionState, scope_of, state_of
from oneo_operators.redact import redact

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from oneo.store.models import Execution, ExecutionLog


def succeed(
    session: Session, execution: Execution, plan: Plan, rows: Sequence[ExecutionLog], last: Any
) -> None:
    """End an execution whose nodes have done their work; outputs that cannot be made fail it.

    Args:
        session: A session that may write this tenant's executions.
        execution: The execution, locked.
        plan: Its plan.
        rows: Its log.
        last: What its last node gave: the output of workflows that declare none.
    """
    if not plan.outputs:
        executions.finish(session, execution, "success", output=last)
        return
    try:
        output = outputs_of(session, execution, plan, rows)
    except ConfigError as error:
        executions.finish(session, execution, "failed", error=error.as_json())
    else:
        executions.finish(session, execution, "success", output=output)


def outputs_of(
    session: Session, execution: Execution, plan: Plan, rows: Sequence[ExecutionLog]
) -> dict[str, Any]:
    """The declared outputs by name.

    Raises:
        ConfigError: An expression fails, or gives a value of another type than declared.
    """
    state = state_of(session, execution, plan)
    for row in rows:
        if row.loop_index == "" and row.status in ("success", "failed") and row.output is not None:
            state.outputs[row.node_id] = output_of(row)
        if row.loop_index == "" and row.context_updates:
            state.context[row.node_id] = context_of(row)
    scope = scope_of(
        state,
        list(state.outputs),
        [node.id for node in plan.nodes],
        {},
        lambda: _record(session, state),
        now=datetime.now(UTC),
        seed=f"{execution.id}/outputs",
    )
    found: dict[str, Any] = {}
    for name, output in plan.outputs.items():
        try:
            found[name] = redact(resolve(output["value"], scope, path=f"outputs.{name}.value"), ())
        except ExpressionError as error:
            raise ConfigError(f"output {name!r}: {error.message}", error.hint) from error
        except (TypeError, ValueError) as error:
            raise ConfigError(f"output {name!r} cannot be kept as JSON: {error}") from error
        problem = type_problem(name, output["type"], found[name])
        if problem is not None:
            raise ConfigError(problem, "correct the expression, or the type under `outputs`")
    return found


def _record(session: Session, state: ExecutionState) -> dict[str, Any] | None:
    """The record in our own store; of one in a table of the tenant's, what came with the event has to do here."""
    row = records.find_one(session, state.record_id or "", tenant_id=state.tenant_id)
    return None if row is None else records.view(row)
