"""Names that nobody knows, outputs that may be missing, ways that nothing takes, loops that lead nowhere."""

from __future__ import annotations

from typing import Any

from tests.factory.documents import chain, edge, graph, node, notify, route
from tests.factory.mistake import Mistake

A, B, C = notify("a"), notify("b"), notify("c")
FORK = route({"if": "trigger.x", "then": "a", "label": "yes"}, {"else": "b", "label": "no"})
MET = [edge("start", "route"), edge("route", "a"), edge("route", "b"), edge("a", "end"), edge("b", "end")]
EACH = node("each", "for_each", items_source="{{ trigger.items }}")
MESSAGE = "$.nodes[1].config.message"


def reading(source: str) -> dict[str, Any]:
    """A node called `end` that reads something."""
    return notify("end", message=source)


def sets(node_id: str, **variables: Any) -> dict[str, Any]:
    """A node that sets variables."""
    return node(node_id, "set_variable", variables=variables)


def skipped() -> list[Mistake]:
    """Outputs of nodes that do not run on every way to where they are read."""

    def past(name: str, document: Any, path: str, reader: str | None, *says: str) -> Mistake:
        return Mistake(f"skipped: {name}", document, path, reader, (*says, "default("), "warning")

    end = "$.nodes[4].config.message"
    fails = [edge("start", "a"), edge("a", "b"), edge("a", "c", "error"), edge("b", "end"), edge("c", "end")]
    only = [edge("start", "route"), edge("route", "a"), edge("route", "end", "success"), edge("a", "end")]
    inside = [
        edge("start", "each"),
        edge("each", "route", loop=True),
        *MET[1:],
        edge("end", "each", loop_back=True),
    ]
    two = {
        "id": "w",
        "name": "W",
        "nodes": [
            {"id": "start", "type": "trigger_manual"},
            node("made", "trigger_record_created", pipeline_ids=["leads"]),
            A,
            notify("end", message="{{ nodes.a.recipients }}"),
        ],
        "edges": [edge("start", "end"), edge("made", "a"), edge("a", "end")],
    }
    return [
        past("by the other branch", graph([FORK, A, B, reading("{{ nodes.a.x }}")], MET), end, "end", "takes 'no'"),
        past("in another spelling", graph([FORK, A, B, reading("{{ node_b.x }}")], MET), end, "end", "takes 'yes'"),
        past(
            "where no branch is taken",
            graph([route({"if": "trigger.x", "then": "a"}), A, reading("{{ outputs.a.x }}")], only),
            "$.nodes[3].config.message", "end", "does not take 'a'",
        ),
        past("behind a failure", graph([A, B, C, reading("{{ nodes.b.x }}")], fails), end, "end", "'a' has failed"),
        past("behind a success", graph([A, B, C, reading("{{ nodes.c.x }}")], fails), end, "end", "has not failed"),
        past("of the other trigger", two, "$.nodes[3].config.message", "end", "'start' starts the workflow"),
        past(
            "at the end",
            graph([FORK, A, B], MET[:3], outputs={"x": {"value": "{{ nodes.a.x }}"}}),
            "$.outputs.x.value", None, "takes 'no'",
        ),
        past(
            "in a loop",
            graph([EACH, FORK, A, B, reading("{{ nodes.a.x }}")], inside),
            "$.nodes[5].config.message", "end", "takes 'no'",
        ),
    ]  # fmt: skip


def slips() -> list[Mistake]:
    """Bare names but for a letter those of something, or set too late."""

    def slip(name: str, source: str, *says: str, **rest: Any) -> Mistake:
        return Mistake(
            f"name: {name}", chain(notify("a", message=source), **rest), MESSAGE, "a", says, "warning"
        )

    late = [notify("a", message="{{ total }}"), sets("sum", total=1)]
    return [
        slip("letters turned round", "{{ recrod.name }}", "'recrod'", "'record'", "trigger.recrod"),
        slip("one letter less", "{{ contxt.x }}", "'context'"),
        slip("singular of nodes", "{{ node.a.x }}", "'nodes'"),
        slip("singular of secrets", "{{ secret.key }}", "'secrets'"),
        slip("a variable", "{{ limt }}", "'limit'", variables={"limit": 5}),
        Mistake(
            "name: set by a later node", chain(*late), MESSAGE, "a", ("is set by node 'sum'", "lead an edge"), "warning"
        ),
    ]  # fmt: skip


def idle() -> list[Mistake]:
    """Ways that nothing takes."""
    beside = {"id": "other", "type": "trigger_manual"}
    return [
        Mistake(
            "idle: the failure of a trigger", graph([A, B], [edge("start", "a"), edge("start", "b", "error")]),
            "$.edges[1].condition", "start", ("never fails", "error_workflow"), "warning",
        ),
        Mistake(
            "idle: a trigger that nothing follows", graph([A, beside], [edge("start", "a")]),
            "$.nodes[2]", "other", ("nothing follows trigger 'other'", "lead an edge"), "warning",
        ),
        Mistake(
            "idle: a branch back to the trigger", chain(route({"if": "trigger.x", "then": "start"})),
            "$.nodes[1].config.conditions[0].then", "route", ("no branch can lead to it",),
        ),
        Mistake(
            "idle: an edge back to the trigger", graph([A], [edge("start", "a"), edge("a", "start")]),
            "$.edges[1].target", "start", ("no edge can lead to it",),
        ),
    ]  # fmt: skip


def ends() -> list[Mistake]:
    """Where loops say that they go, and nothing is."""

    def controller(**ends: str) -> dict[str, Any]:
        return node("again", "workflow_loop_controller", **{"loop_back_to": "count", **ends})

    count = node("count", "set_variable", increment={"n": 1})
    says = ("no node of this workflow", "no condition")
    return [
        Mistake(
            "loop ends: the body", chain(count, controller(loop_back_to="cuont")),
            "$.nodes[2].config.loop_back_to", "again", (*says, "did you mean 'count'"),
        ),
        Mistake(
            "loop ends: what follows", chain(count, controller(exit_to="tel"), notify("tell")),
            "$.nodes[2].config.exit_to", "again", (*says, "did you mean 'tell'"),
        ),
        Mistake(
            "loop ends: nothing of that kind", chain(count, controller(loop_back_to="elsewhere")),
            "$.nodes[2].config.loop_back_to", "again", (*says, "known: count, start"),
        ),
    ]  # fmt: skip


def texts() -> list[Mistake]:
    """Secrets that stand outside of nodes, and what the store keeps."""
    key, says = "Bearer abcdef1234567890", ("plain text", "secrets.")
    kept = ("unknown key", "the store keeps that")
    return [
        Mistake("text: description", chain(A, description=f"Send {key}"), "$.description", None, says, "warning"),
        Mistake(
            "text: output", chain(A, outputs={"x": {"value": key}}), "$.outputs.x.value", None, says, "warning"
        ),
        Mistake(
            "text: inside of an output", chain(A, outputs={"x": {"value": {"headers": [key]}}}),
            "$.outputs.x.value.headers[0]", None, says, "warning",
        ),
        Mistake("text: version", chain(A, version=3), "$.version", None, kept),
        Mistake("text: tenant", chain(A, tenant_id="acme"), "$.tenant_id", None, kept),
    ]  # fmt: skip


CLASSES = {
    "texts beside the nodes": texts(),
    "outputs that may be missing": skipped(),
    "names but for a letter": slips(),
    "ways that nothing takes": idle(),
    "where loops lead": ends(),
}
