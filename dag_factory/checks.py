"""Everything that must hold before a definition can be published; all problems at once."""

from __future__ import annotations

from collections.abc import Sequence

from dag_factory.catalogue import Catalogue, Place
from dag_factory.check_bare_names import bare_name_problems
from dag_factory.check_branches import branch_problems
from dag_factory.check_calls import own_call_problems
from dag_factory.check_edges import cycle_problems, edge_problems, links
from dag_factory.check_errors import failure_problems, handling_problems
from dag_factory.check_inputs import clock_problems, setting_problems, variable_problems
from dag_factory.check_loops import loop_problems
from dag_factory.check_missing import missing_problem
from dag_factory.check_names import hidden_names, loop_name_problems
from dag_factory.check_outputs import output_problems
from dag_factory.check_reads import read_problems
from dag_factory.check_secrets import secret_problems
from dag_factory.checked import Checked
from dag_factory.compile import branch_edges, broken_loop, loop_specs
from dag_factory.config import config_problems, expression_problems
from dag_factory.definition import Node, Workflow, slug
from dag_factory.dialects.type_names import ALIASES
from dag_factory.loops import Loops, find_loops
from dag_factory.order import Order
from oneo.expressions import is_template
from oneo.problems import Problem
from oneo.suggest import did_you_mean


def check(workflow: Workflow, catalogue: Catalogue) -> list[Problem]:
    """All problems of a definition whose form is right; no error among them means it can be compiled."""
    checked: dict[str, Checked] = {}
    problems = _identity(workflow) + _duplicates(workflow)
    for index, node in enumerate(workflow.nodes):
        found, own = _node(node, index, catalogue)
        problems += own
        if found is not None:
            checked.setdefault(node.id, found)
    nodes = list(checked.values())
    named = [edge for one in nodes for edge in branch_edges(one.node.id, one.branches, one.config_path)]
    loops = find_loops(workflow, loop_specs(workflow, {one.node.id: one.type for one in nodes}), named)
    problems += loops.problems
    problems += edge_problems(workflow, checked, loops) + _trigger_order(workflow, nodes)
    problems += handling_problems(workflow, checked)
    problems += clock_problems(nodes) + setting_problems(workflow)
    problems += variable_problems(workflow, [one.type.type for one in nodes if one.type.is_trigger])
    problems += branch_problems(workflow, checked, _faulty(problems))
    problems += secret_problems(workflow, nodes) + hidden_names(nodes, loops)
    known = sorted({node.id for node in workflow.nodes})
    connected = links(loops, checked, set(known))
    cycles = cycle_problems(known, connected)
    problems += cycles + _breakers(nodes, loops) + own_call_problems(workflow, nodes)
    before: dict[str, list[str]] | None = None
    order = None
    if not cycles and not loops.problems:
        order = Order(known, [(link.source, link.target) for link in connected], loops)
        before = {node_id: order.visible(node_id) for node_id in known}
    # That expressions cannot stand in a trigger's options has been said.
    reading = [one for one in nodes if not one.type.is_trigger]
    problems += read_problems(workflow, reading, connected, before, loops)
    problems += output_problems(workflow, nodes, order.visible_at_end() if order else None)
    if before is not None:
        problems += loop_name_problems(workflow, nodes, loops)
        problems += bare_name_problems(workflow, nodes, before, loops)
        problems += loop_problems(workflow, checked, loops, _faulty(problems))
        problems += failure_problems(workflow, nodes, before, loops)
        problems += _reachability(workflow, checked, before)
    return problems


def _faulty(problems: Sequence[Problem]) -> set[str]:
    """The nodes with errors, from which more would only follow."""
    return {problem.node for problem in problems if problem.severity == "error" and problem.node is not None}


def _breakers(nodes: Sequence[Checked], loops: Loops) -> list[Problem]:
    problems = []
    for one in nodes:
        name = one.type.breaks(one.node.config)
        if name is None or broken_loop(one.node, one.type, loops) is not None:
            continue
        around = loops.around.get(one.node.id, ())
        if around:
            answers = [answer for owner in around for answer in (owner, *loops.by_owner[owner].spec.names)]
            message, hint = f"no loop around this node is called {name!r}", did_you_mean(name, answers)
        else:
            message = "this node ends a loop, but stands in none"
            hint = "put it into a loop's body: between its `loop` edge and the edge back"
        problems.append(Problem("error", one.node.id, f"$.nodes[{one.index}]", message, hint))
    return problems


def _identity(workflow: Workflow) -> list[Problem]:
    if workflow.id is not None:
        return []
    hint = 'add "id": letters, digits, _ and -'
    if not slug(workflow.name):
        message = f"no id can be made from the name {workflow.name!r}"
        return [Problem("error", None, "$.name", message, hint)]
    if "name" not in workflow.model_fields_set:
        message = f"without id and name this is {workflow.key!r}, like any other workflow without them"
        return [Problem("warning", None, "$", message, hint)]
    return []


def _duplicates(workflow: Workflow) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for index, node in enumerate(workflow.nodes):
        if node.id in seen:
            message = f"two nodes have the id {node.id!r}"
            path = f"$.nodes[{index}].id"
            problems.append(Problem("error", node.id, path, message, "give each node its own id"))
        seen.add(node.id)
    return problems


def _node(node: Node, index: int, catalogue: Catalogue) -> tuple[Checked | None, list[Problem]]:
    """A node with its type, and what is wrong with its config."""
    found = catalogue.get(node.type)
    if found is None:
        unloaded = catalogue.broken.get(node.type)
        if unloaded is not None:
            message = f"node type {node.type!r} could not be loaded from {unloaded.source}: {unloaded.error}"
            return None, [Problem("error", node.id, f"$.nodes[{index}].type", message, unloaded.hint)]
        message = f"there is no node type {node.type!r}"
        hint = did_you_mean(node.type, [*catalogue.types(), *ALIASES])
        return None, [Problem("error", node.id, f"$.nodes[{index}].type", message, hint)]
    at = f"$.nodes[{index}].config"
    try:
        problems = config_problems(node, found, at)
        expressions, broken = expression_problems(node, found, at)
        branches = tuple(found.branches(node.config))
        defines = frozenset(found.defines(node.config))
        list(found.reads(node.config, Place()))
        cautions = list(found.cautions(node.config))
    except Exception as error:
        # A node type may come from another package; its mistakes must not look like the author's, nor end the check.
        message = f"node type {node.type!r} cannot read these options: {type(error).__name__}: {error}"
        return None, [Problem("error", node.id, at, message, "tell whoever provides this node type")]
    problems += broken
    problems += [Problem("warning", node.id, at + path, what, hint) for path, what, hint in cautions]
    one = Checked(node, index, found, expressions, branches, defines)
    if found.is_missing:
        problems.append(missing_problem(node, index))
    if found.is_trigger:
        problems += _expressions_of_a_trigger(one)
    elif not any(problem.severity == "error" for problem in problems):
        problems += _error_handling(one)
    return one, problems


def _expressions_of_a_trigger(one: Checked) -> list[Problem]:
    message = "a trigger's options are read before any execution starts, so no expression can stand here"
    return [
        Problem("error", one.node.id, one.config_path + expression.path, message, "write the value itself")
        for expression in one.expressions
    ]


def _error_handling(one: Checked) -> list[Problem]:
    """How errors are handled is part of the plan, so the options that say it cannot be expressions."""
    try:
        values = vars(one.type.retry_override(one.node.config)).values()
    except ValueError:
        templated = True
    else:
        templated = any(isinstance(value, str) and is_template(value) for value in values)
    if not templated:
        return []
    message = "how errors are handled is decided before the node runs, so no expression can say it"
    return [Problem("error", one.node.id, one.config_path, message, "write the values themselves")]


def _trigger_order(workflow: Workflow, nodes: Sequence[Checked]) -> list[Problem]:
    if workflow.edges is not None:
        return []
    message = "without edges the nodes run in the listed order, so a trigger must stand first"
    return [
        Problem("error", one.node.id, f"$.nodes[{one.index}]", message, "move it to the front, or add edges")
        for one in nodes
        if one.type.is_trigger and one.index > 0
    ]


def _reachability(
    workflow: Workflow, checked: dict[str, Checked], before: dict[str, list[str]]
) -> list[Problem]:
    triggers = {one.node.id for one in checked.values() if one.type.is_trigger}
    if not triggers or workflow.edges is None:
        return []
    # What a misspelt type or a misspelt source leads to is not lost, once that is put right.
    starts = triggers | {node.id for node in workflow.nodes if node.id not in checked}
    starts |= {edge.target for edge in workflow.edges or [] if edge.source not in before}
    hint = "connect it with an edge, or remove it"
    if workflow.edges == []:
        hint = "leave `edges` out to run the nodes in the listed order, or connect them"
    message = "no path leads from a trigger to this node, so it would run at once, in every execution"
    return [
        Problem("error", node.id, f"$.nodes[{index}]", message, hint)
        for index, node in enumerate(workflow.nodes)
        if node.id not in starts and not starts.intersection(before[node.id])
    ]
