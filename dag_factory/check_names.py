"""Checks of the names that exist only inside a loop: `loop`, and what the loop calls its item."""

from __future__ import annotations

from collections.abc import Sequence

from dag_factory.checked import Checked
from dag_factory.definition import Workflow
from dag_factory.loops import Loops
from oneo.problems import Problem

# What expressions find under these names must stay what it is, whatever a loop calls its item.
_TAKEN = frozenset(
    {
        "and", "config", "context", "else", "error", "execution", "false", "if", "in", "is", "loop", "nodes", "none",
        "not", "now", "null", "or", "outputs", "secrets", "today", "trigger", "trigger_data", "true", "variables",
        "workflow",
    }
)  # fmt: skip
_LOOP = "loop"


def hidden_names(nodes: Sequence[Checked], loops: Loops) -> list[Problem]:
    """Items that are called like something else, which nobody inside the loop could read any more."""
    problems = []
    for one in nodes:
        loop = loops.by_owner.get(one.node.id)
        name = loop.spec.item if loop is not None else None
        if name is not None and (name in _TAKEN or name.startswith("node_")):
            message = f"{name!r} is a name of the expression language, so no loop can call its item that"
            hint = "choose another name, such as item, row or contact"
            problems.append(Problem("error", one.node.id, f"{one.config_path}.item_variable", message, hint))
    return problems


def loop_name_problems(workflow: Workflow, nodes: Sequence[Checked], loops: Loops) -> list[Problem]:
    """Expressions that read a loop's names where there is no such loop around them."""
    owners = {
        loop.spec.item: owner
        for owner, loop in reversed(list(loops.by_owner.items()))
        if loop.spec.item is not None
    }
    elsewhere = {*workflow.variables, *(name for one in nodes for name in one.defines), "record"}
    problems = []
    for one in nodes:
        around = loops.around.get(one.node.id, ())
        own = loops.by_owner.get(one.node.id)
        counts = bool(around) or (own is not None and own.spec.carries)
        inside = {loops.by_owner[owner].spec.item for owner in around} | ({_LOOP} if counts else set())
        outside = {_LOOP, *owners} - inside - elsewhere
        for expression in one.expressions:
            names = dict.fromkeys(str(read.path[0]) for read in expression.reads.paths if not read.guarded)
            for name in filter(outside.__contains__, names):
                message, hint = (
                    _no_loop(one.node.id, loops)
                    if name == _LOOP
                    else _no_item(name, owners[name], one.node.id)
                )
                path = one.config_path + expression.path
                problems.append(Problem("error", one.node.id, path, message, hint))
    return problems


def _no_item(name: str, owner: str, node_id: str) -> tuple[str, str]:
    where = "the loop node itself is not" if owner == node_id else "this node is not"
    message = f"{name!r} is the item of loop {owner!r}, known in its body only, and {where} in there"
    hint = (
        f"read nodes.{owner}.results behind the loop, or move the node into its body; an entry of that name "
        f"elsewhere is written context.{name} or trigger.{name}"
    )
    return message, hint


def _no_loop(node_id: str, loops: Loops) -> tuple[str, str]:
    message = "`loop` is known in the body of a loop only, and this node is in none"
    if node_id in loops.by_owner:
        return (
            message,
            "the loop node is outside its own body: count rounds with set_variable, or limit their number",
        )
    owners = ", ".join(map(repr, loops.by_owner))
    hint = (
        f"move the node into the body of loop {owners}" if owners else "repeat the node with a for_each node"
    )
    return message, hint
