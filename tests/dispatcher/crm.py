"""A tenant with pipelines and workflows, and the dispatcher's steps on it, as the dispatcher's tests use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from dag_factory.publish import publish
from oneo.database import Database
from oneo.store import deletion, emitting, executions, metrics, pipelines, records, workflows
from oneo.store.models import Execution, InboxEvent, Record, RecordEvent
from oneo.store.pipelines import PipelineSpec
from oneo_app.dispatcher.matching import match_events
from oneo_app.dispatcher.trigger_index import TriggerIndex
from oneo_app.dispatcher.waiting import fire_timers, show_existing, start_gathered
from oneo_operators.catalogue import catalogue

TELL = {"id": "tell", "type": "task_notify", "config": {"recipients": ["a@b.c"], "title": "t", "message": ""}}


@dataclass
class Crm:
    """One tenant of the database."""

    database: Database
    tenant: str
    index: TriggerIndex = field(default_factory=TriggerIndex)

    def pipeline(self, name: str, **spec: Any) -> None:
        """A pipeline, without declared fields unless given."""
        with self.database.tenant(self.tenant) as session:
            pipelines.apply(session, self.tenant, PipelineSpec.model_validate({"id": name, **spec}))

    def watch(self, type_name: str, workflow_id: str = "watch", **config: Any) -> None:
        """Publish a workflow of one trigger and one step; `settings` are the workflow's."""
        settings = config.pop("settings", {})
        document = {
            "id": workflow_id,
            "name": workflow_id,
            "settings": settings,
            "nodes": [{"id": "start", "type": type_name, "config": config}, TELL],
        }
        publish(self.database, self.tenant, document, catalogue())

    def withdraw(self, workflow_id: str = "watch") -> None:
        """Take a workflow out of service."""
        with self.database.tenant(self.tenant) as session:
            workflows.withdraw(session, self.tenant, workflow_id)

    def add(self, pipeline: str = "leads", **data: Any) -> Record:
        """A new record."""
        with self.database.tenant(self.tenant) as session:
            return records.create(session, self.tenant, pipeline, data)

    def change(self, record: Record, **data: Any) -> None:
        """Set fields of a record."""
        with self.database.tenant(self.tenant) as session:
            row = session.get_one(Record, (self.tenant, record.id))
            records.update(session, row, records.Changes(set=data))

    def delete(self, record: Record) -> None:
        """Delete a record softly."""
        with self.database.tenant(self.tenant) as session:
            records.delete(session, session.get_one(Record, (self.tenant, record.id)))

    def restore(self, record: Record) -> None:
        """Bring a deleted record back."""
        with self.database.tenant(self.tenant) as session:
            found = records.find_one(session, record.id, lock=True, deleted=True)
            assert found is not None
            deletion.restore(session, found)

    def push(self, series: str = "boiler-7", *, at: datetime | None = None, **values: Any) -> int | None:
        """New values of a series of metrics."""
        with self.database.tenant(self.tenant) as session:
            return metrics.push(session, self.tenant, series, values, at)

    def emit(self, name: str, data: Mapping[str, Any] | None = None, **options: Any) -> int | None:
        """An event of an application."""
        with self.database.tenant(self.tenant) as session:
            return emitting.emit(session, self.tenant, name, data or {}, **options)

    def match(self) -> int:
        """Handle every event that waits; returns how many there were."""
        total = 0
        while count := match_events(self.database, self.index):
            total += count
        return total

    def round(self, now: Any = None) -> None:
        """Everything the dispatcher does before it starts runs, until nothing is left to do now."""
        while any(
            [
                fire_timers(self.database, now),
                match_events(self.database, self.index),
                start_gathered(self.database, self.index),
                show_existing(self.database, self.index, now),
            ]
        ):
            pass

    def make_due(self) -> None:
        """Let the time of everything that is gathered come."""
        with self.database.system() as session:
            session.connection().exec_driver_sql(
                "UPDATE gatherings SET due_at = now() - interval '1 s' WHERE tenant_id = %s", (self.tenant,)
            )

    @property
    def started(self) -> list[Execution]:
        """The executions there are, oldest first."""
        with self.database.tenant(self.tenant) as session:
            return executions.recent(session, limit=1000)[::-1]

    @property
    def decisions(self) -> list[dict[str, Any]]:
        """What was decided about each event, oldest first."""
        with self.database.tenant(self.tenant) as session:
            rows = [
                (row.id, row.decisions)
                for table in (RecordEvent, InboxEvent)
                for row in session.scalars(select(table))
            ]
        return [decisions or {} for _, decisions in sorted(rows, key=lambda row: row[0])]

    def decision(self, workflow_id: str = "watch") -> dict[str, str]:
        """What was decided about the newest event for a workflow."""
        found: dict[str, str] = self.decisions[-1][f"{workflow_id}/start"]
        return found
