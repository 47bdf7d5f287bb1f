"""`oneo records capture` and `oneo pipelines connect`: records in tables of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from oneo_app.console import Json, Tenant, answer, out, plain_errors, table

if TYPE_CHECKING:
    from oneo.database import Database
    from oneo.store.pipelines import PipelineSpec


def connect_pipeline(
    pipeline: Annotated[str, typer.Argument(help="A pipeline whose records are in a table of yours.")],
    print_sql: Annotated[
        bool, typer.Option("--print-sql", help="Change nothing: print the SQL for whoever may run it there.")
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take the trigger of this pipeline away again.")
    ] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Set up the database of a pipeline's table: an account of effects, and the trigger that its capture asks for."""
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.store import pipelines  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found:
            with found.tenant(tenant_id) as session:
                spec = pipelines.get(session, pipeline)
            if spec.source is None:
                raise UserError(
                    f"the records of pipeline {pipeline!r} are in our own store",
                    hint="give it a `source` first",
                )
            connect.airflow_environment()
            from oneo.sql_table import capture  # noqa: PLC0415 - imports Airflow
            from oneo.sql_table.layout import Layout  # noqa: PLC0415
            from oneo_app.capture.taking import reached  # noqa: PLC0415
            from oneo_app.server_vault import server_vault  # noqa: PLC0415

            layout, there = Layout(spec), reached(server_vault(), tenant_id, spec.source)
            if remove:
                commands = capture.removal(tenant_id, layout)
            else:
                commands = capture.statements(tenant_id, layout, there.url.username if print_sql else None)
            if not print_sql:
                with there.transaction(tenant_id) as session:
                    capture.run(session, commands, f"connection {spec.source.connection_id!r}")
        result = {
            "pipeline": pipeline,
            "connection": spec.source.connection_id,
            "table": spec.source.table,
            "capture": spec.source.capture,
            "done": not print_sql,
            "sql": commands,
        }

        def show() -> None:
            if print_sql:
                typer.echo("".join(f"{one};\n" for one in commands))
                return
            out.print(f"{spec.id}: {spec.source.table if spec.source else ''} is set up", markup=False)

        answer(result, as_json, show)


def capture_records(
    pipeline: Annotated[
        list[str] | None, typer.Argument(help="Pipelines; default: all whose source is captured.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until interrupted; changes are taken in as they come.")
    ] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Take in the changes of tables of yours since the last time; each becomes a record event, once."""
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found:
            connect.airflow_environment()
            from oneo_app.capture.taking import Captured, of_tenant, reached, take  # noqa: PLC0415 - imports Airflow
            from oneo_app.capture.watching import watch_until_interrupted  # noqa: PLC0415
            from oneo_app.server_vault import server_vault  # noqa: PLC0415

            vault = server_vault()
            wanted = of_tenant(found, tenant_id, pipeline or [])
            if watch:

                def tell(one: Captured, count: int) -> None:
                    done = {"pipeline": one.spec.id, "events": count}
                    answer(done, as_json, lambda: out.print(f"{one.spec.id}: {count} event(s)"))

                watch_until_interrupted(found, vault, wanted, tell)
                return
            done = [
                {
                    "pipeline": one.spec.id,
                    "events": take(found, reached(vault, tenant_id, one.layout.source), one),
                }
                for one in wanted
            ]

        def show() -> None:
            shown = table("pipeline", "events")
            for one in done:
                shown.add_row(str(one["pipeline"]), str(one["events"]))
            out.print(shown)

        answer(done, as_json, show)


def fitted(found: Database, tenant_id: str, spec: PipelineSpec) -> PipelineSpec:
    """A pipeline with a source, checked against its table and complete.

    Raises:
        UserError: They do not go together, or the pipeline has records in our own store.
    """
    from oneo.errors import UserError  # noqa: PLC0415
    from oneo.sql_table.checking import checked  # noqa: PLC0415
    from oneo.store import records  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    if spec.source is None:
        return spec
    with found.tenant(tenant_id) as session:
        own = records.count(session, spec.id, {})
    if own:
        raise UserError(
            f"pipeline {spec.id!r} has {own} record(s) in our own store, which nobody would find any more",
            hint="give the pipeline of your table another id, or export and delete them first",
        )
    connect.airflow_environment()
    from oneo_app.capture.taking import reached  # noqa: PLC0415 - imports Airflow
    from oneo_app.server_vault import server_vault  # noqa: PLC0415

    with reached(server_vault(), tenant_id, spec.source).transaction(tenant_id) as session:
        return checked(session, spec)


def what_is_left(before: PipelineSpec | None, spec: PipelineSpec) -> list[str]:
    """What to do after a pipeline was applied, one sentence each."""
    if spec.source is None or (before is not None and before.source == spec.source):
        return []
    found = [f"set up its database: oneo pipelines connect {spec.id}"]
    if spec.source.capture != "none":
        found.append("changes are read where ONEO_CAPTURE is true, or by `oneo records capture`")
    return found


def is_elsewhere(before: Any, after: Any) -> bool:
    """Whether a source is about other rows than it was."""
    names = ("connection_id", "table", "key", "capture")
    return before is not None and (
        after is None or any(getattr(before, one) != getattr(after, one) for one in names)
    )
