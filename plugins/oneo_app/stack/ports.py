"""Ports: the wished one, or the next that is free."""

from __future__ import annotations

import socket
from contextlib import suppress

import psutil

from oneo.errors import UserError

HOST = "127.0.0.1"
_TRIES = 100


def is_free(port: int) -> bool:
    """Whether a server could listen on the port, on all addresses."""
    for host in (HOST, ""):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def free_port(wished: int, *, taken: frozenset[int] = frozenset()) -> int:
    """The wished port, or the next free one.

    Args:
        wished: Where to begin.
        taken: Ports already promised to others.

    Raises:
        UserError: None of the next hundred is free.
    """
    last = min(wished + _TRIES, 65535)
    for port in range(wished, last + 1):
        if port not in taken and is_free(port):
            return port
    raise UserError(f"no free port between {wished} and {last}", hint="set ONEO_AIRFLOW_PORT to a free one")


def holder(port: int) -> str:
    """Who listens on a port, as far as we may see: `name (pid 12)`."""
    with suppress(psutil.AccessDenied):
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
                with suppress(psutil.NoSuchProcess):
                    return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return "another process"
