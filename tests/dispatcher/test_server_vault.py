"""Our own processes find the connections that people keep in Airflow's database."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from airflow import settings
from airflow.models import Connection
from airflow.utils.session import create_session

from tests.dispatcher.airflow_db import AirflowDb, airflow_db

__all__ = ["airflow_db"]


@pytest.mark.parametrize(
    ("vault", "found"),
    [
        ("from oneo_app.server_vault import server_vault as vault", "mail.example.com"),
        # What a process sees of Airflow that does not say what it is.
        ("from oneo_operators.airflow_vault import AirflowVault as vault", "None"),
    ],
)
def test_what_is_kept_in_airflow_s_database(airflow_db: AirflowDb, vault: str, found: str) -> None:
    key = f"oneo__acme__{'server' if 'server' in vault else 'other'}"
    with create_session() as session:
        session.add(Connection(conn_id=key, conn_type="imap", host="mail.example.com"))
    source = f"{vault}; print(getattr(vault().connection({key!r}), 'host', None))"
    # Whatever another test has set since Airflow was imported: it is this process's database that is meant.
    here = {name: value for name, value in os.environ.items() if name != "_AIRFLOW_PROCESS_CONTEXT"}
    here["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = str(settings.engine.url)
    done = subprocess.run(
        [sys.executable, "-c", source], env=here, capture_output=True, text=True, check=True
    )
    assert done.stdout.split()[-1] == found
