"""`oneo events`: what happened, what was decided about it, and looking at it once more."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from oneo_app.commands.runs import coloured, given_data
from oneo_app.console import Json, Tenant, answer, out, plain_errors, table

Event = Annotated[int, typer.Argument(help="Number of an event.", metavar="ID")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Events, and what was decided about them.", no_args_is_help=True)
    group.command(name="list")(list_events)
    group.command(name="show")(show_event)
    group.command(name="replay")(replay)
    group.command(name="emit")(emit)
    app.add_typer(group, name="events")


def list_events(
    kind: Annotated[
        str | None, typer.Option("--kind", help="Only of this kind, e.g. created or app.")
    ] = None,
    workflow: Annotated[
        str | None, typer.Option("--workflow", help="Only those that a trigger of this workflow looked at.")
    ] = None,
    record: Annotated[str | None, typer.Option("--record", help="Only those about this record.")] = None,
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those nobody has handled yet.")] = False,
    problem: Annotated[
        bool, typer.Option("--problem", help="Only those set aside, or whose execution could not start.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most that many.")] = 20,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """List the newest events."""
    from oneo.store import event_log  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415
    from oneo_app.event_report import stuck, summary  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        record_id = record_key(record)
        with connect.store() as found, found.tenant(tenant_id) as session:
            rows = event_log.recent(
                session,
                kind=kind,
                workflow_id=workflow,
                record_id=record_id,
                waiting=waiting,
                problem=problem,
                limit=limit,
            )
            not_started = stuck(session, rows)
            events = [{**summary(row), "not_started": not_started.get(row.id, [])} for row in rows]

        def show() -> None:
            shown = table("event", "when", "kind", "topic", "record", "state", "decided")
            for one in events:
                shown.add_row(
                    str(one["event"]),
                    f"{one['at']:%Y-%m-%d %H:%M:%S}",
                    one["kind"],
                    plain(one["topic"]),
                    plain(one["record_id"]),
                    _coloured(one["state"]),
                    plain("; ".join(_lines(one))),
                )
            out.print(shown)

        answer(events, as_json, show)


def show_event(event: Event, tenant: Tenant = None, as_json: Json = False) -> None:
    """Show one event: what came in, what each trigger decided, what became of it."""
    from oneo.store import event_log  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415
    from oneo_app.event_report import event_report  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            report = event_report(session, event_log.get(session, event))

        def show() -> None:
            show_head(report)
            show_decisions(report["decisions"])
            fields = table("field", "value")
            for name, value in report["data"].items():
                fields.add_row(plain(name), plain(value))
            out.print(fields)

        answer(report, as_json, show)


def replay(
    event: Event,
    workflow: Annotated[
        str | None, typer.Option("--workflow", help="Show it only to the triggers of this workflow.")
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Bring it about as a new event: workflows it has started start again."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, with --again.")] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Look at an event once more.

    One that was set aside goes back into the queue. One that was handled is shown to the triggers as they are now;
    executions that it has started already are not started again, unless --again.
    """
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.store import event_log  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        if again and workflow is not None:
            raise UserError("--again is for all workflows", hint="leave out --workflow, or --again")
        with connect.store() as found:
            from oneo_app import replaying  # noqa: PLC0415

            if again:
                with found.tenant(tenant_id) as session:
                    event_log.get(session, event)
                _confirm(event, yes, as_json)
                number = replaying.bring_about_again(found, tenant_id, event)
                result: dict[str, Any] = {"event": number, "replayed_from": event}
                answer(result, as_json, lambda: out.print(f"event {number} is a copy of event {event}"))
                return
            decided = replaying.look_again(found, tenant_id, event, workflow)
        if decided is None:
            result = {"event": event, "state": "waiting"}
            answer(result, as_json, lambda: out.print(f"event {event} is back in the queue"))
            return
        result = {"event": event, "state": "handled", "decisions": decided}
        given = [{"trigger": name, "became": None, "reason": "", **one} for name, one in decided.items()]
        answer(result, as_json, lambda: show_decisions(given))


def emit(
    name: Annotated[str, typer.Argument(help="Name of the event, e.g. lead_qualified.")],
    data: Annotated[str | None, typer.Option("--data", "-d", help="Its data: JSON, or @FILE.")] = None,
    key: Annotated[
        str | None, typer.Option("--key", help="Your name for it: the same one again is the same event.")
    ] = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Announce an event; workflows with a `trigger_event` of that name start."""
    from oneo.store import emitting  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        given = given_data(data)
        with connect.store() as found:
            connect.ensure_tenant(found, tenant_id)
            with found.tenant(tenant_id) as session:
                number = emitting.emit(session, tenant_id, name, given, key=key)
        said = f"event {number}" if number is not None else f"an event of key {key} came before: nothing new"
        answer({"event": number, "accepted": number is not None}, as_json, lambda: out.print(plain(said)))


def show_head(report: dict[str, Any]) -> None:
    """What an event is, for people."""
    about = f"record {report['record_id']}" if report["record_id"] else ""
    out.print(
        f"[bold]event {report['event']}[/bold]  {report['kind']} {plain(report['topic'])}  "
        f"{report['at']:%Y-%m-%d %H:%M:%S}  {_coloured(report['state'])}  {about}"
    )
    if report["problem"]:
        out.print(f"[red]{plain(report['problem'])}[/red]")


def show_decisions(decisions: list[dict[str, Any]]) -> None:
    """What triggers decided about an event, for people."""
    if not decisions:
        out.print("no trigger looked at it; `oneo explain` says why")
        return
    shown = table("trigger", "decided", "because", "execution", "status", "")
    for one in decisions:
        became = one["became"] or {}
        shown.add_row(
            plain(one["trigger"]),
            one["outcome"],
            plain(one.get("reason")),
            plain(one.get("execution") or became.get("execution")),
            coloured(became["status"]) if became else "",
            plain(became.get("note") or became.get("url")),
        )
    out.print(shown)


def plain(value: Any) -> str:
    """A value as text that is no markup."""
    return "" if value is None else str(value).replace("[", r"\[")


def record_key(record: str | None) -> Any:
    """A record's id, where one is given.

    Raises:
        UserError: It is none.
    """
    from uuid import UUID  # noqa: PLC0415

    from oneo.errors import UserError  # noqa: PLC0415

    try:
        return UUID(record) if record is not None else None
    except ValueError:
        raise UserError(f"{record!r} is no record id", hint="give the id of a record") from None


def _lines(event: dict[str, Any]) -> list[str]:
    lines = [event["problem"]] if event["problem"] else []
    lines += [f"{name}: {one['outcome']}" for name, one in event["decisions"].items()]
    return lines + [f"{one['workflow']} did not start: {one['note']}" for one in event["not_started"]]


def _coloured(state: str) -> str:
    colour = {"waiting": "cyan", "set aside": "red", "handled": "green"}[state]
    return f"[{colour}]{state}[/{colour}]"


def _confirm(event: int, yes: bool, as_json: bool) -> None:
    from oneo.errors import UserError  # noqa: PLC0415

    question = f"Bring about event {event} once more? Workflows that it has started start again."
    if yes or (sys.stdin.isatty() and not as_json and typer.confirm(question, err=True)):
        return
    raise UserError("workflows that the event has started would start again", hint="add --yes")
