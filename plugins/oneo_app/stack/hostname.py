"""The name Airflow's processes of the local stack have for their machine."""

from __future__ import annotations


def local_hostname() -> str:
    """Always `localhost`: all processes share one machine, and its real name may not resolve."""
    return "localhost"
