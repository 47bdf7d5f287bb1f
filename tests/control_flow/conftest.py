"""Fixtures of the control-flow cases."""

from __future__ import annotations

from tests.nodes.conftest import bench, server

__all__ = ["bench", "server"]
