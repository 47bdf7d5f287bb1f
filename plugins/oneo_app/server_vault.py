"""Secrets and connections for our own processes and commands, which are no tasks of Airflow's."""

from __future__ import annotations

import os

from oneo_operators.airflow_vault import AirflowVault


def server_vault() -> AirflowVault:
    """Airflow's vault, with what is kept in its database.

    As Airflow's own commands do it: without, only secrets of the environment and of other backends are found.
    """
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    return AirflowVault()
