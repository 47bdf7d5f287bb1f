"""What the nodes that call workflows share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dag_factory.catalogue import Call
from oneo.expressions import is_template


def call_in(config: Mapping[str, Any], inputs: Any = None) -> Call | None:
    """The call that a config makes; None where an expression says which workflow it is.

    Args:
        config: The config, expressions not evaluated.
        inputs: What the workflow's variables are given, where they are checked.
    """
    workflow_id, version = config.get("workflow_id"), config.get("version")
    if not isinstance(workflow_id, str) or is_template(workflow_id):
        return None
    if version is not None and not isinstance(version, int):
        return Call(workflow_id)
    return Call(workflow_id, version, inputs if isinstance(inputs, Mapping) else None)
