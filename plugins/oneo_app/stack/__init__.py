"""The local stack: PostgreSQL, Airflow and the dispatcher, supervised as one.

Names are loaded on first use: Airflow's workers import this package for one small function, and a
command that only asks for the state should not pay for a supervisor.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oneo_app.stack.api import ApiClient as ApiClient
    from oneo_app.stack.api import api_client as api_client
    from oneo_app.stack.databases import DatabaseUrls as DatabaseUrls
    from oneo_app.stack.databases import urls as urls
    from oneo_app.stack.embedded import embedded_postgres as embedded_postgres
    from oneo_app.stack.environ import environment as environment
    from oneo_app.stack.report import status as status

_HOMES = {
    "ApiClient": "api",
    "DatabaseUrls": "databases",
    "api_client": "api",
    "embedded_postgres": "embedded",
    "environment": "environ",
    "status": "report",
    "urls": "databases",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
