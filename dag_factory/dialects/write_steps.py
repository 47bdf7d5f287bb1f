"""A definition as steps, as far as steps can say it: one trigger, actions, two-way conditions, splits."""

from __future__ import annotations

import re
from typing import Any, Final

from dag_factory.definition import Node, Workflow
from dag_factory.dialects.javascript import translate
from dag_factory.dialects.javascript_tokens import NotTranslatableError
from dag_factory.dialects.step_actions import TRIGGERS, relative_date
from dag_factory.dialects.writing import Rewritten, about, edges_of
from dag_factory.json_path import json_path
from oneo.problems import Problem

_TRIGGERS: Final = {action.type: name for name, action in TRIGGERS.items()}
_EVENTS: Final = {f"trigger_{name}": name for name in ("record_created", "record_updated", "record_deleted")}
_UNSAID: Final = ("loop", "loop_back", "loop_complete")


def write_steps(workflow: Workflow) -> Rewritten:
    """Write a definition in the steps dialect; what it cannot say is a problem, and left out."""
    return _Writer(workflow).write()


class _Writer:
    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self._result = Rewritten()
        self._edges = edges_of(workflow)
        self._triggers = [node for node in workflow.nodes if node.type.startswith("trigger_")]

    def write(self) -> Rewritten:
        workflow, result = self._workflow, self._result
        whole = about(workflow)
        kept = ("id", "name", "description", "outputs", "settings")
        document: dict[str, Any] = {key: whole[key] for key in kept if key in whole}
        if workflow.error_handling.model_fields_set:
            self._refuse(None, "$.error_handling", "steps have error handling each, the whole has none")
        document["trigger"] = self._trigger()
        document["steps"] = [
            self._step(node, index)
            for index, node in enumerate(workflow.nodes)
            if not node.type.startswith("trigger_")
        ]
        if workflow.variables:
            document["variables"] = [
                {
                    "name": name,
                    **({"defaultValue" if key == "default" else key: value for key, value in spec.items()}),
                }
                for name, spec in whole["variables"].items()
            ]
        for index, edge in enumerate(self._edges):
            for key in _UNSAID:
                if edge.get(key):
                    self._refuse(edge["source"], f"$.edges[{index}].{key}", "steps have no loops")
            if edge.get("condition") == "error":
                self._refuse(edge["source"], f"$.edges[{index}].condition", "steps have no error paths")
        result.document = document
        return result

    def _refuse(self, node: str | None, path: str, message: str) -> None:
        hint = "keep this workflow in the catalogue's or React Flow's form"
        self._result.problems.append(Problem("error", node, path, message, hint))

    def _trigger(self) -> dict[str, Any]:
        if len(self._triggers) != 1:
            self._refuse(
                None, "$.nodes", f"steps have one trigger, and this workflow has {len(self._triggers)}"
            )
            return {"type": "manual"}
        (node,) = self._triggers
        if node.type in _TRIGGERS:
            return {"type": _TRIGGERS[node.type], "configuration": node.config}
        if node.type in _EVENTS:
            return {"type": "event", "configuration": {"event": _EVENTS[node.type], **node.config}}
        self._refuse(node.id, "$.nodes", f"steps have no trigger such as {node.type}")
        return {"type": "manual"}

    def _step(self, node: Node, index: int) -> dict[str, Any]:
        step: dict[str, Any] = {"id": node.id, **({"name": node.name} if node.name else {})}
        if node.position is not None:
            step["position"] = node.position
        after = [edge["target"] for edge in self._edges if edge["source"] == node.id]
        if node.type == "condition":
            step |= {"type": "condition", "configuration": self._condition(node, index)}
        else:
            parameters = {name: _as_it_is(value) for name, value in node.config.items()}
            step |= {"type": "action", "configuration": {"action": node.type, "parameters": parameters}}
            step["nextSteps"] = after
        if node.error_handling is not None:
            step["errorHandling"] = self._error_handling(node, index)
        return step

    def _condition(self, node: Node, index: int) -> dict[str, Any]:
        branches = node.config.get("conditions")
        listed = branches if isinstance(branches, list) else []
        at = json_path(["nodes", index, "config"])
        plain = 1 <= len(listed) <= 2 and "if" in listed[0] and all("elif" not in one for one in listed)
        if not plain or node.config.get("evaluation_mode", "first_match") != "first_match":
            self._refuse(node.id, at, "a condition step has one condition, which holds or does not")
            return {"condition": "true"}
        source = _in_javascript(str(listed[0]["if"]))
        if source is None:
            self._refuse(node.id, f"{at}.conditions[0].if", "no step can say this condition")
            source = "true"
        for branch, label in zip(listed, ("true", "false"), strict=False):
            if branch.get("label") not in (None, label):
                self._result.approximations.append(
                    f"node {node.id!r}: the branch called {branch['label']!r} is called {label!r} there"
                )
        if node.error_handling is not None and node.error_handling.on_error == "continue":
            self._refuse(node.id, at, "no step follows a condition that has failed")
        yes = self._targets(node, listed, 0, "then")
        no = self._targets(node, listed, 1, "else")
        return {"condition": source, "trueSteps": yes, **({"falseSteps": no} if no else {})}

    def _targets(self, node: Node, branches: list[dict[str, Any]], index: int, key: str) -> list[str]:
        """What follows when a branch is taken: what it leads to, and what follows whichever is."""
        branch = branches[index] if index < len(branches) else {}
        names = {name for name in (branch.get(key), branch.get("label")) if name is not None}
        theirs = {one.get("then", one.get("else")) for one in branches}
        own = [
            edge["target"]
            for edge in self._edges
            if edge["source"] == node.id
            and (
                edge["target"] == branch.get(key)
                or edge.get("condition") in names
                or (edge.get("condition") in (None, "success") and edge["target"] not in theirs)
            )
        ]
        first = [branch[key]] if branch.get(key) in {one.id for one in self._workflow.nodes} else []
        return list(dict.fromkeys([*first, *own]))

    def _error_handling(self, node: Node, index: int) -> dict[str, Any]:
        handling = node.error_handling
        written: dict[str, Any] = {}
        if handling is None:
            return written
        if handling.retry_count is not None:
            written["retryCount"] = handling.retry_count
        if handling.retry_delay is not None:
            written["retryDelay"] = handling.retry_delay / 1000
        if handling.on_error == "route" or handling.fallback_node is not None:
            self._refuse(
                node.id,
                json_path(["nodes", index, "error_handling"]),
                "steps have no way on which failures lead to other steps",
            )
        elif handling.on_error is not None:
            written["onError"] = handling.on_error
        if handling.retry_delay is not None and handling.retry_backoff is None:
            self._result.approximations.append(
                f"node {node.id!r}: it waits equally long before each retry there"
            )
        if handling.retry_backoff == "exponential":
            self._refuse(
                node.id,
                json_path(["nodes", index, "error_handling"]),
                "steps wait equally long before each retry",
            )
        return written


def _as_it_is(value: Any) -> Any:
    """A value, spelt so that a text such as `+2 days` is not read as a date."""
    return f"{{{{ {value!r} }}}}" if relative_date(value) is not None else value


def _in_javascript(condition: str) -> str | None:
    """A condition that is read as the same one; None where there is none."""
    plain = re.sub(r"\{\{\s*|\s*\}\}", "", condition).strip()
    # What means something else in JavaScript stands in braces there, too.
    for source in (plain, f"{{{{ {plain} }}}}"):
        try:
            if translate(source) in (plain, f"({plain})"):
                return source
        except NotTranslatableError:
            continue
    return None
