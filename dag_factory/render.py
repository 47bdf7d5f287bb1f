"""From a plan to an Airflow DAG: one task per node, gates where a branch joins other ways in; or one task for all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronTriggerTimetable, MultipleCronTriggerTimetable, Param

from dag_factory.binding import Binding, Published
from dag_factory.catalogue import Catalogue
from dag_factory.plan import Plan
from dag_factory.variables import CONFIRMED, must_be_given, schema_of
from oneo.store.workflows import dag_id


@dataclass(frozen=True)
class Edition:
    """Which stored version of a workflow is rendered.

    Attributes:
        first_published: Start date of the DAG; it stays the same over versions, so catch-up does not begin anew.
        document: The definition as published, shown in the DAG's documentation.
        note: Something the UI should say first, such as that a newer version is broken.
        pool: The Airflow pool of the tenant; None where it has none yet: then Airflow's default pool serves.
    """

    tenant_id: str
    version: int
    first_published: datetime
    document: Any
    note: str | None = None
    pool: str | None = None


def render(plan: Plan, edition: Edition, catalogue: Catalogue, *, only: str | None = None) -> DAG:
    """The DAG of a plan.

    Args:
        plan: The plan.
        edition: Which version of the workflow it is.
        catalogue: The node types.
        only: Id of the one task to make: a process that runs a task needs no other.

    Raises:
        KeyError: A node type that the catalogue no longer has.
    """
    dag = DAG(
        dag_id=dag_id(edition.tenant_id, plan.workflow_id),
        dag_display_name=plan.name,
        description=plan.description or plan.name,
        schedule=_timetable(plan),
        catchup=plan.schedule.catchup if plan.schedule else False,
        start_date=edition.first_published,
        max_active_runs=plan.max_active_runs,
        dagrun_timeout=timedelta(minutes=plan.timeout_minutes) if plan.timeout_minutes else None,
        is_paused_upon_creation=False,
        params={**_params(plan), **_confirmation(plan, catalogue)},
        tags=["oneo", f"tenant:{edition.tenant_id}", version_tag(edition.version), *plan.tags],
        doc_md=_documentation(plan, edition),
        default_args={"pool": edition.pool} if edition.pool else {},
    )
    with dag:
        if plan.granularity == "fused":
            _whole(plan, edition, catalogue)
        else:
            _nodes(plan, edition, catalogue, only)
    return dag


def _whole(plan: Plan, edition: Edition, catalogue: Catalogue) -> None:
    task = catalogue.whole(Published(edition.tenant_id, edition.version, plan))
    for trigger in plan.triggers:
        EmptyOperator(task_id=trigger.id, task_display_name=trigger.name) >> task


def _nodes(plan: Plan, edition: Edition, catalogue: Catalogue, only: str | None) -> None:
    tasks = {}
    for node in plan.nodes:
        if only not in (None, node.id):
            continue
        operator = catalogue.get(node.type)
        if operator is None:
            raise KeyError(f"node type {node.type!r} is not installed")
        binding = Binding(edition.tenant_id, edition.version, plan, node)
        tasks[node.id] = operator.bound(binding)
    for edge in plan.edges if only is None else ():
        if edge.gate is None:
            tasks[edge.source] >> tasks[edge.target]
        else:
            # The gate's id holds a dot, which node ids cannot.
            label = ", ".join(edge.routes)
            gate = EmptyOperator(task_id=edge.gate, task_display_name=f"→ {edge.target} ({label})")
            tasks[edge.source] >> gate >> tasks[edge.target]


def version_tag(version: int) -> str:
    """The tag that tells which version of a workflow Airflow has taken up."""
    return f"version:{version}"


def _timetable(plan: Plan) -> CronTriggerTimetable | MultipleCronTriggerTimetable | None:
    if plan.schedule is None:
        return None
    if len(plan.schedule.crons) > 1:
        return MultipleCronTriggerTimetable(*plan.schedule.crons, timezone=plan.schedule.timezone)
    return CronTriggerTimetable(plan.schedule.crons[0], timezone=plan.schedule.timezone)


def _params(plan: Plan) -> dict[str, Param]:
    """The workflow's variables as Airflow params: the trigger form of the UI, checked by its JSON Schema."""
    triggers = [node.type for node in plan.triggers]
    params = {}
    for name, variable in plan.variables.items():
        if must_be_given(variable, triggers):
            params[name] = Param(**schema_of(variable, nullable=False))
        else:
            default = variable.get("default")
            params[name] = Param(default, **schema_of(variable, nullable=default is None))
    return params


def _confirmation(plan: Plan, catalogue: Catalogue) -> dict[str, Param]:
    """The box to tick, where a trigger by hand has a question."""
    for node in plan.triggers:
        operator = catalogue.get(node.type)
        question = operator.question(node.config) if operator else None
        if question is None:
            continue
        shown = {"title": question.label, "description": question.text}
        if all(other.type == node.type for other in plan.triggers):
            return {CONFIRMED: Param(type="boolean", const=True, **shown)}
        # Events and clocks tick no box; whether a person did is looked at when the run starts.
        return {CONFIRMED: Param(False, type="boolean", **shown)}
    return {}


def _documentation(plan: Plan, edition: Edition) -> str:
    """Name, description, version and the definition itself; the hash makes every change a new DAG version."""
    parts = [f"# {plan.name}", plan.description] if plan.description else [f"# {plan.name}"]
    if edition.note:
        parts.insert(0, f"> **{edition.note}**")
    parts.append(
        f"Workflow `{plan.workflow_id}` of tenant `{edition.tenant_id}`, version {edition.version}, "
        f"definition `{plan.definition_hash}`"
    )
    # Longer than any run of backquotes inside, so that no text of the definition can end the block.
    text = json.dumps(edition.document, indent=2, ensure_ascii=False)
    fence = "```"
    while fence in text:
        fence += "`"
    return "\n\n".join([*parts, f"{fence}json\n{text}\n{fence}"])
