"""`oneo mail`: mailboxes whose mail starts workflows."""

from __future__ import annotations

from typing import Annotated

import typer

from oneo_app.console import Json, Tenant, answer, out, plain_errors, table


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    group = typer.Typer(help="Mailboxes whose mail starts workflows.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command(name="fetch")(fetch_mail)
    app.add_typer(group, name="mail")


def fetch_mail(
    mailbox: Annotated[
        str, typer.Argument(help="Name of an Airflow connection of type imap.", metavar="CONNECTION")
    ] = "oneo_imap",
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until interrupted; mail is taken in as it comes.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="At the first time, also take in what is there already.")
    ] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Take in the mail that has come to a mailbox since the last time; each mail becomes an event, once."""
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found:
            connect.airflow_environment()
            from oneo_app.mail.access import access  # noqa: PLC0415 - imports Airflow
            from oneo_app.mail.fetching import Fetched, fetch  # noqa: PLC0415
            from oneo_app.mail.watching import watch_until_interrupted  # noqa: PLC0415
            from oneo_app.server_vault import server_vault  # noqa: PLC0415

            def show(done: Fetched) -> None:
                def lines() -> None:
                    shown = table("what became of it", "mails")
                    for name, count in done.as_json().items():
                        shown.add_row(name, str(count))
                    out.print(shown)
                    if done.left:
                        out.print("what was there before is left alone; at the first time --all takes it in")

                answer(done.as_json(), as_json, lines)

            box = access(server_vault(), tenant_id, mailbox)
            if watch:
                watch_until_interrupted(found, box, everything=everything, tell=show)
            else:
                show(fetch(found, box, everything=everything))
