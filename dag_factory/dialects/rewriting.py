"""From the canonical form into a dialect."""

from __future__ import annotations

from typing import Literal

from dag_factory.definition import Workflow
from dag_factory.dialects.write_reactflow import write_reactflow
from dag_factory.dialects.write_steps import write_steps
from dag_factory.dialects.writing import Rewritten, about, given


def rewrite(workflow: Workflow, dialect: Literal["catalogue", "reactflow", "steps"]) -> Rewritten:
    """Write a definition in a dialect; reading that again gives the same workflow."""
    if dialect == "reactflow":
        return write_reactflow(workflow)
    if dialect == "steps":
        return write_steps(workflow)
    document = {**about(workflow), "nodes": [given(node) for node in workflow.nodes]}
    if workflow.edges is not None:
        document["edges"] = [given(edge) for edge in workflow.edges]
    return Rewritten(document)
