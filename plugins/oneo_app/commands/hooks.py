"""`oneo hooks`: addresses that other systems call."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from oneo_app.console import USER_PROBLEM, Json, Tenant, answer, out, plain_errors, table

Path = Annotated[str, typer.Argument(help="Path of a hook, the last part of its address.", metavar="PATH")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Hooks: addresses that other systems call.", no_args_is_help=True)
    group.command(name="list")(list_hooks)
    group.command(name="show")(show_hook)
    group.command(name="test")(try_hook)
    app.add_typer(group, name="hooks")


def list_hooks(tenant: Tenant = None, as_json: Json = False) -> None:
    """List the hooks of all active workflows."""
    from oneo_app import connect, hooks  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            rows = hooks.all_hooks(session, tenant_id)

        def show() -> None:
            shown = table("path", "workflow", "methods", "signature", "address")
            for row in rows:
                methods = ", ".join(row["methods"])
                shown.add_row(row["path"], row["workflow"], methods, row["signature"], row["url"])
            out.print(shown)

        answer(rows, as_json, show)


def show_hook(
    path: Path,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="Events at most.")] = 20,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Show the last events of a hook with what became of each, and what it refused and why."""
    from oneo_app import connect, hooks  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            report = hooks.report(session, tenant_id, path, limit)
        answer(report, as_json, lambda: _show(report))


def try_hook(
    path: Path,
    data: Annotated[str, typer.Option("--data", "-d", help="The body that is sent, as JSON.")] = "{}",
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Send a request, signed as the hook wants it, to the local stack. Exit code 1 where it is refused."""
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        connect.airflow_environment()
        from oneo_app import hook_trial  # noqa: PLC0415 - imports Airflow

        with connect.running_stack() as found:
            result = hook_trial.send(found, tenant_id, path, data)
        answer(result, as_json, lambda: out.print(f"{result['status']}: {result['answer']}", markup=False))
        if result["status"] >= 400:
            raise typer.Exit(USER_PROBLEM)


def _show(report: dict[str, Any]) -> None:
    events = table("event", "when", "id of the sender", "workflow", "outcome", "reason")
    for event in report["events"]:
        start = (str(event["event"]), f"{event['at']:%Y-%m-%d %H:%M:%S}", _plain(event["key"]))
        decisions = event["decisions"] or {"": {"outcome": "set aside" if event["problem"] else "waiting"}}
        for where, decision in decisions.items():
            reason = decision.get("reason") or event["problem"]
            events.add_row(*start, where.partition("/")[0], decision["outcome"], _plain(reason))
    out.print(events)
    refused = table("refused", "times", "last", "why")
    for one in report["refused"]:
        refused.add_row(one["code"], str(one["count"]), f"{one['last_at']:%Y-%m-%d %H:%M:%S}", one["message"])
    if report["refused"]:
        out.print(refused)


def _plain(value: Any) -> str:
    return "" if value is None else str(value).replace("[", r"\[")
