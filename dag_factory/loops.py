"""Which nodes a loop repeats: read off the edges, as pure functions over a definition.

A loop node owns a body. Its `loop` edges lead into the body and its other edges lead on once the loop has ended. The
body is what can be reached through the former and not through the latter. An edge back to the loop node
(`loop_back`, or a plain one) closes the circle and orders nothing.

A loop node may stand before its body, or behind it: then the way into the loop leads to the body's first node, and
the body runs once before the loop node is asked for the first time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dag_factory.catalogue import LoopSpec
from dag_factory.definition import Workflow
from dag_factory.plan import ERROR
from dag_factory.written import Written, written_edges
from oneo.problems import Problem
from oneo.suggest import did_you_mean


@dataclass(frozen=True)
class Loop:
    """One loop.

    Attributes:
        owner: The loop node.
        entries: Where each round of the body begins.
        body: Every node inside, those of inner loops included.
        tail: Whether the loop node stands behind its body.
    """

    owner: str
    spec: LoopSpec
    entries: tuple[str, ...]
    body: frozenset[str]
    tail: bool


@dataclass(frozen=True)
class Loops:
    """All loops of a definition.

    Attributes:
        by_owner: The loops by their loop node.
        edges: The edges that order nodes: those into a body and back out of it left aside.
        returns: Of the edges left aside, those on which a failure leads back to the loop node: it ends the round.
        problems: What keeps a loop from being one.
    """

    by_owner: Mapping[str, Loop]
    edges: Sequence[Written]
    returns: Sequence[Written] = ()
    problems: Sequence[Problem] = ()

    @cached_property
    def around(self) -> dict[str, tuple[str, ...]]:
        """For each node inside a loop, the loops around it, the innermost first."""
        found: dict[str, list[Loop]] = defaultdict(list)
        for loop in self.by_owner.values():
            for node in loop.body:
                found[node].append(loop)
        return {
            node: tuple(loop.owner for loop in sorted(loops, key=lambda one: len(one.body)))
            for node, loops in found.items()
        }

    def level(self, node: str) -> str | None:
        """The innermost loop around a node; None outside loops."""
        return next(iter(self.around.get(node, ())), None)

    def lifted(self, node: str, level: str | None) -> str:
        """What stands for a node at a level: itself, or the loop node of that level that it is inside of."""
        while self.level(node) != level:
            inner = self.level(node)
            if inner is None:
                break
            node = inner
        return node


def find_loops(workflow: Workflow, specs: Mapping[str, LoopSpec], named: Sequence[Written] = ()) -> Loops:
    """The loops of a definition.

    Args:
        workflow: The definition.
        specs: By the id of each loop node, what its config says.
        named: Ways that branches name by themselves. They may belong to a body; where they lead is ordered elsewhere.
    """
    known = {node.id for node in workflow.nodes}
    places = {node.id: f"$.nodes[{index}]" for index, node in enumerate(workflow.nodes)}
    written = [edge for edge in written_edges(workflow) if edge.source in known and edge.target in known]
    drawn = {(edge.source, edge.target) for edge in written}
    beside = {edge for edge in named if edge.target in known and (edge.source, edge.target) not in drawn}
    written += [edge for edge in named if edge in beside]
    problems = [
        _stray(edge, "leads into a loop's body", "loop")
        for edge in written
        if edge.loop and edge.source not in specs
    ]
    problems += [
        _stray(edge, "leads back to a loop", "loop_back")
        for edge in written
        if edge.back and edge.target not in specs and edge.source not in specs
    ]
    into = {edge for edge in written if edge.source in specs and _leads_in(edge, specs[edge.source], specs)}
    # Where no node makes a loop, an edge back to it would only be reported a second time, as part of a cycle.
    back = {edge for edge in written if edge.back} - into
    onward = [edge for edge in written if edge not in into and edge not in back]
    # Where loop nodes lead by their config alone, once they have ended.
    targets = {owner: [str(spec.exit_target)] for owner, spec in specs.items() if spec.exit_target in known}
    loops: dict[str, Loop] = {}
    for owner, spec in specs.items():
        entries = [edge.target for edge in written if edge in into and edge.source == owner]
        if spec.body_target in known and not entries:
            entries = [str(spec.body_target)]
        entries = [entry for entry in entries if entry != owner]
        loops[owner] = _loop(owner, spec, list(dict.fromkeys(entries)), onward, into, targets)
    for owner, loop in loops.items():
        unknown = _unknown_ends(loop, written, places[owner], known)
        problems += unknown
        if unknown and not loop.entries:
            continue  # it repeats nothing, as has been said
        problems += _structure(loop, loops, written, places[owner], into)
    closing = [
        edge
        for edge in written
        if edge not in into and edge.target in loops and edge.source in loops[edge.target].body
    ]
    ordering = [
        edge
        for edge in onward
        if edge not in beside and not (edge in closing and not loops[edge.target].tail)
    ]
    returns = [edge for edge in closing if edge.condition == ERROR and edge not in ordering]
    return Loops(loops, ordering, returns, problems)


def _leads_in(edge: Written, spec: LoopSpec, specs: Mapping[str, LoopSpec]) -> bool:
    if edge.back:
        # A loop node that leads back to where its body begins; to another loop node, it ends that one's body.
        return edge.target not in specs or edge.target == spec.body_target
    named = spec.body_target is not None and spec.body_target in (edge.condition, edge.target)
    return edge.loop or (named and edge.condition != ERROR)


def _loop(
    owner: str,
    spec: LoopSpec,
    entries: list[str],
    onward: Sequence[Written],
    into: set[Written],
    targets: Mapping[str, list[str]],
) -> Loop:
    after: dict[str, set[str]] = defaultdict(set)
    before: dict[str, set[str]] = defaultdict(set)
    exits = set(targets.get(owner, ())).difference(entries)
    for edge in [*onward, *into]:
        if edge.source == owner:
            if edge.target not in entries:
                exits.add(edge.target)
            continue
        after[edge.source].add(edge.target)
        before[edge.target].add(edge.source)
    for other, ends in targets.items():
        if other != owner:
            after[other].update(ends)
    inside = _reachable(entries, after, without=owner)
    # What follows a loop may lead back to one around it, and from there another round would lead in here again.
    rounds = {(edge.source, edge.target) for edge in into}
    later = {
        source: {target for target in ends if (source, target) not in rounds}
        for source, ends in after.items()
    }
    body = frozenset(inside - _reachable(exits, later, without=owner))
    # Outside edges lead to a loop node that stands before its body, and else to the body's first node. Where they
    # lead to neither, the loop stands at the start of the workflow.
    entered = spec.carries or any(source not in body for entry in entries for source in before[entry])
    tail = bool(before[owner]) and before[owner] <= body and entered
    return Loop(owner, spec, tuple(entries), body, tail)


def _reachable(starts: Iterable[str], after: Mapping[str, set[str]], *, without: str) -> set[str]:
    found: set[str] = set()
    pending = [start for start in starts if start != without]
    while pending:
        node = pending.pop()
        if node not in found:
            found.add(node)
            pending += [other for other in after.get(node, ()) if other != without]
    return found


def _stray(edge: Written, what: str, key: str) -> Problem:
    message = f"edge {edge.source!r} → {edge.target!r} {what}, but no node there makes loops"
    hint = f"remove {key}, or use a for_each or workflow_loop_controller node"
    return Problem("error", edge.source, f"{edge.path}.{key}", message, hint)


def _structure(
    loop: Loop, loops: Mapping[str, Loop], written: Sequence[Written], place: str, into: set[Written]
) -> list[Problem]:
    """What about a loop's edges makes it none."""
    owner = loop.owner
    problems = _own_edges(loop, written, place, into)
    if not loop.entries:
        return problems or _without_body(loop, written, place)
    # What crosses the border of a loop that overlaps follows from that.
    overlapping = [other for other in loops.values() if other is not loop and _overlap(loop, other)]
    theirs = {node for other in overlapping for node in (other.owner, *other.body)}
    for edge in written:
        if edge.source in theirs or edge.target in theirs:
            continue
        inside, outside = edge.source in loop.body, edge.target not in loop.body
        if inside and outside and edge.target != owner:
            message = f"edge {edge.source!r} → {edge.target!r} leads out of the body of loop {owner!r}"
            hint = (
                f"lead it to {owner!r} with loop_back, and lead on from there with loop_complete; to leave early, "
                "use a workflow_loop_breaker node"
            )
            problems.append(Problem("error", edge.source, edge.path, message, hint))
        enters = not inside and not outside and edge.source != owner
        if enters and not (loop.tail and edge.target in loop.entries):
            message = f"edge {edge.source!r} → {edge.target!r} leads into the body of loop {owner!r}"
            hint = f"lead it to {owner!r}, which starts every round of its body"
            problems.append(Problem("error", edge.target, edge.path, message, hint))
        if edge.back and edge.target == owner and not inside and edge not in into:
            message = f"edge {edge.source!r} → {owner!r} leads back to a loop, but {edge.source!r} is not in its body"
            problems.append(
                Problem("error", edge.source, f"{edge.path}.loop_back", message, "remove loop_back")
            )
    for other in overlapping:
        if owner < other.owner:
            message = f"the bodies of loops {owner!r} and {other.owner!r} overlap"
            problems.append(
                Problem("error", owner, place, message, "put one loop wholly inside the other, or after it")
            )
    return problems


def _unknown_ends(loop: Loop, written: Sequence[Written], place: str, known: set[str]) -> list[Problem]:
    """Names of a loop's config that neither a node has, nor an edge out of the loop node as its condition."""
    owner, spec = loop.owner, loop.spec
    conditions = {edge.condition for edge in written if edge.source == owner}
    ends = (("goes back to", spec.body_target, spec.body_at), ("leads on to", spec.exit_target, spec.exit_at))
    return [
        Problem(
            "error",
            owner,
            f"{place}.config{at}",
            f"loop {owner!r} {what} {name!r}, which is no node of this workflow and no condition of its edges",
            did_you_mean(name, (known - {owner}) | {one for one in conditions if one}),
        )
        for what, name, at in ends
        if name is not None and name not in known and name not in conditions
    ]


def _own_edges(loop: Loop, written: Sequence[Written], place: str, into: set[Written]) -> list[Problem]:
    """Edges of a loop node that lead to no body, or on into the one it has."""
    owner = loop.owner
    problems = []
    hint = 'write "loop": true on it if a round begins there, or lead it to a node behind the loop'
    for edge in written:
        if edge.source != owner:
            continue
        if edge in into and edge.target == owner:
            message = f"loop {owner!r} cannot repeat itself"
            problems.append(
                Problem("error", owner, edge.path, message, "lead the edge to the first node to repeat")
            )
        elif edge not in into and edge.target in loop.body:
            message = f"edge {owner!r} → {edge.target!r} leads on from loop {owner!r} into its own body"
            problems.append(Problem("error", owner, edge.path, message, hint))
    if loop.spec.exit_target in loop.body:
        message = f"loop {owner!r} leads on to {loop.spec.exit_target!r}, which is in its own body"
        problems.append(Problem("error", owner, place, message, "lead it to a node behind the loop"))
    return problems


def _without_body(loop: Loop, written: Sequence[Written], place: str) -> list[Problem]:
    if not loop.spec.carries:
        return []
    message = f"loop {loop.owner!r} repeats nothing: no edge leads into a body"
    names = [edge.condition for edge in written if edge.source == loop.owner and edge.condition]
    hint = 'lead an edge with "loop": true to the first node to repeat, or name it in loop_back_to'
    if names:
        hint += f"; edges of this node have the conditions {', '.join(map(repr, names))}"
    return [Problem("error", loop.owner, place, message, hint)]


def _overlap(one: Loop, other: Loop) -> bool:
    first, second = one.body | {one.owner}, other.body | {other.owner}
    return bool(first & second) and not first <= other.body and not second <= one.body
