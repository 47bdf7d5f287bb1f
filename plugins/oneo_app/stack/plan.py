"""What the stack is made of."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from oneo.settings import settings
from oneo_app.stack import postgres
from oneo_app.stack.airflow_config import Ports, ui_url
from oneo_app.stack.component import Component, Stage
from oneo_app.stack.databases import needs_embedded, resolve
from oneo_app.stack.environ import build
from oneo_app.stack.health import AirflowHealth, file_touched, postgres_answers
from oneo_app.stack.layout import Layout
from oneo_app.stack.migrate import migrate_databases
from oneo_app.stack.ports import HOST, free_port, holder
from oneo_app.stack.secrets import create_login
from oneo_app.stack.warmup import warm_up

# Stop order: first what starts new work, then what runs it, then what it reports to, then what it is stored in.
_STARTS_WORK, _RUNS_WORK, _SERVES, _STORES = range(4)


def choose_ports() -> tuple[Ports, list[str]]:
    """Free ports.

    Returns:
        The ports, and what a user should know about the choice.
    """
    wished = settings().airflow_port
    api = free_port(wished)
    worker = free_port(8793, taken=frozenset({api}))
    trigger = free_port(8794, taken=frozenset({api, worker}))
    notes = [] if api == wished else [f"port {wished} is taken by {holder(wished)}: using {api}"]
    return Ports(api=api, worker_logs=worker, trigger_logs=trigger), notes


def stages(where: Layout, ports: Ports) -> Sequence[Stage]:
    """Everything to start, in order."""
    databases = resolve(where)
    environment = build(where, databases, ports)
    base_url = f"http://{HOST}:{ports.api}"
    create_login(where)

    async def migrate() -> None:
        await migrate_databases(where, databases, environment)

    async def warm() -> None:
        await warm_up(where, base_url)

    return [
        Stage(
            components=[_postgres(where)] if needs_embedded() else [],
            action=migrate,
            action_name="migrate databases",
        ),
        Stage(
            components=[
                *_airflow(environment, AirflowHealth(base_url), ui_url(ports.api)),
                *(_own(name, where, environment) for name in _own_programs()),
            ],
            action=warm,
            action_name="warm up",
        ),
    ]


def _postgres(where: Layout) -> Component:
    return Component(
        name="postgres",
        command=postgres.command(where),
        is_ready=postgres_answers(where),
        before_start=lambda: postgres.initialise(where),
        find_running=lambda: postgres.postmaster(where),
        run_as=postgres.run_as(),
        stop_rank=_STORES,
        stop_signal=postgres.STOP_SIGNAL,
        grace=30,
    )


def _airflow(environment: dict[str, str], health: AirflowHealth, url: str) -> list[Component]:
    def command(name: str) -> list[str]:
        return [sys.executable, "-m", "airflow", name]

    return [
        Component(
            name="api-server",
            command=command("api-server"),
            environment=environment,
            is_ready=health.api_server,
            url=url,
            stop_rank=_SERVES,
            grace=2,  # it closes its server at once, then takes seconds to unload itself
        ),
        *(
            Component(
                name=name,
                command=command(name),
                environment=environment,
                is_ready=health.job(name.replace("-", "_")),
                stop_rank=_RUNS_WORK,
                # A triggerer waits for ever for a child that has ended; what it waits for is in the database.
                grace=1 if name == "triggerer" else 5,
            )
            for name in ("scheduler", "dag-processor", "triggerer")
        ),
    ]


def _own_programs() -> list[str]:
    """Those of our programs that this stack needs: what they do starts work."""
    mail, capture = bool(settings().mailboxes.strip()), settings().capture
    return ["dispatcher", *(["mail"] if mail else []), *(["capture"] if capture else [])]


def _own(name: str, where: Layout, environment: dict[str, str]) -> Component:
    """`python -m oneo_app.<name>`."""
    ready_file = where.run / f"{name}.ready"
    return Component(
        name=name,
        command=[sys.executable, "-m", f"oneo_app.{name}"],
        environment={**environment, "ONEO_READY_FILE": str(ready_file)},
        is_ready=file_touched(ready_file),
        before_start=lambda: ready_file.unlink(missing_ok=True),
        stop_rank=_STARTS_WORK,
    )
