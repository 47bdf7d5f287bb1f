"""Helpers of the tests on the running stack."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def tenant_id() -> str:
    """A tenant of the stack that nobody else uses."""
    return f"e{uuid4().hex[:10]}"


@pytest.fixture
def publish(stack, tenant_id, tmp_path) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Publish a definition for the test's tenant and wait until it is live."""

    def now(document: dict[str, Any]) -> dict[str, Any]:
        path = tmp_path / f"{uuid4().hex}.json"
        path.write_text(json.dumps(document))
        return stack.json("publish", str(path), "--tenant", tenant_id)

    return now


@pytest.fixture
def pipelines(stack, tenant_id) -> None:
    """The sample pipelines, in the test's tenant."""
    for path in sorted((ROOT / "include/samples/pipelines").glob("*.json")):
        stack.oneo("pipelines", "apply", str(path), "--tenant", tenant_id)
