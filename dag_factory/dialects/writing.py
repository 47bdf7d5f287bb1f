"""What writing a definition in another dialect results in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dag_factory.definition import Workflow
from dag_factory.written import written_edges
from oneo.problems import Problem


@dataclass
class Rewritten:
    """A definition in another dialect.

    Attributes:
        document: The document; what `problems` name is missing from it.
        problems: What that dialect cannot say.
        approximations: What is said another way there.
    """

    document: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    approximations: list[str] = field(default_factory=list)


def given(model: Any, *, leave_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a part of a definition says beyond its defaults."""
    found: dict[str, Any] = model.model_dump(mode="json", exclude_defaults=True, exclude_unset=True)
    return {key: value for key, value in found.items() if key not in leave_out}


def edges_of(workflow: Workflow) -> list[dict[str, Any]]:
    """The edges; the listed order written out where there are none."""
    if workflow.edges is not None:
        return [given(edge) for edge in workflow.edges]
    # Ways to fallback nodes are written where they are named.
    listed = [edge for edge in written_edges(workflow) if edge.condition is None]
    return [{"source": edge.source, "target": edge.target} for edge in listed]


def about(workflow: Workflow) -> dict[str, Any]:
    """What a definition says about the workflow as a whole, in canonical keys."""
    parts: Mapping[str, Any] = given(workflow, leave_out=("nodes", "edges"))
    return {"id": workflow.key, "name": workflow.name, **parts}
