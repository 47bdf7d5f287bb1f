"""Processes of the stack, found by what they do."""

from __future__ import annotations

import os

import psutil

from tests.http.server import RecordingServer


def caller_of(server: RecordingServer) -> int:
    """Id of the process that has a connection to the server open, other than its own."""
    return next(
        one.pid
        for one in psutil.net_connections("tcp")
        if one.raddr and one.raddr.port == server.port and one.pid not in (None, os.getpid())
    )
