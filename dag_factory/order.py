"""What runs before what, on every level of a definition: outside loops, and inside each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property

from dag_factory.graph import ancestors, topological_order
from dag_factory.loops import Loops


class Order:
    """The order of a definition's nodes. A loop node stands for its body on the level it is on.

    Args:
        ids: All node ids, as listed.
        pairs: (source, target) of everything that orders nodes; without cycles.
        loops: The loops.

    Attributes:
        pairs: The pairs by level.
        sources: For each node, those of its own level that lead to it.
    """

    def __init__(self, ids: Sequence[str], pairs: Sequence[tuple[str, str]], loops: Loops) -> None:
        self._loops = loops
        self._nodes: dict[str | None, list[str]] = defaultdict(list)
        for node in ids:
            self._nodes[loops.level(node)].append(node)
        self.pairs: dict[str | None, list[tuple[str, str]]] = defaultdict(list)
        for source, target in pairs:
            level = loops.level(source)
            lifted = loops.lifted(target, level)
            if lifted != source and loops.level(lifted) == level:
                self.pairs[level].append((source, lifted))
        self.sources: dict[str, list[str]] = {node: [] for node in ids}
        for edges in self.pairs.values():
            for source, target in dict.fromkeys(edges):
                self.sources[target].append(source)
        self._visible: dict[str, list[str]] = {}

    def nodes(self, level: str | None) -> list[str]:
        """The nodes of a level in topological order."""
        return topological_order(self._nodes[level], self.pairs[level])

    @cached_property
    def before(self) -> dict[str, list[str]]:
        """For each node, those of its own level that may run before it."""
        found: dict[str, list[str]] = {}
        for level, nodes in self._nodes.items():
            found |= ancestors(nodes, self.pairs[level])
        return found

    def context_from(self, node: str) -> list[str]:
        """The nodes whose context updates a node sees, in the order they come."""
        level = self._loops.level(node)
        if level is None:
            return self.before[node]
        carried = [level] if self._loops.by_owner[level].spec.carries else []
        return [*self.context_from(level), *carried, *self.before[node]]

    def visible(self, node: str) -> list[str]:
        """The nodes whose outputs a node can read; for the node of a loop that carries, those in its body too."""
        if node not in self._visible:
            level = self._loops.level(node)
            found = [] if level is None else [*self.visible(level), *self._earlier_rounds(level)]
            for earlier in self.before[node]:
                found += [earlier, *self._left_by(earlier)]
            # A loop node looks at what its rounds gave to decide whether there is another.
            found += self._left_by(node)
            self._visible[node] = list(dict.fromkeys(found))
        return self._visible[node]

    def visible_at_end(self) -> list[str]:
        """The nodes whose outputs can be read once all of them have ended."""
        return [one for node in self._nodes[None] for one in (node, *self._left_by(node))]

    def _earlier_rounds(self, owner: str) -> list[str]:
        if not self._loops.by_owner[owner].spec.carries:
            return []
        return [one for node in self._nodes[owner] for one in (node, *self._left_by(node))]

    def _left_by(self, node: str) -> list[str]:
        """The nodes inside a loop whose last outputs stay when it has ended."""
        loop = self._loops.by_owner.get(node)
        if loop is None or not loop.spec.carries:
            return []
        return [one for inner in self._nodes[node] for one in (inner, *self._left_by(inner))]
