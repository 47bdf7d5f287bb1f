"""Checks of workflows that call workflows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dag_factory.catalogue import Call, Catalogue
from dag_factory.checked import Checked
from dag_factory.definition import Node, Workflow
from dag_factory.json_path import json_path
from dag_factory.variables import misfits
from oneo.expressions import templates_in
from oneo.problems import Problem
from oneo.suggest import did_you_mean

# Gives the workflow of an id and a version (None: the newest), or None where no such one is in service.
Published = Callable[[str, int | None], Workflow | None]


def own_call_problems(workflow: Workflow, nodes: Sequence[Checked]) -> list[Problem]:
    """Nodes that call the workflow they stand in."""
    calls = ((one, one.type.calls(one.node.config)) for one in nodes)
    return [
        Problem(
            "error",
            one.node.id,
            f"{one.config_path}.workflow_id",
            f"workflow {workflow.key!r} cannot call itself",
            "to repeat nodes, put them into a loop: for_each or workflow_loop_controller",
        )
        for one, call in calls
        if call is not None and call.workflow_id == workflow.key
    ]


def call_problems(workflow: Workflow, catalogue: Catalogue, published: Published) -> list[Problem]:
    """Calls that would lead back here, and inputs that the called workflow does not take.

    A workflow that is not there yet may be published before the call is made.
    """
    problems: list[Problem] = []
    for index, node, call in _calls(workflow, catalogue):
        called = published(call.workflow_id, call.version)
        if called is None or called.key == workflow.key:
            continue
        at = f"$.nodes[{index}].config"
        way = _way_back(called, workflow.key, catalogue, published, set())
        if way is not None:
            chain = " → ".join([workflow.key, *way])
            hint = "take one of these calls out"
            message = f"workflows would call each other without end: {chain}"
            problems.append(Problem("error", node.id, f"{at}.workflow_id", message, hint))
        problems += _inputs(node, call, called, at)
    return problems


def _calls(workflow: Workflow, catalogue: Catalogue) -> Iterator[tuple[int, Node, Call]]:
    for index, node in enumerate(workflow.nodes):
        node_type = catalogue.get(node.type)
        call = node_type.calls(node.config) if node_type is not None else None
        if call is not None:
            yield index, node, call


def _way_back(
    workflow: Workflow,
    home: str,
    catalogue: Catalogue,
    published: Published,
    seen: set[tuple[str, int | None]],
) -> list[str] | None:
    """The ids on the way from a workflow, itself included, to the one called `home`."""
    for _, _, call in _calls(workflow, catalogue):
        if call.workflow_id == home:
            return [workflow.key, home]
        wanted = (call.workflow_id, call.version)
        called = published(*wanted) if wanted not in seen else None
        seen.add(wanted)
        way = _way_back(called, home, catalogue, published, seen) if called is not None else None
        if way is not None:
            return [workflow.key, *way]
    return None


def _inputs(node: Node, call: Call, called: Workflow, at: str) -> list[Problem]:
    if call.inputs is None:
        return []
    variables = {
        name: variable.model_dump(exclude_none=True, exclude_defaults=True)
        for name, variable in called.variables.items()
    }
    problems = []
    for name in call.inputs.keys() - variables.keys():
        message = f"workflow {call.workflow_id!r} has no variable {name!r}"
        hint = did_you_mean(name, variables)
        problems.append(Problem("error", node.id, json_path(["inputs", name], at), message, hint))
    open_yet = {name for name, value in call.inputs.items() if any(templates_in(value))}
    for name, message in misfits(variables, call.inputs, unknown=open_yet):
        path = json_path(["inputs", name] if name in call.inputs else ["inputs"], at)
        hint = variables[name].get("description") or f"workflow {call.workflow_id!r} declares it"
        problems.append(Problem("error", node.id, path, message, hint))
    return problems
