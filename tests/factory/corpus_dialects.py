# ruff: noqa: E501 - tables
"""Mistakes in documents of other dialects: named where their author made them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tests.factory.mistake import Mistake

FULL = {"recipients": ["ann@example.com"], "title": "T", "message": "M"}


def drawn(name: str, kind: str, /, **data: Any) -> dict[str, Any]:
    """A node of a drawing."""
    return {"id": name, "type": kind, "position": {"x": 1, "y": 2}, "data": data}


def drawing(*nodes: Any, **rest: Any) -> dict[str, Any]:
    """A drawing whose nodes follow each other, with a trigger."""
    listed = [drawn("start", "trigger_manual"), *nodes]
    ids = [one["id"] for one in listed]
    edges = [{"source": source, "target": target, "sourceHandle": None} for source, target in pairwise(ids)]
    return {"id": "w", "name": "W", "nodes": listed, "edges": edges, **rest}


def loop(*body: Any, **data: Any) -> dict[str, Any]:
    """A drawing with a loop whose body is a list."""
    return drawing(drawn("each", "for_each", items_path="people", sub_nodes=list(body), **data))


def step(name: str, kind: str = "action", /, **configuration: Any) -> dict[str, Any]:
    """A step."""
    return {"id": name, "type": kind, "configuration": configuration}


def tell(**parameters: Any) -> dict[str, Any]:
    """A step that needs nothing from outside."""
    return step("tell", action="task_notify", parameters={**FULL, **parameters})


def steps(*listed: Any, **rest: Any) -> dict[str, Any]:
    """A document of steps."""
    return {"id": "w", "name": "W", "steps": list(listed), **rest}


def drawings() -> list[Mistake]:
    """Drawings."""

    def wrong(name: str, node: dict[str, Any], path: str, *says: str) -> Mistake:
        return Mistake(f"drawn: {name}", drawing(node), f"$.nodes[1]{path}", node["id"], says)

    return [
        wrong(
            "unknown option",
            drawn("a", "task_notify", **FULL, colour="red"),
            ".data.colour",
            "unknown option 'colour'",
        ),
        wrong(
            "unknown option in config",
            drawn("a", "task_notify", config={**FULL, "tittle": "x"}),
            ".data.config.tittle",
            "'title'",
        ),
        wrong(
            "renamed option",
            drawn("a", "http_request", url="https://example.com", timeout=-1),
            ".data.timeout",
            "greater than 0",
        ),
        wrong("unknown type", drawn("a", "task_notfy"), ".type", "no node type", "'task_notify'"),
        wrong(
            "no operator",
            drawn("a", "condition", conditions=[{"left": 1, "operator": "~", "right": 2}]),
            ".data.conditions[0]",
            "no operator '~'",
            "==",
        ),
        wrong(
            "data is a number",
            {"id": "a", "type": "task_notify", "data": 5, "position": {}},
            ".data",
            "an object",
        ),
        wrong(
            "format",
            drawn("a", "task_notify", **{**FULL, "title": "{score:.1f}"}),
            ".data",
            "{score:.1f}",
            "round",
        ),
        Mistake(
            "drawn: unknown key",
            drawing(drawn("a", "task_notify", **FULL), colour="red"),
            "$.colour",
            None,
            ("unknown key 'colour'",),
        ),
        Mistake(
            "drawn: unknown trigger",
            drawing(drawn("a", "task_notify", **FULL), trigger_type="magic"),
            "$.trigger_type",
            None,
            ("no trigger type 'magic'",),
        ),
    ]


def lists() -> list[Mistake]:
    """Bodies of loops that are written as lists."""

    def wrong(name: str, node: Any, path: str, *says: str, node_id: str | None = "a") -> Mistake:
        return Mistake(f"list: {name}", loop(node), f"$.nodes[1].data.sub_nodes{path}", node_id, says)

    beside = {"id": "a", "type": "task_notify", **FULL}
    return [
        wrong("unknown option beside the type", {**beside, "tittle": 1}, "[0].tittle", "'title'"),
        wrong("unknown option in the data", drawn("a", "task_notify", **FULL, tittle=1), "[0].data.tittle", "'title'"),
        wrong("unknown type", {"id": "a", "type": "task_notfy"}, "[0].type", "'task_notify'"),
        wrong("no type", {"id": "a"}, "[0].type", "'type' is missing"),
        wrong("hostile id", {**beside, "id": "../x"}, "[0].id", "cannot be an id", node_id="../x"),
        wrong("a trigger", drawn("a", "trigger_manual"), "[0]", "starts the workflow"),
        wrong("text", "task_notify", "[0]", "is an object", '"type"', node_id="each"),
        wrong("no operator", drawn("a", "condition", conditions=[{"left": 1, "operator": "~", "right": 2}]), "[0].data.conditions[0]", "no operator"),
        Mistake("list: two of one id", loop(beside, beside), "$.nodes[1].data.sub_nodes[1].id", "a", ("two nodes have the id 'a'", "its own id")),
        Mistake("list: none", drawing(drawn("each", "for_each", items_path="people", sub_nodes=5)), "$.nodes[1].data.sub_nodes", "each", ("list of nodes",)),
        Mistake("list: rounds at once", loop(beside, max_concurrency=0), "$.nodes[1].data.max_concurrency", "each", ("greater than or equal to 1",)),
        Mistake("list: no path", drawing(drawn("each", "for_each", items_path="", sub_nodes=[beside])), "$.nodes[1].data.items_path", "each", ("valid list",)),
        Mistake("list: read from outside", drawing(*loop(beside)["nodes"][1:], drawn("end", "task_notify", **{**FULL, "title": "{node_a.x}"})),
                "$.nodes[2].data.title", "end", ("once in each round of loop 'each'", "nodes.each.results")),
        Mistake("list: item outside", drawing(*loop(beside)["nodes"][1:], drawn("end", "task_notify", **{**FULL, "title": "{current_item}"})),
                "$.nodes[2].data.title", "end", ("the item of loop 'each'",)),
    ]  # fmt: skip


def in_steps() -> list[Mistake]:
    """Documents of steps."""

    def wrong(name: str, written: dict[str, Any], path: str, *says: str) -> Mistake:
        return Mistake(f"step: {name}", steps(written), f"$.steps[0]{path}", written["id"], says)

    asks = step("ask", "condition", condition="trigger.x > 1", trueSteps=["tell"])
    return [
        wrong("unknown option", tell(tittle=1), ".configuration.parameters.tittle", "unknown option 'tittle'", "'title'"),
        wrong("unknown action", step("a", action="task_notfy", parameters=FULL), ".configuration.action", "'task_notfy'"),
        wrong("no action", step("a", parameters={}), ".configuration", "names its `action`", "node type"),
        wrong("unknown type", {"id": "a", "type": "acton"}, ".type", "no step type 'acton'", "'action'"),
        wrong("unknown key", {**tell(), "nextStep": []}, ".nextStep", "unknown key 'nextStep'", "'nextSteps'"),
        wrong("unknown key of errors", {**tell(), "errorHandling": {"retries": 1}}, ".errorHandling.retries", "unknown key", "retryCount"),
        wrong("negative retries", {**tell(), "errorHandling": {"retryCount": -1}}, ".errorHandling.retryCount", "greater than or equal to 0"),
        wrong("parameters are a list", step("a", action="task_notify", parameters=[]), ".configuration.parameters", "an object"),
        Mistake("step: no list", {"id": "w", "name": "W", "steps": {}}, "$.steps", None, ("a list of at least one step",)),
        Mistake("step: text", steps(tell(), "x"), "$.steps[1]", None, ("a step is an object",)),
        Mistake("step: next is nowhere", steps({**tell(), "nextSteps": ["tel"]}), "$.steps[0].nextSteps[0]", "tell", ("'tel'",)),
        Mistake("step: condition is not JavaScript", steps({**asks, "configuration": {**asks["configuration"], "condition": "a >"}}, tell()),
                "$.steps[0].configuration.condition", "ask", ("cannot be read as JavaScript",)),
        Mistake("step: negative delay", steps({**tell(), "errorHandling": {"retryCount": 1, "retryDelay": -5}}),
                "$.steps[0].errorHandling.retryDelay", "tell", ("negative", "seconds")),
        Mistake("step: condition is missing", steps({**asks, "configuration": {"trueSteps": ["tell"]}}, tell()), "$.steps[0].configuration", "ask", ("says its condition",)),
        Mistake("step: unknown key of the document", steps(tell(), colour=1), "$.colour", None, ("unknown key 'colour'",)),
        Mistake("step: unknown trigger", steps(tell(), trigger={"type": "magic"}), "$.trigger", None, ("no trigger 'magic'", "manual")),
    ]  # fmt: skip


def shorthands() -> list[Mistake]:
    """Shorthands of quoted workflows that leave open what is meant."""
    start = {"id": "start", "type": "trigger_manual"}

    def wrong(name: str, node: dict[str, Any], path: str, *says: str) -> Mistake:
        return Mistake(
            f"shorthand: {name}",
            {"id": "w", "name": "W", "nodes": [start, node]},
            f"$.nodes[1]{path}",
            node["id"],
            says,
        )

    def condition(**config: Any) -> dict[str, Any]:
        return {"id": "a", "type": "condition", "config": config}

    write = ("`conditions`", '"conditions": [{')
    return [
        wrong("threshold", condition(threshold=70), ".config.threshold", *write, ">= 70"),
        wrong("check", condition(check="urgency"), ".config.check", *write, "record.urgency"),
        wrong("if", condition(**{"if": "record.x > 1"}), ".config.if", *write, "record.x > 1"),
        wrong("condition", condition(condition="record.x > 1"), ".config.condition", *write),
    ]


CLASSES = {
    "drawings": drawings(),
    "bodies as lists": lists(),
    "steps": in_steps(),
    "shorthands": shorthands(),
}
