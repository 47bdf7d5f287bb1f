"""The Airflow plugin, registered once through the entry point `airflow.plugins`."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from oneo_app import listener
from oneo_app.http.app import PREFIX, LazyApp

# Imported here for the scheduler, whose forked workers then start tasks without importing them again.
from oneo_operators import airflow_task, shard  # noqa: F401


class OneoPlugin(AirflowPlugin):
    """Tells the dispatcher how runs end, and answers over HTTP."""

    name = "oneo"
    listeners: ClassVar[list[Any]] = [listener]
    fastapi_apps: ClassVar[list[Any]] = [{"app": LazyApp(), "url_prefix": PREFIX, "name": "oneo"}]
