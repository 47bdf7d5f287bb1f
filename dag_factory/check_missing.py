"""Nodes of types that this version does not have yet: said to their author, and kept from being published unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dag_factory.definition import Node
from dag_factory.dialects.type_names import CATALOGUED, meanwhile
from oneo.problems import Problem

_TRIGGER = "trigger"


def missing_problem(node: Node, index: int) -> Problem:
    """What the author of a node of a missing type has to know."""
    if CATALOGUED[node.type] == _TRIGGER:
        ends = "nothing but a start by hand starts the workflow"
    else:
        ends = "a run that comes here stops"
    message = f"this version does not have node type {node.type!r} yet: {ends}"
    return Problem("missing", node.id, f"$.nodes[{index}].type", message, meanwhile(node.type))


def refused(problems: Sequence[Problem]) -> list[Problem]:
    """The same problems for an author who has not said that nodes may be missing."""
    advice = "`oneo publish --with-missing-nodes` publishes it all the same"
    return [
        replace(problem, severity="error", hint=f"{problem.hint}; {advice}")
        if problem.severity == "missing"
        else problem
        for problem in problems
    ]
