"""The steps dialect: a trigger, and steps that name the steps after them."""

from __future__ import annotations

from typing import Any

from dag_factory.dialects import step_actions
from dag_factory.dialects.converted import Converted, Location, free_name
from dag_factory.dialects.javascript import translate
from dag_factory.dialects.javascript_tokens import NotTranslatableError
from dag_factory.dialects.step_actions import Action
from dag_factory.dialects.step_order import StepOrder, with_known_branches
from dag_factory.dialects.step_variables import read_variables
from dag_factory.dialects.sub_nodes import expand
from dag_factory.json_path import json_path
from oneo.suggest import did_you_mean

NAME = "steps"
_OF_THE_STORE = ("version", "enabled", "metadata", "tenant", "status")
_CARRIED = {"id", "name", "description", "outputs", "settings"}
_READ = {"trigger", "steps", "variables", *_OF_THE_STORE, *_CARRIED}
_STEP_KEYS = {"id", "name", "type", "configuration", "nextSteps", "errorHandling", "position"}
_MISSING_NAMES = (
    "a name that is missing is an error where a condition compares it, and JavaScript had undefined; write ?. before "
    "it or compare it with null to allow that"
)
_STEP_TYPES = ("action", "condition", "parallel", "human_task", "delay")


def recognises(document: dict[str, Any]) -> bool:
    """Whether a document has steps instead of nodes."""
    return "steps" in document and "nodes" not in document


def convert(document: dict[str, Any]) -> Converted:
    """Read a document of steps."""
    return _Reader(document).read()


class _Reader:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        steps = document["steps"]
        self._result = Converted(NAME, {})
        self._steps = with_known_branches(self._result, steps if isinstance(steps, list) else [])
        self._nodes: list[dict[str, Any]] = []

    def read(self) -> Converted:
        result, document = self._result, self._document
        if not isinstance(document["steps"], list) or not document["steps"]:
            result.refuse(
                ["steps"],
                "`steps` is a list of at least one step",
                'write "steps": [{"id": …}]',
                at=["nodes"],
            )
        written = {key: value for key, value in document.items() if key in _CARRIED}
        trigger = self._trigger()
        for index, step in enumerate(self._steps):
            self._step(step, index)
        edges = StepOrder(result, self._steps, trigger).edges()
        result.document = {**written, "nodes": self._nodes, "edges": edges}
        read_variables(result, document.get("variables", []))
        for key in sorted(document.keys() & set(_OF_THE_STORE)):
            result.note(f"`{key}` is kept by the store with each published version, so it is not read")
        for key in sorted(document.keys() - _READ):
            result.refuse([key], f"unknown key {key!r}", did_you_mean(key, _READ))
        expand(result)
        result.approximations.sort(key=lambda text: text.startswith("`"))
        return result

    def _trigger(self) -> str:
        written = self._document.get("trigger", {"type": "manual"})
        trigger: dict[str, Any] = written if isinstance(written, dict) else {}
        kind, config = trigger.get("type"), trigger.get("configuration", {})
        taken = {str(step.get("id")) for step in self._steps if isinstance(step, dict)}
        name = free_name("trigger", taken)
        event = config.get("event") if isinstance(config, dict) and kind == "event" else None
        if isinstance(event, str) and event in step_actions.RECORD_EVENTS:
            action = step_actions.RECORD_EVENTS[event]
            config = {key: value for key, value in config.items() if key != "event"}
        elif isinstance(kind, str) and kind in step_actions.TRIGGERS:
            action = step_actions.TRIGGERS[kind]
        else:
            hint = "one of " + ", ".join(step_actions.TRIGGERS)
            self._result.refuse(["trigger"], f"there is no trigger {kind!r}", hint, at=["nodes", 0, "type"])
            action = Action("trigger_manual")
            config = {}
        place: list[int | str] = ["nodes", 0]
        self._result.place(place, ["trigger"], alike=False)
        node = {"id": name, "type": action.type}
        self._nodes.append(self._with_config(node, action, config, ["trigger", "configuration"]))
        self._result.place([*place, "type"], ["trigger", "type"], alike=False)
        return name

    def _step(self, step: Any, index: int) -> None:
        original: list[int | str] = ["steps", index]
        canonical: list[int | str] = ["nodes", len(self._nodes)]
        if not isinstance(step, dict):
            self._result.refuse(original, "a step is an object", 'write {"id": …, "type": …}')
            return
        self._result.place(canonical, original)
        node = {key: step[key] for key in ("id", "name", "position") if key in step}
        config, kind = step.get("configuration", {}), step.get("type")
        at: list[int | str] = [*original, "configuration"]
        if not isinstance(config, dict):
            self._result.refuse(
                at, "`configuration` is an object", 'write "configuration": {…}', node=_id(step)
            )
            config = {}
        if kind == "action":
            node = self._action(node, config, at)
        elif kind == "human_task":
            self._result.note(
                f"step {_id(step)!r}: what the person fills in is read by its bare name, or as context.NAME"
            )
            node = self._with_config({**node, "type": "human_task"}, step_actions.HUMAN_TASK, config, at)
        elif kind == "delay":
            node = self._with_config({**node, "type": "wait_delay"}, step_actions.DELAY, config, at)
        elif kind == "condition":
            node = self._condition(node, step, config, original)
        elif kind == "parallel":
            rest = {key: value for key, value in config.items() if key != "parallelSteps"}
            node = self._with_config({**node, "type": "parallel"}, Action("parallel"), rest, at)
        else:
            hint = did_you_mean(str(kind), _STEP_TYPES)
            message = f"there is no step type {kind!r}"
            place = [*original, "type"] if "type" in step else original
            self._result.refuse(place, message, hint, node=_id(step), at=[*canonical, "type"])
            node = {**node, "type": str(kind)}
        handling = self._error_handling(step, [*canonical, "error_handling"], original)
        self._nodes.append({**node, **handling})
        for key in sorted(step.keys() - _STEP_KEYS):
            self._result.refuse(
                [*original, key], f"unknown key {key!r}", did_you_mean(key, _STEP_KEYS), node=_id(step)
            )

    def _action(self, node: dict[str, Any], config: dict[str, Any], at: list[int | str]) -> dict[str, Any]:
        name, parameters = config.get("action"), config.get("parameters", {})
        canonical: list[int | str] = ["nodes", len(self._nodes)]
        if not isinstance(name, str):
            hint = "one of " + ", ".join(step_actions.ACTIONS) + ", or a node type"
            place = [*at, "action"] if "action" in config else at
            self._result.refuse(
                place, "an action step names its `action`", hint, node=_id(node), at=[*canonical, "type"]
            )
            name = ""
        action = step_actions.ACTIONS.get(name) or Action(name)
        inside = [*at, "parameters"]
        if "parameters" not in config:
            # Some authors write the parameters beside the action.
            parameters, inside = {key: value for key, value in config.items() if key != "action"}, at
        else:
            for key in sorted(config.keys() - {"action", "parameters"}):
                known = "move it into `parameters`"
                self._result.refuse([*at, key], f"unknown key {key!r} beside `action`", known, node=_id(node))
        self._result.place([*canonical, "type"], [*at, "action"], alike=False)
        return self._with_config({**node, "type": action.type}, action, parameters, inside)

    def _with_config(
        self, node: dict[str, Any], action: Action, parameters: Any, at: Location
    ) -> dict[str, Any]:
        place: list[int | str] = ["nodes", len(self._nodes), "config"]
        if not isinstance(parameters, dict):
            self._result.refuse(at, "parameters are an object", "write {…}", node=_id(node), at=place)
            parameters = {}
        self._result.place(place, at, alike=False)
        config: dict[str, Any] = {}
        for ours, theirs, value in step_actions.options(action, parameters):
            single = isinstance(value, list) and not isinstance(parameters[theirs], list)
            self._result.place([*place, ours], [*at, theirs], alike=not single)
            relative = step_actions.relative_date(value)
            if relative is not None:
                self._result.note(
                    f"step {_id(node)!r}: {theirs} {value!r} is read as {relative}, in the workflow's time zone"
                )
            config[ours] = value if relative is None else relative
        left = [
            name
            for name in parameters
            if name not in {theirs for _, theirs, _ in step_actions.options(action, parameters)}
        ]
        for name in left:
            message = f"{name!r} says the same as another parameter"
            self._result.refuse([*at, name], message, "keep one of them", node=_id(node))
        return {**node, "config": config}

    def _condition(
        self, node: dict[str, Any], step: dict[str, Any], config: dict[str, Any], original: list[int | str]
    ) -> dict[str, Any]:
        at: list[int | str] = [*original, "configuration"]
        place: list[int | str] = ["nodes", len(self._nodes), "config"]
        source = config.get("condition")
        condition = ""
        if isinstance(source, str) and source.strip():
            condition = self._translated(source, step, [*at, "condition"], place)
        else:
            message, hint = (
                "a condition step says its condition in `condition`",
                'write "condition": "lead.score > 50"',
            )
            self._result.refuse(at, message, hint, node=_id(step), at=place)
        yes, no = (_first(config.get(key)) for key in ("trueSteps", "falseSteps"))
        branch = {"if": condition, **({"then": yes} if yes else {}), "label": "true"}
        branches = [branch, *([{"else": no, "label": "false"}] if no else [])]
        if not yes and (no or "trueSteps" in config):
            # Nothing is to happen then.
            self._result.meant.append(json_path([*place, "conditions", 0]))
        self._result.place(place, at, alike=False)
        self._result.place([*place, "conditions", 0], [*at, "condition"], alike=False)
        self._result.place([*place, "conditions", 0, "then"], [*at, "trueSteps", 0], alike=False)
        self._result.place([*place, "conditions", 1], [*at, "falseSteps"], alike=False)
        self._result.place([*place, "conditions", 1, "else"], [*at, "falseSteps", 0], alike=False)
        for key in sorted(config.keys() - {"condition", "trueSteps", "falseSteps"}):
            hint = did_you_mean(key, ("condition", "trueSteps", "falseSteps"))
            self._result.refuse([*at, key], f"unknown key {key!r}", hint, node=_id(step))
        if step.get("nextSteps"):
            self._result.note(
                f"step {_id(step)!r}: the nextSteps of a condition are left out, "
                "as its trueSteps and falseSteps take their place"
            )
        return {**node, "type": "condition", "config": {"conditions": branches}}

    def _translated(self, source: str, step: dict[str, Any], at: Location, place: Location) -> str:
        try:
            condition = translate(source)
        except NotTranslatableError as error:
            hint = "write it as an expression, e.g. lead.score > 50 && lead.city === 'Bonn'"
            message = f"the condition cannot be read as JavaScript: {error}"
            self._result.refuse(at, message, hint, node=_id(step), at=[*place, "conditions", 0, "if"])
            return source
        if condition != source:
            self._result.note(f"step {_id(step)!r}: the condition {source!r} is read as {condition!r}")
        self._result.note(_MISSING_NAMES)
        return condition

    def _error_handling(
        self, step: dict[str, Any], place: list[int | str], original: Location
    ) -> dict[str, Any]:
        written = step.get("errorHandling")
        at: list[int | str] = [*original, "errorHandling"]
        if written is None:
            self._result.note(
                "steps without errorHandling are retried as their node types say; there they were not"
            )
            return {}
        if not isinstance(written, dict):
            self._result.refuse(
                at, "`errorHandling` is an object", 'write {"retryCount": 3, …}', node=_id(step)
            )
            return {}
        names = {"retryCount": "retry_count", "retryDelay": "retry_delay", "onError": "on_error"}
        self._result.place(place, at, alike=False)
        handling: dict[str, Any] = {}
        for key, value in written.items():
            if key not in names:
                self._result.refuse(
                    [*at, key], f"unknown key {key!r}", did_you_mean(key, names), node=_id(step)
                )
                continue
            self._result.place([*place, names[key]], [*at, key], alike=False)
            handling[names[key]] = value
        delay = handling.get("retry_delay")
        if isinstance(delay, int | float) and not isinstance(delay, bool) and delay < 0:
            hint, place_of_it = "write the seconds before each retry", [*place, "retry_delay"]
            self._result.refuse(
                [*at, "retryDelay"], "retryDelay is negative", hint, node=_id(step), at=place_of_it
            )
        elif isinstance(delay, int | float) and not isinstance(delay, bool):
            handling["retry_delay"] = round(delay * 1000)
            handling["retry_backoff"] = "fixed"
        if handling.get("on_error") != "retry" and handling.get("retry_count"):
            self._result.note(
                f"step {_id(step)!r}: its retries come before onError {handling.get('on_error', 'fail')!r}; "
                "there only 'retry' made any"
            )
        return {"error_handling": handling}


def _id(step: dict[str, Any]) -> str | None:
    found = step.get("id")
    return found if isinstance(found, str) else None


def _first(steps: Any) -> str | None:
    return steps[0] if isinstance(steps, list) and steps and isinstance(steps[0], str) else None
