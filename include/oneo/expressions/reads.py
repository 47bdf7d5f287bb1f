"""What an expression reads, found without evaluating it."""

from __future__ import annotations

from dataclasses import dataclass, field

from oneo.expressions.lookup import Path, show_path
from oneo.expressions.scope import NODE_PREFIX, NODE_ROOTS


@dataclass(frozen=True, slots=True)
class PathRead:
    """One path an expression reads.

    Attributes:
        path: Its steps, e.g. `("record", "score")`; what follows a computed key is not part of it.
        position: Offset of its first name in the source.
        guarded: Whether `default(…)` or `is defined` allows it to be missing.
    """

    path: Path
    position: int
    guarded: bool = False

    @property
    def node(self) -> str | None:
        """Id of the node whose output it reads, in any spelling; None for everything else."""
        first = str(self.path[0])
        if first in NODE_ROOTS:
            return str(self.path[1]) if len(self.path) > 1 else None
        return first.removeprefix(NODE_PREFIX) if first.startswith(NODE_PREFIX) else None

    def __str__(self) -> str:
        return show_path(self.path)


@dataclass(frozen=True, slots=True)
class Reads:
    """Everything an expression reads.

    Attributes:
        paths: Every path, in order of appearance.
        nodes: Ids of the nodes whose output is read, in any spelling.
        secrets: Names of the secrets read.
        dynamic_nodes: Whether which nodes are read is known only at run time: `nodes[…]` with a computed key, or
            `nodes` as a whole.
        functions: Names of the functions and filters used.
    """

    paths: tuple[PathRead, ...] = ()
    nodes: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    dynamic_nodes: bool = False
    functions: frozenset[str] = frozenset()

    @property
    def roots(self) -> frozenset[str]:
        """The first name of every path."""
        return frozenset(str(read.path[0]) for read in self.paths)

    def __or__(self, other: Reads) -> Reads:
        return Reads(
            self.paths + other.paths,
            self.nodes | other.nodes,
            self.secrets | other.secrets,
            self.dynamic_nodes or other.dynamic_nodes,
            self.functions | other.functions,
        )


@dataclass(slots=True)
class ReadsCollector:
    """Collects what is read while an expression is compiled."""

    guarded: bool = False
    functions: set[str] = field(default_factory=set)
    _paths: list[PathRead] = field(default_factory=list)

    def add(self, path: Path, position: int) -> None:
        """Note a path."""
        self._paths.append(PathRead(path, position, self.guarded))

    def count(self) -> int:
        """How many paths have been noted."""
        return len(self._paths)

    def done(self) -> Reads:
        """Everything noted."""
        paths = self._paths
        return Reads(
            tuple(paths),
            frozenset(read.node for read in paths if read.node is not None),
            frozenset(
                str(read.path[1]) for read in paths if read.path[0] == "secrets" and len(read.path) > 1
            ),
            any(read.path[0] in NODE_ROOTS and read.node is None for read in paths),
            frozenset(self.functions),
        )
