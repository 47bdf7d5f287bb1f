"""Secrets and connections for our own processes and commands, which are no tasks of Airflow's."""

from __future__ import annotations

import os

from oneo.settings import settings
from oneo_app.stack import state
from oneo_app.stack.layout import layout
from oneo_operators.airflow_vault import AirflowVault


def server_vault() -> AirflowVault:
    """Airflow's vault, with what is kept in its database.

    As Airflow's own commands do it: without, only secrets of the environment and of other backends are found.
    """
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    return AirflowVault()


def local_vault() -> AirflowVault:
    """The vault of a run in a command's own process: with what is in Airflow's database, where there is one."""
    has_database = state.running(layout()) is not None or settings().airflow_database_url is not None
    return server_vault() if has_database else AirflowVault()
