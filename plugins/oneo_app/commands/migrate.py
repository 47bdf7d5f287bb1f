"""`oneo migrate`: the oneo database at its newest schema, and its user a member of its roles."""

from __future__ import annotations

import typer

from oneo_app.console import Json, answer, out, plain_errors


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(migrate)


def migrate(as_json: Json = False) -> None:
    """Create or update the tables of the oneo database; `oneo up` does it by itself."""
    from oneo.settings import settings  # noqa: PLC0415 - the command line must start fast
    from oneo_app.stack.embedded import embedded_postgres  # noqa: PLC0415
    from oneo_app.stack.migrate import oneo_revisions  # noqa: PLC0415

    with plain_errors(as_json):
        configured = settings()
        if configured.database_url is None:
            with embedded_postgres() as urls:
                _migrate(urls.oneo_owner, urls.oneo)
                revision, _ = oneo_revisions(urls.oneo_owner)
        else:
            owner = configured.database_owner_url or configured.database_url
            _migrate(owner, configured.database_url)
            revision, _ = oneo_revisions(owner)
        answer({"revision": revision}, as_json, lambda: out.print(f"the oneo database is at {revision}"))


def _migrate(owner_url: str, user_url: str) -> None:
    import psycopg  # noqa: PLC0415
    from psycopg import sql  # noqa: PLC0415
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    from oneo.database import migrate as run_migrations  # noqa: PLC0415
    from oneo.errors import InfrastructureError  # noqa: PLC0415

    owner, user = make_url(owner_url), make_url(user_url)
    try:
        run_migrations(owner_url)
        if user.username in (None, owner.username):
            return
        dsn = owner.set(drivername="postgresql").render_as_string(hide_password=False)
        grant = sql.SQL("GRANT oneo_app, oneo_system, oneo_removal TO {}").format(
            sql.Identifier(user.username or "")
        )
        with psycopg.connect(dsn, connect_timeout=5) as connection:
            connection.execute(grant)
    except (DBAPIError, psycopg.Error) as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        raise InfrastructureError(
            f"{owner.render_as_string(hide_password=True)} cannot be migrated: {reason}",
            hint="ONEO_DATABASE_OWNER_URL must name a user who owns the database and may create roles",
        ) from error
