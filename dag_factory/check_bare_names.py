"""Warnings about bare names that nothing known stands behind, unless what starts the workflow gives them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from dag_factory.check_reads import Before
from dag_factory.checked import Checked
from dag_factory.definition import Workflow
from dag_factory.loops import Loops
from oneo.expressions import PathRead
from oneo.expressions.scope import CLOCK_NAMES, NODE_PREFIX, NODE_ROOTS
from oneo.problems import Problem

# Objects that every expression can read from.
_OBJECTS: Final = (
    *NODE_ROOTS,
    "record",
    "trigger",
    "trigger_data",
    "variables",
    "context",
    "secrets",
    "workflow",
    "execution",
)
_KNOWN: Final = frozenset(
    {*_OBJECTS, *CLOCK_NAMES, "error", "loop", "config", "template", "last_sync", "increment"}
)
# Words that events and answers call their parts, and that resemble an object's name.
_OF_THEIR_OWN: Final = frozenset({"content", "output"})
# Shorter names resemble too much.
_SHORTEST: Final = 4


def bare_name_problems(
    workflow: Workflow, nodes: Sequence[Checked], before: Before, loops: Loops
) -> list[Problem]:
    """Names that only a later node sets, and names that are misspelt.

    Args:
        workflow: The definition.
        nodes: Its nodes whose type is known.
        before: The nodes that may run before each.
        loops: The loops.
    """
    setters: dict[str, list[str]] = {}
    for one in nodes:
        for name in one.defines:
            setters.setdefault(name, []).append(one.node.id)
    items = {loop.spec.item for loop in loops.by_owner.values() if loop.spec.item is not None}
    known = _KNOWN | _OF_THEIR_OWN | workflow.variables.keys() | items
    problems = []
    for one in nodes:
        if one.type.is_trigger:
            continue
        for expression in one.expressions:
            for read in _bare(expression.reads.paths, known):
                name = str(read.path[0])
                found = _set_later(name, setters.get(name, []), before[one.node.id])
                found = found or _misspelt(read, sorted({*workflow.variables, *setters}))
                if found is not None:
                    at = one.config_path + expression.path
                    problems.append(Problem("warning", one.node.id, at, *found))
    return problems


def _bare(paths: Iterable[PathRead], known: frozenset[str]) -> list[PathRead]:
    """The first read of each bare name that is not known."""
    found: dict[str, PathRead] = {}
    for read in paths:
        name = str(read.path[0])
        if not read.guarded and name not in known and not name.startswith(NODE_PREFIX):
            found.setdefault(name, read)
    return list(found.values())


def _set_later(name: str, setters: Sequence[str], before: Sequence[str]) -> tuple[str, str] | None:
    if not setters or set(setters).intersection(before):
        return None
    message = f"{name!r} is set by node {setters[0]!r}, which does not run before this one"
    return (
        message,
        f"lead an edge from that node to here; what starts the workflow gives is written trigger.{name}",
    )


def _misspelt(read: PathRead, variables: Sequence[str]) -> tuple[str, str] | None:
    name = str(read.path[0])
    # Only what has fields can be meant for one of the objects.
    objects = _OBJECTS if len(read.path) > 1 and isinstance(read.path[1], str) else ()
    meant = next((one for one in (*objects, *variables) if _is_slip(name, one)), None)
    if meant is None:
        return None
    hint = f"did you mean {meant!r}? What starts the workflow gives is written trigger.{name}"
    return f"nothing here is called {name!r}", hint


def _is_slip(name: str, meant: str) -> bool:
    """Whether a name is another one but for a letter; a plural is a name of its own."""
    from rapidfuzz.distance import OSA  # noqa: PLC0415 - only needed for names that nobody knows

    plural = name == f"{meant}s"
    return not plural and min(len(name), len(meant)) >= _SHORTEST and OSA.distance(name, meant) == 1
