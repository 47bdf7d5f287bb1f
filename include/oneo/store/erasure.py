"""Erasure of a person: what is known of whoever has an e-mail address goes, in one transaction.

- The person's records go, with their history, events and tasks.
- The rows of executions about the person stay, for the numbers of runs; what they read and wrote is emptied.
- Anywhere else the address itself is taken out of the text it stands in, published documents included; those in
  service are for their authors to change first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from oneo.errors import UserError
from oneo.store import documents, holds
from oneo.store import erasure_finding as finding
from oneo.store import erasure_rows as rows
from oneo.store.address import Address
from oneo.store.endings import ENDED
from oneo.store.executions import FINAL
from oneo.store.models import (
    Execution,
    ExecutionLog,
    InboxEvent,
    LegalHold,
    Metric,
    Record,
    RecordEvent,
    RecordHistory,
    SourceRow,
    Timer,
    Workflow,
)

# Texts that may name anybody.
_ELSEWHERE: tuple[tuple[Any, Sequence[InstrumentedAttribute[Any]]], ...] = (
    (Execution, (Execution.started_by, Execution.postponed)),
    (Workflow, (Workflow.name, Workflow.render_error)),
    (LegalHold, (LegalHold.reason, LegalHold.set_by)),
)
_ERROR = {"type": "Erased", "message": "what was kept of this was erased", "hint": None}


@dataclass(frozen=True)
class Erased:
    """What was known of a person, and is gone.

    Attributes:
        counts: How many rows, by what became of them.
        executions: Ids of the executions about the person: the object store keeps their large results.
        runs: (DAG id, run id) of them: Airflow keeps copies of their outputs.
        address: Who it was.
    """

    counts: dict[str, int]
    executions: list[UUID]
    runs: list[tuple[str, str]]
    address: Address


def erase(session: Session, email: str) -> Erased:
    """Erase the person of an e-mail address from the rows of a tenant (removal session).

    Raises:
        UserError: It is no address, something of it is on legal hold, an execution about the person is still open, or a
            document in service names the address.
    """
    address = Address(email)
    own, mentioning = finding.records_about(session, address)
    record_ids = [row.id for row in own]
    executions = finding.executions_about(session, address, record_ids)
    _refuse(session, address, [*own, *mentioning], executions)
    execution_ids = [row.id for row in executions]
    counts = {
        "tasks": rows.delete_tasks(session, address, record_ids, execution_ids),
        "notifications": rows.delete_notifications(session, address, execution_ids),
        **_empty(session, executions),
        **_erase_records(session, address, own, mentioning),
        **rows.erase_approvals(session, address, record_ids, execution_ids),
        "form_files": rows.delete_form_files(session, address, record_ids),
        "form_links": rows.delete_form_links(session, address, record_ids),
        **rows.delete_mails(session, address),
        **_erase_inbox(session, address, record_ids, execution_ids),
        "metrics_mentioning": rows.take_out(session, address, Metric, (Metric.data,)),
        "table_rows_mentioning": rows.take_out(session, address, SourceRow, (SourceRow.image,)),
        "suppressions": rows.delete_suppressions(session, address, record_ids),
        "documents_mentioning": documents.take_out(session, address),
        "other_texts": sum(rows.take_out(session, address, *one) for one in _ELSEWHERE),
    }
    runs = sorted({(row.dag_id, row.run_id) for row in executions})
    return Erased(counts, execution_ids, runs, address)


def _empty(session: Session, executions: Sequence[Execution]) -> dict[str, int]:
    """Empty executions and their log rows of what they read and wrote."""
    for row in executions:
        row.data, row.output, row.output_object = {}, None, None
        row.error = _ERROR if row.error else None
    log = update(ExecutionLog).where(ExecutionLog.execution_id.in_([row.id for row in executions]))
    session.execute(log.where(ExecutionLog.error.is_not(None)).values(error=_ERROR))
    emptied = log.values(
        input=None, output=None, context_updates=None, output_object=None, context_object=None
    )
    return {"log_rows_emptied": rows.count_of(session, emptied), "executions_emptied": len(executions)}


def _erase_records(
    session: Session, address: Address, own: Sequence[Record], mentioning: Sequence[Record]
) -> dict[str, int]:
    """Delete the person's records, and take the address out of others; so with history and events of both."""
    ids = [row.id for row in own]
    of_own = [delete(model).where(model.record_id.in_(ids)) for model in (RecordHistory, RecordEvent)]
    history, events = (rows.count_of(session, one) for one in of_own)
    changed = (RecordHistory.changes, RecordHistory.image, RecordHistory.actor)
    in_history = rows.take_out(session, address, RecordHistory, changed)
    for record in mentioning:
        record.data = address.taken_out(record.data)
        record.owner = address.taken_out(record.owner)
        record.external_id = address.taken_out(record.external_id)
    session.flush()
    # What we change here is no event for workflows to start on.
    session.execute(
        text("DELETE FROM record_events WHERE record_id = ANY(:ids) AND xmin = pg_current_xact_id()::xid"),
        {"ids": [record.id for record in mentioning]},
    )
    session.execute(delete(Record).where(Record.id.in_(ids)))
    session.execute(delete(Timer).where(Timer.record_id.in_(ids)))
    # The database has noted all that, too.
    for one in of_own:
        session.execute(one)
    rows.take_out(session, address, RecordHistory, changed)
    images = (RecordEvent.before, RecordEvent.after, RecordEvent.problem)
    return {
        "records": len(own),
        "records_mentioning": len(mentioning),
        "record_history": history,
        "record_history_mentioning": in_history,
        "record_events": events,
        "record_events_mentioning": rows.take_out(session, address, RecordEvent, images),
    }


def _erase_inbox(
    session: Session, address: Address, record_ids: Sequence[UUID], execution_ids: Sequence[UUID]
) -> dict[str, int]:
    """Delete what came in about the person's records, and ends of executions; elsewhere take the address out."""
    ended = (InboxEvent.kind == ENDED) & InboxEvent.execution_id.in_(execution_ids)
    about = delete(InboxEvent).where(InboxEvent.record_id.in_(record_ids) | ended)
    texts = (InboxEvent.topic, InboxEvent.key, InboxEvent.data, InboxEvent.problem)
    return {
        "inbox_events": rows.count_of(session, about),
        "inbox_events_mentioning": rows.take_out(session, address, InboxEvent, texts),
    }


def _refuse(session: Session, address: Address, concerned: list[Record], executions: list[Execution]) -> None:
    """Say everything that keeps the person from being erased.

    Raises:
        UserError: There is something.
    """
    reasons = holds.reasons(session, concerned, address.email)
    hints = [holds.HINT] if reasons else []
    still = [str(row.id) for row in executions if row.status not in FINAL]
    if still:
        reasons.append(f"execution {', '.join(still)} about the person has not ended")
        hints.append("wait for its end, and erase again")
    serving = documents.in_service(session, address)
    if serving:
        reasons.append(f"the address stands in {', '.join(serving)}, in service")
        hints.append("publish a version without it once its executions have ended, or withdraw it")
    if reasons:
        raise UserError(f"nothing was erased: {'; '.join(reasons)}", hint="; ".join(hints))
