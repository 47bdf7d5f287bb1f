"""A call of every public function of the store, made from its signature."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_type_hints
from uuid import uuid4

from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

import oneo.store
from oneo.approvals import ApprovalRequest
from oneo.forms.answers import Taken
from oneo.store import executions, models, workflows
from oneo.store.address import Address
from oneo.store.bulk import BulkRecord
from oneo.store.contacts import Wanted
from oneo.store.events import as_event
from oneo.store.families import NOBODY
from oneo.store.form_links import LinkOptions
from oneo.store.log import NodeKey
from oneo.store.models import Base
from oneo.store.pipelines import PipelineSpec
from oneo.store.quotas import Wait
from oneo.store.records import Changes
from oneo.store.source_events import TableChange
from oneo.store.workflows import TriggerRow
from oneo.verdicts import Gathers
from tests.tenants.prepared import PREPARED
from tests.tenants.world import EMAIL, LATER, SECRET, SECRET_NUMBER, Ids, World, form_of, rows_of

# How another tenant may be reached for, and by which session.
WAYS = ("same ids", "their ids", "their name", "by the system")
# Parameters that say whose rows are meant: only with one of these, a system session is bound to a tenant.
SAYS_WHOSE = {"tenant_id", "dag_id", "row", "events", "key"}


@dataclass(frozen=True)
class Aim:
    """Whose rows a call is about."""

    world: World
    tenant: str
    ids: Ids
    owner: str
    """Whose rows are handed in, where a function takes rows."""
    session: Session | None = None
    """Of the call."""
    given: Any = None
    """What was made for it: a token, a key."""


def row(aim: Aim, model: type[Base], key: str) -> Any:
    """A row as somebody who had it before would hand it in (system session)."""
    assert aim.session is not None
    of_owner = model.tenant_id == aim.owner  # type: ignore[attr-defined]
    found = aim.session.scalars(select(model).where(of_owner, text(key.format(**vars(aim.ids))))).first()
    assert found is not None
    aim.session.expunge(found)
    return found


def _log_row(aim: Aim) -> dict[str, Any]:
    key = NodeKey(aim.tenant, aim.ids.execution, f"n{uuid4().hex}")
    return {**key.columns(), "attempt": 1, "node_type": "x", "status": "success"}


ROWS: dict[type[Base], str] = {
    models.Record: "id = '{record}'",
    models.Execution: "id = '{execution}'",
    models.WorkflowVersion: "workflow_id = '{workflow}' AND version = 2",
    models.RecordEvent: "id = '{event}'",
}
# What a parameter of a name is given. A function with another parameter has no case, and fails the test, until
# it is added here.
ARGUMENTS: dict[str, Callable[[Aim], Any]] = {
    "tenant_id": lambda aim: aim.tenant,
    "workflow_id": lambda aim: aim.ids.workflow,
    "execution_id": lambda aim: aim.ids.execution,
    "record_id": lambda aim: aim.ids.record,
    "pipeline_id": lambda aim: aim.ids.pipeline,
    "task_id": lambda aim: aim.ids.task,
    "notification_id": lambda aim: aim.ids.notification,
    "event_id": lambda aim: aim.ids.event,
    "form_id": lambda aim: aim.ids.form,
    "link_id": lambda aim: aim.ids.link,
    "file_id": lambda aim: aim.ids.file,
    "submission_id": lambda aim: aim.ids.record,
    "form": lambda aim: form_of(aim.ids, "changed"),
    "options": lambda aim: LinkOptions(aim.ids.record, {"word": "changed"}),
    "token": lambda aim: aim.given,
    "file": lambda aim: Taken("word", "changed", "text/plain", b"changed"),
    "now": lambda aim: datetime.now(UTC),
    "dag_id": lambda aim: workflows.dag_id(aim.tenant, aim.ids.workflow),
    "run_id": lambda aim: executions.run_id_for(aim.ids.execution),
    "from_record": lambda aim: aim.ids.record,
    "to_record": lambda aim: aim.ids.duplicate,
    "key": lambda aim: NodeKey(aim.tenant, aim.ids.execution, "open"),
    "row": lambda aim: row(aim, models.Execution, ROWS[models.Execution]),
    "keep": lambda aim: row(aim, models.Record, "id = '{record}'"),
    "duplicates": lambda aim: [row(aim, models.Record, "id = '{duplicate}'")],
    "events": lambda aim: [as_event(row(aim, models.RecordEvent, "id = '{event}'"))],
    "event_ids": lambda aim: [aim.ids.event],
    "decisions": lambda aim: {aim.ids.event: {"changed": {"outcome": "changed"}}},
    "list_name": lambda aim: "unsubscribed",
    "lists": lambda aim: ["unsubscribed"],
    "entries": lambda aim: [("domain", f"{word}.com") for word in ("open", "omegasecret", "new")],
    "same_record": lambda aim: True,
    "most": lambda aim: 1,
    "tenant_ids": lambda aim: [aim.tenant],
    "decision": lambda aim: {"outcome": "changed"},
    "trigger": lambda aim: row(aim, models.ActiveTrigger, "workflow_id = '{workflow}'"),
    "due": lambda aim: datetime.now(UTC),
    "kind": lambda aim: "app",
    "topic": lambda aim: "changed",
    "series": lambda aim: "boiler-7",
    "kinds": lambda aim: ["created", "app"],
    "topics": lambda aim: ["*"],
    "moment": lambda aim: datetime.now(UTC),
    "older_than": lambda aim: timedelta(days=-1),
    "rows": lambda aim: [_log_row(aim)],
    "external_id": lambda aim: "E1",
    "email": lambda aim: EMAIL,
    "wanted": lambda aim: Wanted({"email": EMAIL}, threshold=0.5),
    "people": lambda aim: ["open", "changed"],
    "rotation_id": lambda aim: "round",
    "record_ids": lambda aim: [aim.ids.record, aim.ids.duplicate],
    "field_name": lambda aim: "email",
    "value": lambda aim: EMAIL,
    "values": lambda aim: [("email", EMAIL)],
    "fields": lambda aim: ["score"],
    "pipeline_ids": lambda aim: [(aim.tenant, aim.ids.pipeline)],
    "filters": lambda aim: {"email": EMAIL},
    "names": lambda aim: ["word"],
    "changes": lambda aim: Changes(set={"word": "changed"}, increment={"score": 1}),
    "spec": lambda aim: PipelineSpec(id=aim.ids.pipeline, name="changed"),
    "data": lambda aim: {"word": "changed"},
    "document": lambda aim: {"id": aim.ids.workflow},
    "triggers": lambda aim: [TriggerRow("start", "trigger_record_created", {}, ["created"], ["*"])],
    "wait": lambda aim: Wait("later", datetime.now(UTC)),
    "duration": lambda aim: timedelta(0),
    "context_from": lambda aim: ["set", "open"],
    "nodes": lambda aim: ["set", "open"],
    "origin": lambda aim: NOBODY,
    "output": lambda aim: {"word": "changed"},
    "error": lambda aim: {"message": "changed"},
    "name": lambda aim: "error_workflow",
    "pool": lambda aim: "changed",
    "address": lambda aim: Address(EMAIL),
    "subject": lambda aim: f"{aim.ids.workflow}@example.com",
    "set_by": lambda aim: "changed",
    "strategy": lambda aim: "any",
    "status": lambda aim: "failed",
    "state": lambda aim: "failed",
    "version": lambda aim: 2,
    "revision": lambda aim: 10**9,
    "until": lambda aim: 10**9,
    "attempt": lambda aim: 1,
    "number": lambda aim: 2,
    "limit": lambda aim: 1000,
    "seconds": lambda aim: -3600,
    "older_than_seconds": lambda aim: -3600,
    "due_at": lambda aim: None,
    "remind_at": lambda aim: None,
    "link_url": lambda aim: None,
    "definition_hash": lambda aim: "changed",
    "scopes": lambda aim: ["hooks"],
    "token_id": lambda aim: row(aim, models.ApiToken, "true").id,
    "approval_id": lambda aim: row(aim, models.Approval, "true").id,
    "by": lambda aim: "open",
    "path": lambda aim: "orders",
    "code": lambda aim: "signature",
    "mailbox": lambda aim: "support",
    "folder": lambda aim: "INBOX",
    "uid_validity": lambda aim: 1,
    "last_uid": lambda aim: 9,
    "content": lambda aim: b"changed",
    "size": lambda aim: 7,
    "what": lambda aim: "changed",
    "created": lambda aim: [{"word": "changed"}],
    "failures": lambda aim: True,
    "config": lambda aim: {"word": "changed"},
    "execution_ids": lambda aim: [aim.ids.execution],
    "statement": lambda aim: delete(models.Task).where(models.Task.id == aim.ids.task),
    "model": lambda aim: models.Metric,
    "columns": lambda aim: [models.Metric.data],
    "content_type": lambda aim: "text/plain",
    "effect": lambda aim: "make",
    "keys": lambda aim: ["7"],
    "images": lambda aim: {"7": {"data": {"word": "changed"}}},
    **dict.fromkeys(
        ("type", "title", "description", "priority", "assigned_to", "channel", "recipient", "message",
         "trigger_node", "trigger_type", "node_id", "node_type", "reason"),
        lambda aim: "changed",
    ),
}  # fmt: skip
# Functions whose parameter of a name means something else.
OTHERS: dict[str, dict[str, Callable[[Aim], Any]]] = {
    "log.write_row_once": {"row": _log_row},
    "holds.reasons": {"rows": lambda aim: [row(aim, models.Record, ROWS[models.Record])]},
    "log.start_attempt": {"number": lambda aim: 2},
    "log.rest": {"until": lambda aim: LATER},
    "log.write_row": {
        "status": lambda aim: "success",
        "key": lambda aim: NodeKey(aim.tenant, aim.ids.execution, "new"),
    },
    "revisions.changed_since": {"revision": lambda aim: 0},
    "duplicates.find": {"data": lambda aim: {"email": EMAIL}, "names": lambda aim: ["email"]},
    "event_log.recent": {"workflow_id": lambda aim: None},
    "executions.recent": {"status": lambda aim: "pending"},
    "gatherings.add": {"wanted": lambda aim: Gathers("changed")},
    "approvals.request": {
        "wanted": lambda aim: ApprovalRequest("changed", ["changed"]),
        "key": lambda aim: "discount",
    },
    "approvals.recent": {"status": lambda aim: "pending"},
    "approvals.decide": {"decision": lambda aim: "approve"},
    "outgoing.settle": {
        "row": lambda aim: row(aim, models.Notification, "id = '{notification}'"),
        "status": lambda aim: "sent",
    },
    "outgoing.recent": {"status": lambda aim: None},
    "outgoing.explain": {"problem": lambda aim: "changed"},
    "outgoing.expire": {"problem": lambda aim: "changed"},
    "outgoing.give_up": {"problem": lambda aim: "changed", "silent_for": lambda aim: timedelta(days=-1)},
    "holds.place": {"kind": lambda aim: "email", "subject": lambda aim: f"new@{aim.ids.workflow}.com"},
    "holds.lift": {"kind": lambda aim: "email"},
    "gatherings.put_back": {
        "row": lambda aim: row(aim, models.Gathering, "workflow_id = '{workflow}'"),
    },
    "events.note_decision": {"trigger": lambda aim: "changed"},
    "event_log.after": {"event_id": lambda aim: 0},
    "event_log.copy": {"row": lambda aim: row(aim, models.RecordEvent, ROWS[models.RecordEvent])},
    "timers.arm": {"key": lambda aim: "k", "node_id": lambda aim: "start"},
    "timers.disarm": {"key": lambda aim: "k", "node_id": lambda aim: "start"},
    "unique.remember": {"all_fields": lambda aim: []},
    "unique.holder": {"field_name": lambda aim: "number", "value": lambda aim: "E1"},
    "metrics.push": {"values": lambda aim: {"word": "changed"}},
    "inbox.find": {"key": lambda aim: "changed"},
    "api_tokens.bearer": {"key": lambda aim: aim.given},
    "mail_files.keep": {
        "file_id": lambda aim: uuid4(),
        "event_id": lambda aim: row(aim, models.InboxEvent, "true").id,
    },
    "mail_files.of_event": {"event_id": lambda aim: row(aim, models.MailFile, "true").event_id},
    "quotas.wait_of_workflow": {"most": lambda aim: 0},
    "suppressions.listed": {
        "data": lambda aim: {"email": "x@open.com", "private_email": "x@omegasecret.com"},
    },
    "timers.fire_due": {"now": lambda aim: LATER + timedelta(days=1)},
    "triggers.of_kind": {"kind": lambda aim: "created"},
    "workflows.note_render_error": {"error": lambda aim: "changed"},
    "mail_files.get": {"file_id": lambda aim: row(aim, models.MailFile, "true").id},
    "tenants.create": {"tenant_id": lambda aim: aim.tenant},
    "limits.limit_of": {"name": lambda aim: "max_storage_mb"},
    "bulk.known_ids": {"ids": lambda aim: [aim.ids.record]},
    "bulk.having": {"field": lambda aim: "email", "values": lambda aim: [EMAIL]},
    "bulk.insert": {"rows": lambda aim: [BulkRecord(uuid4(), {"word": "changed"})]},
    "bulk.update": {"rows": lambda aim: [BulkRecord(aim.ids.record, {"word": "changed"})]},
    "bulk.set_events": {"events": lambda aim: "silent"},
    "sources.note_writer": {"key": lambda aim: "7"},
    "source_events.write": {
        "changes": lambda aim: [TableChange("7", None, {"id": "7", "data": {"word": "changed"}})],
    },
    "relations.descendants": {"parent": lambda aim: aim.ids.record},
    "relations.relate": {
        "parent": lambda aim: row(aim, models.Record, "id = '{record}'"),
        "child": lambda aim: row(aim, models.Record, "id = '{duplicate}'"),
        "kind": lambda aim: "contact",
    },
}
# Their number is no count: two tenants have different ones.
NUMBERED = {
    "revisions.current_revision",
    "emitting.emit",
    "event_log.copy",
    "event_log.newest_id",
    "inbox.find",
    "inbox.put",
    "metrics.push",
}
# What calls show that find nothing.
NOTHING = ("", "None", "[]", "{}", "0", "False")
# What neither shows nor changes anything of anybody: locks and conditions.
SILENT = {
    "bulk.count_anew",
    "bulk.set_events",
    "dag_runs.await_start",
    "holds.refuse_removal",
    "locks.lock_values",
    "quotas.check_records",
    "storage.check",
    "storage.check_record",
    "tenants.create",
    "tenants.ensure",
    "unique.remember",
}
# What the owner hands in beside: his rows with the usual ids are there already.
NEW: dict[str, dict[str, Callable[[Aim], Any]]] = {
    "approvals.decide": {"by": lambda aim: SECRET if aim.owner == aim.world.theirs else "open"},
    "notifications.create_once": {"notification_id": lambda aim: uuid4()},
    "sources.begin_effect": {"effect": lambda aim: "new"},
    "sources.note_writer": {"key": lambda aim: "new"},
    "executions.enqueue": {"execution_id": lambda aim: uuid4()},
    "form_files.keep": {"file_id": lambda aim: uuid4()},
    "form_links.create": {"link_id": lambda aim: uuid4()},
    "notifications.create": {"notification_id": lambda aim: uuid4()},
    "records.create": {"record_id": lambda aim: uuid4()},
    "tasks.create": {"task_id": lambda aim: uuid4()},
    "tenants.create": {"tenant_id": lambda aim: f"n{uuid4().hex}"},
}
# What has a default is left out, unless it names rows.
OPTIONAL = {
    "tenant_id",
    "workflow_id",
    "execution_id",
    "record_id",
    "dag_id",
    "status",
    "output",
    "error",
    "link_id",
    "file_id",
}


def functions() -> dict[str, Callable[..., Any]]:
    """Every public function of the store that takes a session, by module and name."""
    return {
        f"{found.name}.{name}": function
        for found in pkgutil.iter_modules(oneo.store.__path__)
        for module in [importlib.import_module(f"oneo.store.{found.name}")]
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and "session" in inspect.signature(function).parameters
    }


def cases() -> Iterator[tuple[str, str]]:
    """Every function with every way that makes sense for it."""
    for name, function in functions().items():
        for way in WAYS:
            if way != "by the system" or SAYS_WHOSE & set(inspect.signature(function).parameters):
                yield name, way


def unknown(name: str) -> list[str]:
    """Parameters of a function that nobody has said how to fill."""
    parameters = list(inspect.signature(functions()[name]).parameters.values())[1:]
    known = {*ARGUMENTS, *OTHERS.get(name, {})}
    return [one.name for one in parameters if one.default is one.empty and one.name not in known]


def problem(world: World, name: str, way: str) -> str | None:
    """What a function shows or changes of theirs; None where it is nothing. Nothing of it is kept."""
    theirs = world.theirs
    aim = {
        "same ids": Aim(world, world.mine, world.shared, world.mine),
        "their ids": Aim(world, world.mine, world.only, theirs),
        "their name": Aim(world, theirs, world.only, theirs),
        "by the system": Aim(world, world.mine, world.shared, world.mine),
    }[way]
    ran = _call(name, aim, theirs, system=way == "by the system")
    if ran.changed:
        return f"changed {ran.changed}"
    # What was handed in is no news.
    known_by = [str(SECRET_NUMBER), theirs, *(str(one) for one in vars(world.only).values())]
    if SECRET in ran.shown or any(one in ran.shown and one not in ran.told for one in known_by):
        return f"showed {ran.shown}"
    if way == "same ids" and world.numbers.get(name, ran.shown) != ran.shown:
        return f"counted {ran.shown} instead of {world.numbers[name]}"
    return None


def numbers(world: World) -> dict[str, str]:
    """What the functions that count say to a tenant that has its rows to itself."""
    aim = Aim(world, world.alone, world.shared, world.alone)
    found = {name: _call(name, aim, world.theirs, system=False).shown for name in functions()}
    return {name: shown for name, shown in found.items() if shown.isdigit() and name not in NUMBERED}


def fault(world: World, name: str, way: str) -> str | None:
    """Why a case proves nothing: for the owner of the rows it is about, the function fails or does nothing.

    None where the owner is shown something, or changes something of his.
    """
    mine = way in ("same ids", "by the system")
    tenant, ids = (world.mine, world.shared) if mine else (world.theirs, world.only)
    ran = _run(name, Aim(world, tenant, ids, tenant), caller=tenant, watched=tenant)
    if ran.failed:
        return f"failed: {ran.shown}"
    if name not in SILENT and not ran.changed and ran.shown in NOTHING:
        return f"showed {ran.shown!r} and changed nothing"
    return None


@dataclass(frozen=True)
class Ran:
    """What became of a call.

    Attributes:
        shown: What it shows, or its error.
        changed: The tables in which it changed rows of the tenant that is watched.
        failed: Whether it was an error.
        told: What was handed in.
    """

    shown: str
    changed: list[str]
    failed: bool
    told: str


def _call(name: str, aim: Aim, theirs: str, *, system: bool) -> Ran:
    """A call by somebody else, with an eye on their rows."""
    caller = aim.world.alone if aim.tenant == aim.world.alone else aim.world.mine
    return _run(name, aim, caller=caller, watched=theirs, role="oneo_system" if system else None)


def _run(name: str, aim: Aim, *, caller: str, watched: str, role: str | None = None) -> Ran:
    """A call of which nothing is kept.

    Without a role, it is the one that the function is documented for; a tenant's own for those of the system, too,
    where somebody else than the owner calls.
    """
    function = functions()[name]
    database = aim.world.database
    said = str(function.__doc__)
    if role is None:
        removes, is_owner = "(removal session)" in said, caller == watched
        system = "(system session)" in said and is_owner
        role = "oneo_system" if system else "oneo_removal" if removes else "oneo_app"
    sessions = {"oneo_system": database.system, "oneo_removal": lambda: database.removal(caller)}
    with sessions.get(role, lambda: database.tenant(caller))() as session:
        aim = replace(aim, session=session, given=_prepare(session, name, aim, watched))
        session.execute(
            text("SELECT set_config('oneo.tenant', :tenant, true)"), {"tenant": _bound(role, caller)}
        )
        session.execute(text("SET LOCAL ROLE oneo_system"))
        arguments = _arguments(name, function, aim, NEW if caller == watched else {})
        told, before = _text(arguments), rows_of(session, watched)
        session.execute(text(f"SET LOCAL ROLE {role}"))
        shown, failed = "", False
        try:
            with session.begin_nested():
                shown = _attached(session, function, arguments)
                session.flush()
        except Exception as error:
            shown, failed = str(error), True
        session.expunge_all()
        session.execute(text("SET LOCAL ROLE oneo_system"))
        after = rows_of(session, watched)
        session.rollback()
    return Ran(shown, [table for table in after if after[table] != before[table]], failed, told)


def _prepare(session: Session, name: str, aim: Aim, watched: str) -> Any:
    """Make what the function needs, for all who have rows of these ids; what was made for the owner."""
    given = None
    # The owner's last. Of a world of one, the others are not there yet.
    for tenant in dict.fromkeys((aim.owner,) if aim.owner == aim.world.alone else (watched, aim.owner)):
        if name in PREPARED:
            session.execute(text("SELECT set_config('oneo.tenant', :tenant, true)"), {"tenant": tenant})
            session.execute(text("SET LOCAL ROLE oneo_app"))
            given = PREPARED[name](session, tenant, aim.ids)
            session.flush()
            session.expunge_all()
    session.info.clear()
    return given


def _bound(role: str, caller: str) -> str:
    return "" if role == "oneo_system" else caller


def _attached(session: Session, function: Callable[..., Any], arguments: dict[str, Any]) -> str:
    for value in arguments.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Base):
                session.add(one)
    return _text(function(session, **arguments))


def _arguments(
    name: str, function: Callable[..., Any], aim: Aim, new: Mapping[str, Mapping[str, Callable[[Aim], Any]]]
) -> dict[str, Any]:
    special = {**OTHERS.get(name, {}), **new.get(name, {})}
    hints = get_type_hints(function)
    found = {}
    for one in list(inspect.signature(function).parameters.values())[1:]:
        if one.default is not one.empty and one.name not in OPTIONAL and one.name not in special:
            continue
        if one.name == "row" and "row" not in special and hints["row"] in ROWS:
            found[one.name] = row(aim, hints["row"], ROWS[hints["row"]])
        else:
            found[one.name] = {**ARGUMENTS, **special}[one.name](aim)
    return found


def _text(value: Any) -> str:
    if isinstance(value, Base):
        return str({column.key: getattr(value, column.key) for column in value.__table__.columns})
    if is_dataclass(value) and not isinstance(value, type):
        return _text({name: getattr(value, name) for name in value.__dataclass_fields__})
    if isinstance(value, dict):
        return str({str(name): _text(held) for name, held in value.items()})
    if isinstance(value, list | tuple | set) or inspect.isgenerator(value):
        return str([_text(one) for one in value])
    return str(value)
