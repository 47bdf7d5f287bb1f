"""Which step follows which: `nextSteps` and its kin, as edges."""

from __future__ import annotations

from typing import Any

from dag_factory.dialects.converted import Converted, Location, is_id
from oneo.suggest import nearest


def with_known_branches(result: Converted, steps: list[Any]) -> list[Any]:
    """The steps; where the falseSteps of a condition name no step, nor anything like one, nothing is done.

    Names that resemble a step's are left in place: they are mistakes, and reported as such.
    """
    known = [step["id"] for step in steps if isinstance(step, dict) and is_id(step.get("id"))]
    return [_with_known_branches(result, step, known) for step in steps]


def _with_known_branches(result: Converted, step: Any, known: list[str]) -> Any:
    config = step.get("configuration") if isinstance(step, dict) and step.get("type") == "condition" else None
    names = config.get("falseSteps") if isinstance(config, dict) else None
    if not isinstance(names, list) or not names or not all(map(is_id, names)):
        return step
    if any(name in known or nearest(name, known) is not None for name in names):
        return step
    listed = ", ".join(map(repr, names))
    result.note(
        f"step {step.get('id')!r}: its falseSteps name {listed}, which no step has as its id, so nothing is done then"
    )
    return {**step, "configuration": {**step["configuration"], "falseSteps": []}}


class StepOrder:
    """The edges of a document of steps.

    Args:
        result: Takes the problems and the places.
        steps: As written.
        trigger: Id of the trigger's node.
    """

    def __init__(self, result: Converted, steps: list[Any], trigger: str) -> None:
        self._result = result
        self._trigger = trigger
        self._steps = {
            step["id"]: (index, step)
            for index, step in enumerate(steps)
            if isinstance(step, dict) and is_id(step.get("id"))
        }
        self._edges: list[dict[str, Any]] = []

    def edges(self) -> list[dict[str, Any]]:
        """All edges; the trigger leads to each step that no other step leads to."""
        for name, (index, step) in self._steps.items():
            for target, place, condition in self._successors(step, index):
                if step.get("type") == "parallel" and place[2] == "nextSteps":
                    for end in self._ends(name):
                        self._add(end, target, place, None)
                else:
                    self._add(name, target, place, condition, parallel=place[-2] == "parallelSteps")
        led_to = {edge["target"] for edge in self._edges if edge["source"] != edge["target"]}
        starts = [name for name in self._steps if name not in led_to] or list(self._steps)[:1]
        for name in starts:
            self._add(self._trigger, name, ["steps", self._steps[name][0]], None)
        return self._edges

    def _add(
        self, source: str, target: str, place: Location, condition: str | None, *, parallel: bool = False
    ) -> None:
        edge: dict[str, Any] = {"source": source, "target": target}
        if condition is not None:
            edge["condition"] = condition
        if parallel:
            edge["parallel"] = True
        if edge not in self._edges:
            self._result.place(["edges", len(self._edges)], place, alike=False)
            self._edges.append(edge)

    def _successors(self, step: dict[str, Any], index: int) -> list[tuple[str, list[int | str], str | None]]:
        """(step, where it is named, branch) of everything that follows a step."""
        config = step.get("configuration")
        config = config if isinstance(config, dict) else {}
        inside: list[int | str] = ["steps", index, "configuration"]
        lists: list[tuple[Any, list[int | str], str | None]] = []
        if step.get("type") == "condition":
            for key, branch in (("trueSteps", "true"), ("falseSteps", "false")):
                lists.append((config.get(key), [*inside, key], branch))
        else:
            if step.get("type") == "parallel":
                lists.append((config.get("parallelSteps"), [*inside, "parallelSteps"], None))
            lists.append((step.get("nextSteps"), ["steps", index, "nextSteps"], None))
        return [
            (name, [*place, at], branch)
            for names, place, branch in lists
            for at, name in enumerate(self._names(names, place, step))
            if is_id(name)
        ]

    def _names(self, names: Any, place: list[int | str], step: dict[str, Any]) -> list[Any]:
        if names is None:
            return []
        if not isinstance(names, list) or not all(is_id(name) for name in names):
            message, hint = "steps are named in a list of their ids", f'write "{place[-1]}": ["ID"]'
            if not any(
                problem.message == message and problem.node == step["id"] for problem in self._result.problems
            ):
                self._result.refuse(place, message, hint, node=step["id"])
        return names if isinstance(names, list) else []

    def _ends(self, parallel: str) -> list[str]:
        """The last steps of the branches of a parallel step: what follows it waits for all of them."""
        index, step = self._steps[parallel]
        pending = [name for name, place, _ in self._successors(step, index) if place[-2] == "parallelSteps"]
        ends: list[str] = []
        seen = {parallel}
        while pending:
            name = pending.pop(0)
            if name in seen or name not in self._steps:
                continue
            seen.add(name)
            at, inner = self._steps[name]
            following = self._successors(inner, at)
            branches = {branch for _, _, branch in following}
            if not following or (inner.get("type") == "condition" and len(branches) < 2):
                ends.append(name)
            if inner.get("type") == "parallel" and inner.get("nextSteps"):
                following = [one for one in following if one[1][2] == "nextSteps"]
            pending += [target for target, _, _ in following]
        return ends or [parallel]
