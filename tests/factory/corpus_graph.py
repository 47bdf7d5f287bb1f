"""Mistakes in what leads where, and in what expressions read."""

from __future__ import annotations

from typing import Any

from tests.factory.documents import START, chain, clock, edge, graph, node, notify, route
from tests.factory.mistake import Mistake

A, B, C = notify("a"), notify("b"), notify("c")
AB = [edge("start", "a"), edge("a", "b")]
HIGH_LOW = route({"if": "trigger.n > 1", "then": "a", "label": "high"}, {"else": "b", "label": "low"})
ROUTED = [edge("start", "route"), edge("route", "a", "high"), edge("route", "b", "low")]


def _route(name: str, path: str, *conditions: dict[str, Any], says: tuple[str, ...]) -> Mistake:
    document = graph(
        [route(*conditions), A, B], [edge("start", "route"), edge("route", "a"), edge("route", "b")]
    )
    return Mistake(f"branch: {name}", document, f"$.nodes[1].config{path}", "route", says)


def edges() -> list[Mistake]:
    """Edges to nowhere, cycles, duplicates, unreachable nodes."""
    nowhere, cycle = ("no node of this workflow",), ("form a cycle", "remove an edge")
    again = {**A, "name": "again"}
    loop = ("no node there makes loops", "remove")
    return [
        Mistake(
            "edge to nowhere",
            graph([A, B], [*AB, edge("a", "bb")]),
            "$.edges[2].target",
            "a",
            (*nowhere, "'bb'", "known: b, start"),
        ),
        Mistake(
            "edge from nowhere",
            graph([A, B], [*AB, edge("strt", "b")]),
            "$.edges[2].source",
            "b",
            (*nowhere, "'start'"),
        ),
        Mistake(
            "reached by a misspelt source",
            graph([A, B], [AB[0], edge("aa", "b")]),
            "$.edges[1].source",
            "b",
            (*nowhere, "'aa'", "known: a, start"),
        ),
        Mistake("self-loop", graph([A, B], [*AB, edge("b", "b")]), "$.edges[2]", "b", (*cycle, "b → b")),
        Mistake(
            "cycle of two", graph([A, B], [*AB, edge("b", "a")]), "$.edges[2]", "a", (*cycle, "a → b → a")
        ),
        Mistake(
            "cycle of three",
            graph([A, B, C], [*AB, edge("b", "c"), edge("c", "a")]),
            "$.edges[3]",
            "a",
            (*cycle, "for_each"),
        ),
        Mistake(
            "cycle through a branch",
            chain(A, route({"if": "true", "then": "a"}, {"else": "b"}), B),
            "$.nodes[2].config.conditions[0].then",
            "a",
            (*cycle, "a → route → a"),
        ),
        Mistake("duplicate id", chain(A, B, again), "$.nodes[3].id", "a", ("two nodes", "its own id")),
        Mistake(
            "duplicate trigger id",
            chain(A, {**B, "id": "start"}),
            "$.nodes[2].id",
            "start",
            ("two nodes", "its own id"),
        ),
        Mistake(
            "edge into a trigger",
            graph([A, clock()], [AB[0], edge("start", "clock"), edge("clock", "a")]),
            "$.edges[1].target",
            "clock",
            ("no edge can lead to it", "turn the edge round"),
        ),
        Mistake(
            "trigger later without edges",
            chain(A, clock()),
            "$.nodes[2]",
            "clock",
            ("stand first", "move it to the front"),
        ),
        Mistake(
            "trigger last without edges",
            {"name": "W", "nodes": [A, START]},
            "$.nodes[1]",
            "start",
            ("stand first", "add edges"),
        ),
        Mistake(
            "unreachable node",
            graph([A, B, C], AB),
            "$.nodes[3]",
            "c",
            ("no path leads from a trigger", "connect it"),
        ),
        Mistake("no edges in the list", graph([A], []), "$.nodes[1]", "a", ("no path", "leave `edges` out")),
        Mistake("loop edge", graph([A, B], [AB[0], edge("a", "b", loop=True)]), "$.edges[1].loop", "a", loop),
        Mistake(
            "loop_back edge",
            graph([A, B], [*AB, edge("b", "a", loop_back=True)]),
            "$.edges[2].loop_back",
            "b",
            loop,
        ),
        Mistake(
            "loop_complete edge",
            graph([A, B], [AB[0], edge("a", "b", loop_complete=True)]),
            "$.edges[1].loop_complete",
            "a",
            ("'a' makes none", "remove loop_complete"),
        ),
        Mistake(
            "condition on a plain node",
            graph([A, B], [AB[0], edge("a", "b", "high")]),
            "$.edges[1].condition",
            "a",
            ("no branch 'high'", "condition node in between"),
        ),
        Mistake(
            "empty condition",
            graph([A, B], [AB[0], edge("a", "b", "")]),
            "$.edges[1].condition",
            "a",
            ("no branch ''", "leave the condition out"),
        ),
        Mistake(
            "unknown label",
            graph([HIGH_LOW, A, B], [*ROUTED, edge("route", "b", "lo")]),
            "$.edges[3].condition",
            "route",
            ("no branch 'lo'", "'low'"),
        ),
        Mistake(
            "label in other case",
            graph([HIGH_LOW, A, B], [*ROUTED, edge("route", "a", "High")]),
            "$.edges[3].condition",
            "route",
            ("no branch 'High'", "'high'"),
        ),
    ]


def branches() -> list[Mistake]:
    """Conditions that cannot decide, or lead nowhere."""
    fallback = {"else": "b", "label": "low"}
    one_kind = ("exactly one of `if`, `elif` and `else`",)
    last = ("one `else`", "last branch")
    return [
        _route("none", ".conditions", says=("at least 1 item", "Branches")),
        Mistake(
            "branch: conditions missing",
            chain(node("route", "condition"), A),
            "$.nodes[1].config.conditions",
            "route",
            ("missing", "Branches"),
        ),
        _route("two else", "", {"if": "true", "then": "a"}, fallback, {"else": "a"}, says=last),
        _route("else first", "", fallback, {"if": "true", "then": "a"}, says=last),
        _route("if and else", ".conditions[0]", {"if": "true", "else": "a"}, fallback, says=one_kind),
        _route("neither", ".conditions[0]", {"then": "a"}, fallback, says=one_kind),
        _route("text", ".conditions[0]", "a", fallback, says=("an object", "Branches")),  # type: ignore[arg-type]
        _route(
            "leads nowhere",
            ".conditions[0].then",
            {"if": "true", "then": "aa"},
            fallback,
            says=("'aa'", "known: a, b"),
        ),
        _route(
            "else leads nowhere",
            ".conditions[1].else",
            {"if": "true", "then": "a"},
            {"else": "bbb"},
            says=("'bbb'", "known: a, b"),
        ),
        _route(
            "called error",
            ".conditions[0].then",
            {"if": "true", "then": "a", "label": "error"},
            fallback,
            says=("'error'", "another label"),
        ),
        _route(
            "called success",
            ".conditions[0].then",
            {"if": "true", "then": "a", "label": "success"},
            fallback,
            says=("'success'", "another label"),
        ),
        Mistake(
            "branch: unknown mode",
            chain(
                node("route", "condition", conditions=[{"if": "true", "then": "a"}], evaluation_mode="any"), A
            ),
            "$.nodes[1].config.evaluation_mode",
            "route",
            ("'first_match' or 'all_match'", "any"),
        ),
        _route(
            "broken condition",
            ".conditions[0].if",
            {"if": "trigger.n >", "then": "a"},
            fallback,
            says=("character",),
        ),
        _route(
            "broken elif",
            ".conditions[1].elif",
            {"if": "true", "then": "a"},
            {"elif": "((", "then": "b"},
            says=("character",),
        ),
        _route(
            "reads nothing there",
            ".conditions[0].if",
            {"if": "nodes.zz.n > 1", "then": "a"},
            fallback,
            says=("'zz'", "does not exist"),
        ),
        _route(
            "undeclared",
            ".conditions[0].if",
            {"if": "variables.limit > 1", "then": "a"},
            fallback,
            says=("'limit' is not declared", "`variables`"),
        ),
    ]


def expressions() -> list[Mistake]:
    """Expressions that cannot be compiled, or that read what is not there."""
    broken = {
        "unclosed": ("{{ trigger.x", ("character", "}}")),
        "half an operator": ("{{ trigger.x + }}", ("character",)),
        "statement": ("{% if x %}", ("character",)),
        "empty": ("{{ }}", ("character",)),
        "unclosed text": ("{{ 'a }}", ("character",)),
        "dunder": ("{{ trigger.__class__ }}", ("__class__",)),
        "dunder by key": ("{{ ''.__class__.__mro__ }}", ("__class__",)),
        "dunder in brackets": ("{{ trigger['__globals__'] }}", ("__globals__",)),
        "unknown filter": ("{{ trigger.x | uper }}", ("no filter 'uper'", "upper")),
        "unknown function": ("{{ lenght(trigger.x) }}", ("no function 'lenght'", "length")),
        "unknown test": ("{{ trigger.x is definde }}", ("no test", "defined")),
        "regular expression": (
            "{{ trigger.x | regex_replace('a', 'b') }}",
            ("regular expressions", "replace"),
        ),
        "power": ("{{ 9 ** 9 }}", ("character",)),
        "undefined node": ("{{ nodes.scor.total }}", ("'scor'", "does not exist", "'score'")),
        "undefined node as output": ("{{ outputs.scor }}", ("'scor'", "'score'")),
        "undefined node by prefix": ("{{ node_scor.total }}", ("'scor'", "'score'")),
        "itself": ("{{ nodes.tell.x }}", ("before it ran", "start, score")),
        "a later node": ("{{ nodes.later.x }}", ("runs after this one", "start, score")),
        "undeclared variable": ("{{ variables.limt }}", ("'limt' is not declared", "'limit'")),
        "undeclared by key": ("{{ variables['limt'] }}", ("'limt' is not declared", "'limit'")),
    }
    found = []
    for name, (source, says) in broken.items():
        for place, config, path in (
            ("text", {"message": source}, ".message"),
            ("list item", {"recipients": ["a", source]}, ".recipients[1]"),
        ):
            document = chain(notify("score"), notify(**config), notify("later"), variables={"limit": 1})
            whole = f"$.nodes[2].config{path}"
            found.append(Mistake(f"expression: {name} in a {place}", document, whole, "tell", says))
    parallel = graph([A, notify("b", message="{{ nodes.a.x }}")], [edge("start", "a"), edge("start", "b")])
    says = ("does not run before", "lead an edge from it", "start")
    found.append(Mistake("expression: a node beside it", parallel, "$.nodes[2].config.message", "b", says))
    header = node("a", "http_request", url="https://example.com", headers={"X-Key": "{{ nope("})
    path = "$.nodes[1].config.headers['X-Key']"
    found.append(Mistake("expression: in a header", chain(header), path, "a", ("character",)))
    return found


CLASSES = {
    "edges": edges(),
    "branches": branches(),
    "expressions": expressions(),
}
