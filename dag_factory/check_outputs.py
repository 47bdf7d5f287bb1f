"""Checks of what a workflow gives at its end."""

from __future__ import annotations

from collections.abc import Sequence

from dag_factory.checked import Checked
from dag_factory.definition import Output, Workflow
from dag_factory.json_path import json_path
from dag_factory.outputs import type_problem
from oneo.errors import ExpressionError
from oneo.expressions import Reads, compile_template, templates_in
from oneo.problems import Problem
from oneo.suggest import did_you_mean


def output_problems(
    workflow: Workflow, nodes: Sequence[Checked], visible: Sequence[str] | None
) -> list[Problem]:
    """Outputs that cannot be made.

    Args:
        workflow: The definition.
        nodes: Its nodes whose type is known.
        visible: The nodes whose outputs can be read at the end; None where a cycle leaves that open.
    """
    problems: list[Problem] = []
    for name, output in workflow.outputs.items():
        at = json_path(["outputs", name, "value"])
        sources = list(templates_in(output.value, at))
        if not sources:
            problems += _literal(name, output, at)
        for path, source in sources:
            try:
                reads = compile_template(source).reads
            except ExpressionError as error:
                where = f" at character {error.position + 1}" if error.position is not None else ""
                message = f"{error.message}{where} of {source!r}"
                problems.append(Problem("error", None, path, message, error.hint))
            else:
                problems += _reads(reads, path, workflow, nodes, visible)
    return problems


def _literal(name: str, output: Output, at: str) -> list[Problem]:
    message = type_problem(name, output.type, output.value)
    return [Problem("error", None, at, message, "correct the value or the type")] if message else []


def _reads(
    reads: Reads, at: str, workflow: Workflow, nodes: Sequence[Checked], visible: Sequence[str] | None
) -> list[Problem]:
    problems = []
    known = {node.id for node in workflow.nodes}
    for node_id in sorted(reads.nodes):
        if node_id not in known:
            message = f"the expression reads node {node_id!r}, which does not exist"
            problems.append(Problem("error", None, at, message, did_you_mean(node_id, known)))
        elif visible is not None and node_id not in visible:
            message = f"the expression reads node {node_id!r}, whose output stays in its loop"
            hint = "read the output of the loop node"
            problems.append(Problem("error", None, at, message, hint))
    for secret in sorted(reads.secrets):
        message = f"the expression reads secret {secret!r}, and outputs are kept"
        hint = "whoever needs it reads `secrets` itself"
        problems.append(Problem("error", None, at, message, hint))
    declared = workflow.variables.keys() | {name for one in nodes for name in one.defines}
    for read in reads.paths:
        if read.path[0] != "variables" or len(read.path) < 2 or read.guarded or read.path[1] in declared:
            continue
        message = f"variable {str(read.path[1])!r} is not declared"
        hint = did_you_mean(str(read.path[1]), declared) if declared else "add it to `variables`"
        problems.append(Problem("error", None, at, message, hint))
    return problems
