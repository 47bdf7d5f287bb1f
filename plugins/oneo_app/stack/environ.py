"""The environment of every process that acts as part of the stack."""

from __future__ import annotations

import json
import os

from oneo.settings import settings
from oneo_app.stack import state
from oneo_app.stack.airflow_config import Ports, airflow_settings, ui_url
from oneo_app.stack.databases import DatabaseUrls, urls
from oneo_app.stack.layout import Layout, layout
from oneo_app.stack.ports import HOST
from oneo_app.stack.secrets import load_secrets


def environment() -> dict[str, str]:
    """AIRFLOW_HOME, AIRFLOW__…, ONEO_…: what a process needs to find the stack's databases and servers.

    Raises:
        InfrastructureError: There is no database to point to.
    """
    where = layout()
    running = state.running(where)
    ports = Ports(**running.ports) if running is not None else Ports(api=settings().airflow_port)
    return build(where, urls(), ports)


def build(where: Layout, databases: DatabaseUrls, ports: Ports) -> dict[str, str]:
    """The environment for given databases and ports."""
    where.create()
    configured = settings().model_dump(exclude_none=True)
    configured |= {
        "home": where.home,
        "database_url": databases.oneo,
        "database_owner_url": databases.oneo_owner,
        "airflow_database_url": databases.airflow,
        "airflow_port": ports.api,
        "public_url": ui_url(ports.api),
    }
    airflow = airflow_settings(
        where=where, database_url=databases.airflow, ports=ports, secrets=load_secrets(where)
    )
    return {
        "AIRFLOW_HOME": str(where.airflow_home),
        **{setting.variable: setting.value for setting in airflow},
        **{f"ONEO_{name.upper()}": _as_text(value) for name, value in configured.items()},
    }


def _as_text(value: object) -> str:
    """A setting as the environment holds it: objects as JSON, all else as it is."""
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def child_environment(extra: dict[str, str]) -> dict[str, str]:
    """The environment of a child: ours and `extra`."""
    # Without bytecode every start imports Airflow from source: 5 s instead of 1.8 s.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for name in ("NO_PROXY", "no_proxy"):
        # Tasks report to the api-server on this machine, where a company's proxy would not find it.
        inherited[name] = ",".join(filter(None, [inherited.get(name), HOST, "localhost"]))
    return {**inherited, "PYTHONUNBUFFERED": "1", **extra}
