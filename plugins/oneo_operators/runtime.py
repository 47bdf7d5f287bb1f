"""What the nodes share that one task runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from oneo.errors import ConfigError
from oneo_operators.base import NodeOperator
from oneo_operators.journal import Journal

if TYPE_CHECKING:
    from dag_factory.plan import PlanNode
    from oneo.database import Database
    from oneo_operators.catalogue import NodeCatalogue
    from oneo_operators.services import Vault

# Each node at work may hold a connection of the store; below the pool's size none waits for one in vain.
SIDE_BY_SIDE = 8


@dataclass
class Runtime:
    """Store, secrets and executables of a task that runs several nodes.

    Attributes:
        places: How many nodes may be at work at once, on all levels together.
    """

    catalogue: NodeCatalogue
    database: Database
    vault: Vault
    journal: Journal
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SIDE_BY_SIDE))
    _operators: dict[str, NodeOperator] = field(default_factory=dict)

    def operator(self, node: PlanNode) -> NodeOperator:
        """The executable of a node, made once.

        Raises:
            ConfigError: The node type is not installed.
        """
        if node.id not in self._operators:
            operator_type = self.catalogue.get(node.type)
            if operator_type is None:
                broken = self.catalogue.broken.get(node.type)
                reason = f": {broken.source}: {broken.error}" if broken else ""
                raise ConfigError(
                    f"node type {node.type!r} of node {node.id!r} is not installed{reason}",
                    broken.hint if broken else "install the package that brings it",
                )
            self._operators[node.id] = operator_type(task_id=node.id, config=node.config)
        return self._operators[node.id]
