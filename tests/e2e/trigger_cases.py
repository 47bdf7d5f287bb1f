"""What happens outside, option by option of each trigger, and what has to come of it on the running stack."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import text

from dag_factory.publish import publish
from oneo.store import event_log, pipelines, workflows
from oneo.store.events import Row
from oneo.store.models import Execution, InboxEvent
from oneo.store.pipelines import PipelineSpec
from oneo_app.explaining import explain
from oneo_operators.catalogue import catalogue
from tests.e2e.waiting import wait_until

SEEN = {"id": "seen", "type": "set_variable", "config": {"variables": {"seen": True}}}
# What the dispatcher has still to do for a tenant. A moment or a gathering that is far off is left alone.
_LEFT = """
SELECT (SELECT count(*) FROM record_events WHERE tenant_id = :tenant AND handled_at IS NULL)
     + (SELECT count(*) FROM inbox WHERE tenant_id = :tenant AND handled_at IS NULL)
     + (SELECT count(*) FROM executions WHERE tenant_id = :tenant AND ended_at IS NULL)
     + (SELECT count(*) FROM active_triggers WHERE tenant_id = :tenant AND NOT all_seen)
     + (SELECT count(*) FROM gatherings WHERE tenant_id = :tenant AND due_at < now() + interval '1 min')
     + (SELECT count(*) FROM timers WHERE tenant_id = :tenant AND due_at < now() + interval '10 s')
"""


@dataclass(frozen=True)
class Trace:
    """Where to find what became of something that happened.

    Attributes:
        records: The records it is about.
        series: The series of metrics it is about.
        events: Its events.
        sources: Events of executions whose ends it is about.
        executions: What was started by name.
        answer: What whoever brought it about was told.
    """

    records: tuple[str, ...] = ()
    series: str = ""
    events: tuple[int, ...] = ()
    sources: tuple[int, ...] = ()
    executions: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True)
class Case:
    """One sense of one option.

    Attributes:
        workflow: The workflow that starts, or does not.
        option: The option of its trigger.
        happens: What happens outside.
        because: Why nothing starts, or not yet, as `oneo explain` or the answer says it; empty where something starts.
        starts: How many executions start and succeed.
        shows: What else is to be seen of the option, given the executions.
    """

    workflow: str
    option: str
    happens: Callable[[Outside], Trace]
    because: str = ""
    starts: int = 1
    shows: Callable[[Sequence[Execution], Outside], object] = lambda *_: True

    def __str__(self) -> str:
        told = self.because or getattr(self.shows, "__name__", "").replace("<lambda>", "starts")
        return f"{self.workflow}-{self.option}-{told[:40]}"


@dataclass(frozen=True)
class Watched:
    """A workflow of a trigger, with nodes behind it."""

    type: str
    config: Mapping[str, Any]
    nodes: Sequence[Mapping[str, Any]] = (SEEN,)
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """Triggers of a kind, in a tenant of their own."""

    name: str
    workflows: Mapping[str, Watched]
    cases: Sequence[Case]
    prepare: Callable[[Outside], object] = lambda _: None

    def shown(self) -> Iterator[tuple[str, str, str]]:
        """Type and option of each case, and its sense: the workflow, and whether it starts."""
        for case in self.cases:
            yield self.workflows[case.workflow].type, case.option, f"{case.workflow} {not case.because}"


class Outside:
    """What people and programs can reach of one tenant of the stack."""

    def __init__(self, stack: Any, http: httpx.Client, exits: ExitStack) -> None:
        self.stack = stack
        self.http = http
        self.exits = exits
        self.tenant = f"e{uuid4().hex[:10]}"
        self.known: dict[str, Any] = {}

    def oneo(self, *arguments: str, check: bool = True) -> Any:
        """Run a command for the tenant."""
        return self.stack.oneo(*arguments, "--tenant", self.tenant, check=check)

    def json(self, *arguments: str) -> Any:
        """What a command for the tenant prints."""
        return self.stack.json(*arguments, "--tenant", self.tenant)

    def sql(self, *statements: str, **values: Any) -> Any:
        """Run statements in one transaction, as any program may; the first value of the last one."""
        given = {
            name: json.dumps(value) if isinstance(value, dict) else value for name, value in values.items()
        }
        with self.stack.database.tenant(self.tenant) as session:
            for statement in statements:
                done = session.execute(text(statement), {"tenant": self.tenant, **given})
            return done.scalar() if done.returns_rows else None

    def insert(self, pipeline: str, stage: str | None = None, **data: Any) -> str:
        """A new record."""
        return str(
            self.sql(
                "INSERT INTO records (tenant_id, id, pipeline_id, stage, data)"
                " VALUES (:tenant, gen_random_uuid(), :pipeline, :stage, CAST(:data AS jsonb)) RETURNING id",
                pipeline=pipeline,
                stage=stage,
                data=data,
            )
        )

    def pipeline(self, name: str, *stages: str) -> None:
        """A pipeline."""
        spec = PipelineSpec.model_validate({"id": name, "stages": [{"id": stage} for stage in stages]})
        with self.stack.database.tenant(self.tenant) as session:
            pipelines.apply(session, self.tenant, spec)

    def keep(self, kind: str, **fields: Any) -> None:
        """A variable or a connection of the tenant in Airflow."""
        name = "key" if kind == "variables" else "connection_id"
        full = {**fields, name: f"oneo__{self.tenant}__{fields[name]}"}
        with self.stack.airflow() as airflow:
            assert airflow.post(f"/api/v2/{kind}", json=full).is_success

    def publish(self, workflows_: Mapping[str, Watched]) -> None:
        """Store workflows; `is_live` says when Airflow runs them."""
        for workflow_id, one in workflows_.items():
            start = {"id": "start", "type": one.type, "config": one.config}
            document = {"id": workflow_id, "name": workflow_id, "nodes": [start, *one.nodes], **one.more}
            publish(self.stack.database, self.tenant, document, catalogue())

    def is_live(self) -> bool:
        """Whether Airflow runs all workflows."""
        with self.stack.database.tenant(self.tenant) as session:
            return all(row.live_version == row.version for row in workflows.all_workflows(session))

    def withdraw(self) -> None:
        """Take all workflows out of service."""
        with self.stack.database.tenant(self.tenant) as session:
            for row in workflows.all_workflows(session):
                workflows.withdraw(session, self.tenant, row.id)

    def is_quiet(self) -> bool:
        """Whether everything that has happened so far has had its effect."""
        with self.stack.database.system() as session:
            left: int = session.execute(text(_LEFT), {"tenant": self.tenant}).scalar_one()
        return left == 0

    def became(self, workflow_id: str, trace: Trace) -> tuple[list[Execution], list[str]]:
        """The executions that something has started, oldest first, and what else was said about it."""
        with self.stack.database.tenant(self.tenant) as session:
            rows = [event_log.get(session, event) for event in trace.events]
            for record in trace.records:
                rows += event_log.recent(session, record_id=UUID(record), limit=1000)
            rows += self._of_series(session, trace.series) + self._of_ends(session, trace.sources)
            decisions = [one for row in rows for one in explain(session, workflow_id, row)["decisions"]]
            started = {one["became"]["execution"] for one in decisions if one["became"]}
            found = [
                session.get_one(Execution, (self.tenant, UUID(one))) for one in {*started, *trace.executions}
            ]
            for one in found:
                session.expunge(one)
        return sorted(found, key=lambda one: one.created_at), [one["reason"] for one in decisions]

    @staticmethod
    def _of_series(session: Any, series: str) -> list[Row]:
        if not series:
            return []
        return list(session.query(InboxEvent).filter(InboxEvent.data["series"].astext == series))

    @staticmethod
    def _of_ends(session: Any, sources: Sequence[int]) -> list[Row]:
        causes = session.query(Execution.id).filter(Execution.event_id.in_(sources))
        ends = session.query(InboxEvent).filter(InboxEvent.execution_id.in_(causes))
        return list(ends.order_by(InboxEvent.id))


@dataclass(frozen=True)
class Happened:
    """A family of which everything has happened."""

    family: Family
    outside: Outside
    traces: Mapping[int, Trace]

    @classmethod
    def of(cls, family: Family, outside: Outside) -> Happened:
        """Let everything of a family happen, one after the other."""
        return cls(family, outside, {id(case): case.happens(outside) for case in family.cases})

    def check(self, case: Case) -> None:
        """What came of a case is what had to."""
        trace = self.traces[id(case)]
        found, reasons = self.outside.became(case.workflow, trace)
        if case.because:
            assert [row.id for row in found] == []
            assert case.because in " | ".join([trace.answer, *reasons])
            return
        assert [row.status for row in found] == ["success"] * case.starts, reasons
        case.shows(found, self.outside)


def let_happen(stack: Any, families: Sequence[Family], exits: ExitStack) -> dict[str, Happened]:
    """Publish the workflows of all families together, let everything happen side by side, and wait until it is over.

    `exits` takes everything back in the end.
    """
    with stack.airflow() as airflow:
        base = str(airflow.base_url).rstrip("/")
    http = exits.enter_context(httpx.Client(base_url=f"{base}/oneo", timeout=30))
    places = [Outside(stack, http, exits) for _ in families]
    for family, outside in zip(families, places, strict=True):
        outside.publish(family.workflows)
        exits.callback(outside.withdraw)
    with ThreadPoolExecutor(len(families)) as side_by_side:
        list(side_by_side.map(lambda family, outside: family.prepare(outside), families, places))
        wait_until(lambda: all(one.is_live() for one in places), "Airflow to run all workflows", 300)
        happened = list(side_by_side.map(Happened.of, families, places))
    wait_until(lambda: all(one.is_quiet() for one in places), "everything to be over", 400)
    return {one.family.name: one for one in happened}
