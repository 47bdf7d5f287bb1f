"""Checks of loops that repeat nothing, or that nothing can end."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dag_factory.checked import Checked
from dag_factory.compile import broken_loop
from dag_factory.config import Expression
from dag_factory.definition import Workflow
from dag_factory.loops import Loops
from oneo.expressions import is_template
from oneo.problems import Problem

# So many rounds are rarely meant where nothing but their number ends a loop.
_MANY_ROUNDS = 1000
_CLOCK = frozenset({"now", "today", "yesterday", "tomorrow", "last_week", "last_month", "last_sync"})
_DRAWN = frozenset({"random", "random_int", "uuid"})


def loop_problems(
    workflow: Workflow, checked: Mapping[str, Checked], loops: Loops, faulty: Container[str]
) -> list[Problem]:
    """Warnings about loops without a body, without an end, and about breakers that never see anything new.

    Args:
        workflow: The definition.
        checked: Its nodes whose type is known.
        loops: Its loops.
        faulty: Nodes with errors.
    """
    problems = _bodyless(workflow, checked, loops)
    breakers = {
        one.node.id: owner
        for one in checked.values()
        if (owner := broken_loop(one.node, one.type, loops)) is not None
    }
    for owner in loops.by_owner:
        if owner in checked and owner not in breakers.values() and owner not in faulty:
            problems += _endless(checked[owner], checked, loops)
    for node_id, owner in breakers.items():
        if node_id not in faulty:
            problems += _idle_breaker(checked[node_id], owner, checked, loops)
    return problems


def _bodyless(workflow: Workflow, checked: Mapping[str, Checked], loops: Loops) -> list[Problem]:
    problems = []
    for owner, loop in loops.by_owner.items():
        # A loop that carries its state on and has no body is an error, reported where loops are made.
        if loop.entries or loop.spec.carries or owner not in checked:
            continue
        out = {edge.target for edge in workflow.edges or [] if edge.source == owner}
        first = repr(out.pop()) if len(out) == 1 else "the first node to repeat"
        message = f"loop {owner!r} repeats nothing: no edge leads into a body"
        hint = (
            f'lead an edge with "loop": true from {owner!r} to {first}, and one with "loop_back": true back from the '
            "last node to repeat"
        )
        problems.append(Problem("warning", owner, f"$.nodes[{checked[owner].index}]", message, hint))
    return problems


def _endless(one: Checked, checked: Mapping[str, Checked], loops: Loops) -> list[Problem]:
    """A loop without breakers that goes on until its limit, whatever its rounds do."""
    loop = loops.by_owner[one.node.id]
    if loop.spec.limit is None or not loop.entries:
        return []
    conditions = _conditions(one)
    if not conditions and not loop.spec.looks_at:
        if loop.spec.limit <= _MANY_ROUNDS:
            return []
        message = f"nothing ends this loop before its {loop.spec.limit:,} rounds"
        hint = "give it exit_conditions, or put a workflow_loop_breaker node into its body"
        return [Problem("warning", one.node.id, one.config_path, message, hint)]
    changes = _changes(one.node.id, (), checked, loops)
    looked_at = [tuple(path.split(".")) for _, path in loop.spec.looks_at]
    if any(map(changes.concern, conditions)) or any(map(changes.touch, looked_at)):
        return []
    place = min([expression.path for expression in conditions] + [path for path, _ in loop.spec.looks_at])
    message = (
        "what ends this loop never changes in it: no node of its body sets anything that is looked at here"
    )
    hint = "look at an output or a variable of the body, such as one that a set_variable node counts up"
    return [Problem("warning", one.node.id, one.config_path + place, message, hint)]


def _idle_breaker(one: Checked, owner: str, checked: Mapping[str, Checked], loops: Loops) -> list[Problem]:
    conditions = _conditions(one)
    around = loops.around[one.node.id]
    changes = _changes(owner, around[: around.index(owner)], checked, loops)
    # Conditions that read nothing at all are always true, as breakers without any are.
    if not conditions or any(changes.concern(one) or not one.reads.paths for one in conditions):
        return []
    message = f"what is looked at here is the same in every round of loop {owner!r}"
    hint = "look at the item, or at what a node of the body gives; to skip the loop, put a condition node before it"
    return [Problem("warning", one.node.id, one.config_path + conditions[0].path, message, hint)]


def _conditions(one: Checked) -> list[Expression]:
    paths = {path for path, _ in one.type.conditions(one.node.config)}
    return [expression for expression in one.expressions if expression.path in paths]


@dataclass(frozen=True)
class _Changes:
    """What may differ from one round of a loop to the next.

    Attributes:
        nodes: The nodes of the body.
        variables: Variables that one of them sets; None where one may set any.
        names: Names that only the body knows.
        context: Whether a node of the body may put anything into context.
        records: Whether one may change the record.
    """

    nodes: frozenset[str]
    variables: frozenset[str] | None
    names: frozenset[str]
    context: bool
    records: bool

    def concern(self, expression: Expression) -> bool:
        """Whether an expression may come out differently."""
        reads = expression.reads
        moving = any(name in _DRAWN | _CLOCK or name.startswith("date.") for name in reads.functions)
        return moving or reads.dynamic_nodes or any(self.touch(read.path) for read in reads.paths)

    def touch(self, path: Sequence[int | str]) -> bool:
        """Whether what stands at a path may differ."""
        first, second = str(path[0]), str(path[1]) if len(path) > 1 else None
        if first in ("nodes", "outputs"):
            return second is None or second in self.nodes
        if first.startswith("node_"):
            return first.removeprefix("node_") in self.nodes
        if first == "variables":
            return self.variables is None or (second in self.variables if second else bool(self.variables))
        if first == "context":
            return self.context
        if first == "record":
            return self.records
        if first in ("trigger", "trigger_data", "workflow", "execution", "secrets"):
            return False
        return first in self.names or first in _CLOCK or self.context or self.touch(("variables", first))


def _changes(owner: str, inner: Sequence[str], checked: Mapping[str, Checked], loops: Loops) -> _Changes:
    """What changes in a loop, as seen from inside of further loops in it."""
    body = loops.by_owner[owner].body
    nodes = [checked[node_id] for node_id in body if node_id in checked]
    unknown = len(nodes) < len(body) or any(_names_any_variable(one.node.config) for one in nodes)
    items = {loops.by_owner[one].spec.item for one in (owner, *inner)}
    return _Changes(
        nodes=body,
        variables=None if unknown else frozenset(name for one in nodes for name in _variables(one)),
        names=frozenset(item for item in items if item) | {"loop", "error"},
        context=unknown or any(one.type.category != "control_flow" for one in nodes),
        records=unknown or any(one.type.effect != "pure" for one in nodes),
    )


def _variables(one: Checked) -> list[str]:
    return [*one.defines, *_removed(one.node.config)]


def _names_any_variable(config: Mapping[str, Any]) -> bool:
    """Whether an expression says which variable is set."""
    return any(is_template(name) for name in (config.get("name"), *_removed(config)) if isinstance(name, str))


def _removed(config: Mapping[str, Any]) -> list[str]:
    removed = config.get("unset")
    return [name for name in removed if isinstance(name, str)] if isinstance(removed, list) else []
