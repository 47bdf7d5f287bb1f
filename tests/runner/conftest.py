"""The bench of the node tests serves the runner's tests too."""

from __future__ import annotations

from tests.nodes.conftest import behave, bench

__all__ = ["behave", "bench"]
