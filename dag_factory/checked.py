"""A node on its way through the checks."""

from __future__ import annotations

from dataclasses import dataclass

from dag_factory.catalogue import Branch, NodeType
from dag_factory.config import Expression
from dag_factory.definition import Node


@dataclass(frozen=True)
class Checked:
    """A node whose type is known, with where it stands and what was found in its config."""

    node: Node
    index: int
    type: type[NodeType]
    expressions: list[Expression]
    branches: tuple[Branch, ...]
    defines: frozenset[str]

    @property
    def config_path(self) -> str:
        """JSON path of its config."""
        return f"$.nodes[{self.index}].config"
