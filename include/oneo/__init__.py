"""The foundation: settings, store, expressions, errors. Knows no Airflow.

`oneo.emit("lead_qualified", {"score": 80})` announces an event from any program that has ONEO_DATABASE_URL.
"""

from oneo.emitting import emit

__all__ = ["emit"]
