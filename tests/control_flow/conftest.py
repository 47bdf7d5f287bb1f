"""Fixtures of the control-flow cases."""

from __future__ import annotations

from tests.nodes.conftest import behave, bench, server

__all__ = ["behave", "bench", "server"]
