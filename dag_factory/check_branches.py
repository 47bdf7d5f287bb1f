"""Checks of branches that decide nothing, or more than their author may have meant."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping

from dag_factory.catalogue import Branch
from dag_factory.checked import Checked
from dag_factory.definition import Edge, Workflow
from oneo.problems import Problem


def branch_problems(
    workflow: Workflow, checked: Mapping[str, Checked], faulty: Container[str]
) -> list[Problem]:
    """Warnings about branches without a way on, and about names that two branches share.

    Args:
        workflow: The definition.
        checked: Its nodes whose type is known.
        faulty: Nodes with errors.
    """
    edges = workflow.edges or []
    read = {
        node_id
        for one in checked.values()
        for expression in one.expressions
        for node_id in (checked if expression.reads.dynamic_nodes else expression.reads.nodes)
    }
    problems = []
    for one in checked.values():
        if one.node.id not in read and one.node.id not in faulty:
            problems += _loose_ends(one, [edge for edge in edges if edge.source == one.node.id])
    for index, edge in enumerate(edges):
        if edge.source in checked and edge.condition is not None:
            problems += _ambiguous(edge, f"$.edges[{index}].condition", checked[edge.source])
    return problems


def _loose_ends(one: Checked, edges: list[Edge]) -> list[Problem]:
    """Branches that no edge takes up; where other nodes read which branch was taken, that may be all there is to it."""
    taken_up = {edge.condition for edge in edges}
    problems = []
    for branch in one.branches:
        if branch.target is not None or taken_up.intersection((*branch.names, branch.key)):
            continue
        message = f"branch {branch.key!r} leads nowhere: nothing runs because it is taken"
        name = json.dumps(branch.key, ensure_ascii=False)
        hint = f'name a node in its "then", lead an edge from it ("condition": {name}), or remove it'
        problems.append(Problem("warning", one.node.id, one.config_path + branch.path, message, hint))
    return problems


def _ambiguous(edge: Edge, at: str, one: Checked) -> list[Problem]:
    named = [
        branch for branch in one.branches if edge.condition == branch.key or edge.condition in branch.names
    ]
    if len(named) < 2 or any(branch.target == edge.target for branch in named):
        return []
    places = " and ".join(_place(branch) for branch in named)
    message = (
        f"{edge.condition!r} names more than one branch ({places}), so the edge is taken with each of them"
    )
    hint = "give each branch a label of its own, one that is no node another branch leads to"
    return [Problem("warning", one.node.id, at, message, hint)]


def _place(branch: Branch) -> str:
    return branch.path.lstrip(".").removesuffix(".then").removesuffix(".else")
