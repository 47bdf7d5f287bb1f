# ruff: noqa: E501 - tables
"""Mistakes in what is read inside of loops, from outside of them, and to end them."""

from __future__ import annotations

from typing import Any

from tests.factory.corpus_loops import (
    COUNT,
    EACH,
    END,
    A,
    B,
    C,
    again,
    back,
    done,
    into,
    looped,
    stop,
)
from tests.factory.documents import edge, graph, node, notify, route
from tests.factory.mistake import Mistake


def reads() -> list[Mistake]:
    """Reading what a loop keeps to itself."""

    def read(name: str, source: str, *says: str, node_id: str = "end") -> Mistake:
        reader = notify(node_id, message=source)
        body = [A, reader] if node_id != "end" else [A, B]
        document = looped(*body)
        if node_id == "end":
            document["nodes"][4] = reader
        index = next(at for at, one in enumerate(document["nodes"]) if one["id"] == node_id)
        return Mistake(name, document, f"$.nodes[{index}].config.message", node_id, says)

    results = ("once in each round of loop 'each'", "nodes.each.results")
    inner = node("inner", "for_each", items_source=[1], item_variable="x")
    nested = graph(
        [EACH, inner, A, B, notify("end", message="{{ nodes.a.x }}")],
        [
            edge("start", "each"),
            into("each", "inner"),
            into("inner", "a"),
            back("a", "inner"),
            edge("inner", "b"),
            back("b", "each"),
            done("each", "end"),
        ],
    )
    within = graph(
        [EACH, inner, A, notify("b", message="{{ nodes.a.x }}"), END],
        [
            edge("start", "each"),
            into("each", "inner"),
            into("inner", "a"),
            back("a", "inner"),
            edge("inner", "b"),
            back("b", "each"),
            done("each", "end"),
        ],
    )
    merge = node("end", "merge_data", merge_sources=[{"source": "a"}])
    merged = looped(A)
    merged["nodes"][3] = merge
    source = looped(A, loop=node("each", "for_each", items_source="{{ nodes.a.list }}"))
    return [
        read("from behind the loop", "{{ nodes.a.x }}", "'a'", *results),
        read("as output", "{{ outputs.b.x }}", "'b'", *results),
        read("by prefix", "{{ node_a.x }}", "'a'", *results),
        read(
            "the loop from inside", "{{ nodes.each.results }}", "'each'", "does not run before", node_id="b"
        ),
        read(
            "what follows the loop, from inside",
            "{{ nodes.end.x }}",
            "'end'",
            "does not run before",
            node_id="b",
        ),
        read("itself, in a body", "{{ nodes.b.x }}", "'b'", "before it ran", node_id="b"),
        Mistake("two loops deep", nested, "$.nodes[5].config.message", "end", ("'a'", *results)),
        Mistake(
            "one loop deep",
            within,
            "$.nodes[4].config.message",
            "b",
            ("'a'", "loop 'inner'", "nodes.inner.results"),
        ),
        Mistake("by a merge", merged, "$.nodes[3].config.merge_sources[0].source", "end", ("'a'", *results)),
        Mistake(
            "the body, for its own items",
            source,
            "$.nodes[1].config.items_source",
            "each",
            ("'a'", "does not run before"),
        ),
    ]


def names() -> list[Mistake]:
    """Names of a round, read where there is none."""

    def outside(name: str, source: str, *says: str, **options: Any) -> Mistake:
        document = looped(A, loop=node("each", "for_each", items_source=[1], **options))
        document["nodes"][3] = notify("end", message=source)
        return Mistake(name, document, "$.nodes[3].config.message", "end", says)

    item = ("the item of loop 'each'", "this node is not in there", "nodes.each.results")
    no_loops = graph([notify("a", message="{{ loop.index }}")], [edge("start", "a")])
    own = looped(A, loop=node("each", "for_each", items_source="{{ item.list }}"))
    before = looped(A, nodes=[], loop=EACH)
    before["nodes"].append(notify("first", message="{{ item }}"))
    before["edges"] += [edge("start", "first"), edge("first", "each")]
    inner = node("inner", "for_each", items_source=[1], item_variable="cell")
    sibling = graph(
        [EACH, inner, A, notify("b", message="{{ cell }}"), END],
        [
            edge("start", "each"),
            into("each", "inner"),
            into("inner", "a"),
            back("a", "inner"),
            edge("inner", "b"),
            back("b", "each"),
            done("each", "end"),
        ],
    )
    return [
        outside("item behind the loop", "{{ item }}", "'item'", *item),
        outside("a field of the item", "{{ item.name | upper }}", "'item'", *item),
        outside("an item of another name", "{{ row.name }}", "'row'", *item, "context.row", item_variable="row"),
        outside("loop.index behind the loop", "{{ loop.index }}", "`loop` is known in the body", "body of loop 'each'"),
        outside("loop behind the loop", "{{ loop }}", "`loop` is known in the body"),
        Mistake("loop without loops", no_loops, "$.nodes[1].config.message", "a", ("`loop` is known in the body", "for_each")),
        Mistake("item in the loop's own items", own, "$.nodes[1].config.items_source", "each", ("the loop node itself is not",)),
        Mistake("item before the loop", before, "$.nodes[4].config.message", "first", ("'item'", "loop 'each'")),
        Mistake("item of an inner loop", sibling, "$.nodes[4].config.message", "b", ("'cell'", "loop 'inner'")),
        Mistake(
            "item in a condition", looped(A, nodes=[route({"if": "item > 1", "then": "c"}, {"else": "b"}), B, C], more=[edge("end", "route")]),
            "$.nodes[4].config.conditions[0].if", "route", ("'item'", "loop 'each'"),
        ),
    ]  # fmt: skip


def endless() -> list[Mistake]:
    """Loops and breakers that look at what never changes."""
    never = ("never changes in it", "set_variable")
    same = ("the same in every round", "look at the item")
    other = node("count", "set_variable", increment={"m": 1})

    def waits(
        name: str, body: dict[str, Any], path: str = ".exit_conditions[0].condition", **options: Any
    ) -> Mistake:
        document = looped(body, loop=again(**options), variables={"n": 0, "m": 0})
        return Mistake(f"controller: {name}", document, f"$.nodes[1].config{path}", "again", never, "warning")

    def idle(name: str, condition: str, **rest: Any) -> Mistake:
        document = looped(
            COUNT, stop(break_conditions=[{"condition": condition}]), variables={"n": 0, "m": 0}, **rest
        )
        return Mistake(
            f"breaker: {name}",
            document,
            "$.nodes[3].config.break_conditions[0].condition",
            "stop",
            same,
            "warning",
        )

    unbounded = looped(COUNT, loop=node("again", "workflow_loop_controller", max_iterations=50_000))
    return [
        waits("another variable", other, ".exit_conditions[0].path"),
        waits(
            "another variable, by an expression", other, exit_conditions=[{"condition": "variables.n > 3"}]
        ),
        waits("another variable, by its bare name", other, exit_conditions=[{"condition": "n > 3"}]),
        waits("what the trigger gave", COUNT, exit_conditions=[{"condition": "trigger.done"}]),
        waits("nothing at all", COUNT, exit_conditions=[{"condition": "1 > 2"}]),
        waits(
            "a context nobody writes",
            COUNT,
            ".exit_conditions[0].path",
            exit_conditions=[{"type": "context_value", "path": "success"}],
        ),
        waits("a node outside", COUNT, exit_conditions=[{"condition": "nodes.start.done"}]),
        waits(
            "while something else",
            other,
            ".while_condition",
            loop_type="while",
            while_condition="variables.n < 3",
            exit_conditions=[],
        ),
        waits(
            "while true",
            COUNT,
            ".while_condition",
            loop_type="while",
            while_condition="true",
            exit_conditions=[],
        ),
        waits("the record, unchanged", COUNT, exit_conditions=[{"condition": "record.stage == 'done'"}]),
        Mistake(
            "controller: 50,000 rounds",
            unbounded,
            "$.nodes[1].config",
            "again",
            ("50,000 rounds", "exit_conditions"),
            "warning",
        ),
        idle("another variable", "variables.m > 3"),
        idle("what the trigger gave", "trigger.stop == true"),
        idle("a node outside", "nodes.start.stop"),
        idle("a context nobody writes", "{{context.attempts}} > 3"),
    ]


CLASSES = {
    "reading into a loop": reads(),
    "names of a round outside it": names(),
    "loops that nothing ends": endless(),
}
