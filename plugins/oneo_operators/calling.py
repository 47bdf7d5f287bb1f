"""Which workflow a node's call means, and whether the call may be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dag_factory.catalogue import Catalogue
from dag_factory.plan import Plan
from dag_factory.variables import misfits
from oneo.errors import ConfigError, NodeError, NotFoundError, OneoError, PermanentNodeError
from oneo.settings import settings
from oneo.store import families, workflows
from oneo.store.families import Origin
from oneo.store.models import WorkflowVersion
from oneo.suggest import did_you_mean
from oneo_operators.admission import admit, starter_of
from oneo_operators.plans import plan_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Wanted:
    """A workflow to run.

    Attributes:
        data: Its trigger data, plain JSON without secrets.
        version: None for the newest.
        closed: Whether data that is no variable is refused.
        inherits: Whether it runs on behalf of whoever started the caller, without being asked itself.
        confirmed: Whether its trigger's question is answered with yes, where it is asked.
    """

    workflow_id: str
    data: Mapping[str, Any]
    version: int | None = None
    closed: bool = False
    inherits: bool = True
    confirmed: bool = False


@dataclass(frozen=True)
class Called:
    """A call that may be made."""

    row: WorkflowVersion
    plan: Plan
    origin: Origin


def called(
    session: Session, tenant_id: str, parent: UUID, node: str, wanted: Wanted, catalogue: Catalogue
) -> Called:
    """The workflow that a node calls.

    Args:
        session: The tenant's session.
        tenant_id: The tenant.
        parent: The calling execution.
        node: The calling node, with its loop index.
        wanted: What it calls.
        catalogue: The node types.

    Raises:
        ConfigError: It is not in service, would lead back to the caller, or does not take the data.
        PermanentNodeError: Whoever started the caller may not start it.
    """
    line = families.ancestors(session, tenant_id, parent)
    _check_chain([row.workflow_id for row in line], wanted.workflow_id)
    row = _version(session, wanted)
    try:
        plan = plan_of(session, row)
    except (KeyError, OneoError) as error:
        reason = str(error.args[0] if error.args else error)
        raise ConfigError(
            f"version {row.version} of workflow {row.workflow_id!r} cannot be read: {reason}",
            "publish it again",
        ) from error
    _check_data(plan, wanted)
    starter = line[-1].started_by
    if not wanted.inherits:
        try:
            admit(plan, catalogue, starter_of(starter, confirmed=wanted.confirmed))
        except NodeError as error:
            message = f"sub-workflow {wanted.workflow_id!r}: {error.message}"
            raise PermanentNodeError(message, error.hint) from error
    return Called(row, plan, Origin(starter, parent, node, line[-1].depth + 1))


def _check_chain(chain: list[str], workflow_id: str) -> None:
    way = " → ".join([*chain, workflow_id])
    if workflow_id in chain:
        raise ConfigError(
            f"workflows call each other without end: {way}",
            "take one of these calls out, or repeat nodes with a loop",
        )
    most = settings().max_sub_workflow_depth
    if len(chain) > most:
        raise ConfigError(
            f"sub-workflows stand more than {most} deep in each other: {way}",
            "call fewer from within each other, or raise ONEO_MAX_SUB_WORKFLOW_DEPTH",
        )


def _version(session: Session, wanted: Wanted) -> WorkflowVersion:
    try:
        workflow = workflows.get(session, wanted.workflow_id)
        row = workflows.get_version(session, workflow.id, wanted.version) if workflow.version else None
    except NotFoundError as error:
        raise ConfigError(error.message, error.hint or f"the newest is {workflow.version}") from error
    if row is None:
        raise ConfigError(f"workflow {workflow.id!r} is not published", f"`oneo publish` {workflow.id}")
    if not workflow.active:
        raise ConfigError(f"workflow {workflow.id!r} was withdrawn", "publish it again, or call another one")
    if not row.active:
        raise ConfigError(
            f"version {row.version} of workflow {workflow.id!r} is the one that withdrew it",
            f"the newest is {workflow.version}",
        )
    return row


def _check_data(plan: Plan, wanted: Wanted) -> None:
    problems = [message for _, message in misfits(plan.variables, wanted.data)]
    hint = "its `variables` say what it takes"
    if wanted.closed:
        for name in sorted(wanted.data.keys() - plan.variables.keys()):
            problems.append(f"there is no variable {name!r}")
            hint = did_you_mean(name, plan.variables)
    if problems:
        raise ConfigError(f"sub-workflow {wanted.workflow_id!r}: {'; '.join(problems)}", hint)
