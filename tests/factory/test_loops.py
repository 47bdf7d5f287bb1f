"""Which nodes a loop repeats, and in which order everything runs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dag_factory.catalogue import LoopSpec
from dag_factory.definition import Workflow
from dag_factory.loops import Loops, find_loops
from dag_factory.order import Order
from tests.control_flow.writing import edges

EACH, AGAIN = LoopSpec(carries=False), LoopSpec(carries=True)


def found(text: str | None, *, ids: str = "", **specs: LoopSpec) -> Loops:
    """The loops of the edges; nodes are whatever they name, in that order, `ids` before them."""
    return find_loops(workflow(text, ids), specs)


def workflow(text: str | None, ids: str = "") -> Workflow:
    lines = edges(text) if text is not None else []
    names = [*ids.split(), *(line[end] for line in lines for end in ("source", "target"))]
    nodes = [{"id": name, "type": "x"} for name in dict.fromkeys(names)]
    document: dict[str, Any] = {"name": "w", "nodes": nodes}
    return Workflow.model_validate(document if text is None else {**document, "edges": lines})


def order(text: str, loops: Loops) -> Order:
    ids = [node.id for node in workflow(text).nodes]
    return Order(ids, [(edge.source, edge.target) for edge in loops.edges], loops)


def bodies(loops: Loops) -> dict[str, set[str]]:
    return {owner: set(loop.body) for owner, loop in loops.by_owner.items()}


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("s > l; l > a loop; a > l back; l > e done", "a"),
        ("s > l; l > a loop; a > b; b > l back; l > e done", "ab"),
        ("s > l; l > a loop; a > l; l > e", "a"),
        ("s > l; l > a loop; l > e", "a"),
        ("s > l; l > a loop; l > b loop; a > l back; b > l back; l > e", "ab"),
        ("s > l; l > a loop; a > b; a > c; b > d; c > d; d > l back; l > e", "abcd"),
        ("s > l; l > a loop; a > b; a > c; b > l back; l > e", "abc"),
        ("s > l; l > a loop; a > b : error; b > l back; l > e", "ab"),
        ("s > l; l > a loop; a > l back; l > e; e > f", "a"),
        ("s > l; l > a loop; a > l back; l > e; l > h : error; h > e", "a"),
        ("s > l; l > e", ""),
    ],
)
def test_a_body_is_what_the_loop_edges_reach(text: str, body: str) -> None:
    loops = found(text, l=EACH)
    assert bodies(loops) == {"l": set(body)}
    assert not loops.problems


def test_bodies_of_inner_loops_are_in_those_of_outer() -> None:
    loops = found(
        "s > o; o > a loop; a > i; i > b loop; b > i back; i > c done; c > o back; o > e done", o=EACH, i=EACH
    )
    assert bodies(loops) == {"o": set("aibc"), "i": set("b")}
    assert loops.around == {"a": ("o",), "i": ("o",), "b": ("i", "o"), "c": ("o",)}
    assert (loops.level("b"), loops.level("i"), loops.level("e")) == ("i", "o", None)
    assert (loops.lifted("b", "o"), loops.lifted("b", None), loops.lifted("c", None)) == ("i", "o", "o")


def test_a_loop_behind_its_body() -> None:
    spec = LoopSpec(carries=True, body_target="a")
    for way_back in ("", "; l > a loop", "; l > a back"):
        text = f"s > a; a > b; b > l; l > e{way_back}"
        loop = found(text, l=spec).by_owner["l"]
        assert (set(loop.body), loop.entries, loop.tail) == (set("ab"), ("a",), True)
    before = found("s > l; l > a loop; a > b; b > l back; l > e", l=spec).by_owner["l"]
    assert (set(before.body), before.entries, before.tail) == (set("ab"), ("a",), False)


@pytest.mark.parametrize("back", ["", "back"])
def test_a_loop_behind_its_body_inside_another(back: str) -> None:
    inner = LoopSpec(carries=True, body_target="a")
    for first in ("o > a loop", "o > z loop; z > a"):
        loops = found(f"s > o; {first}; a > i; i > o {back}; o > e", o=AGAIN, i=inner)
        assert bodies(loops)["i"] == {"a"}
        assert loops.by_owner["i"].tail
        assert not loops.problems


def test_ways_by_the_conditions_of_edges_and_by_config_alone() -> None:
    named = LoopSpec(carries=True, body_target="more", exit_target="done")
    assert bodies(found("s > l; l > a : more; a > l back; l > e : done", l=named)) == {"l": {"a"}}
    alone = LoopSpec(carries=True, body_target="a", exit_target="e")
    assert bodies(found("s > l; a > b; b > l", ids="e", l=alone)) == {"l": {"a", "b"}}


def test_the_listed_order_has_loops_behind_their_bodies() -> None:
    loops = found(None, ids="s a b l e", l=LoopSpec(carries=True, body_target="a"))
    assert bodies(loops) == {"l": {"a", "b"}}
    assert loops.by_owner["l"].tail


@pytest.mark.parametrize(
    ("text", "says", "path"),
    [
        ("s > a; a > b loop; s > l", "no node there makes loops", "$.edges[1].loop"),
        ("s > a; a > b; b > a back; s > l", "no node there makes loops", "$.edges[2].loop_back"),
        ("s > l; l > a loop; a > e; l > e", "leads out of the body", "$.edges[2]"),
        ("s > l; l > a loop; a > b; s > b", "leads into the body", "$.edges[3]"),
        ("s > l; s > a; l > a loop; a > l back", "leads into the body", "$.edges[1]"),
        ("s > l; l > a loop; a > l back; l > a", "into its own body", "$.edges[3]"),
        ("s > l; l > l loop", "cannot repeat itself", "$.edges[1]"),
        ("s > l; l > a loop; s > b; b > l back", "is not in its body", "$.edges[3].loop_back"),
    ],
)
def test_edges_that_make_no_loop_are_named(text: str, says: str, path: str) -> None:
    (problem,) = found(text, l=EACH).problems
    assert says in problem.message
    assert problem.path == path
    assert problem.hint


def test_bodies_that_overlap_are_named() -> None:
    loops = found("s > l; s > m; l > a loop; m > a loop; a > l back", l=EACH, m=EACH)
    assert "the bodies of loops 'l' and 'm' overlap" in [problem.message for problem in loops.problems]


def test_a_controller_without_a_body_is_named_and_a_loop_over_items_is_not() -> None:
    (problem,) = found("s > l; l > e", l=AGAIN).problems
    assert (problem.path, "repeats nothing" in problem.message) == ("$.nodes[1]", True)
    assert not found("s > l; l > e", l=EACH).problems


NESTED = "s > o; o > a loop; a > i; i > b loop; b > d; d > i back; i > c done; c > o back; o > e done"


def test_each_level_has_an_order_of_its_own() -> None:
    found_order = order(NESTED, found(NESTED, o=EACH, i=EACH))
    assert found_order.nodes(None) == ["s", "o", "e"]
    assert found_order.nodes("o") == ["a", "i", "c"]
    assert found_order.nodes("i") == ["b", "d"]
    assert found_order.before["e"] == ["s", "o"]
    assert found_order.before["c"] == ["a", "i"]


def test_a_loop_over_items_shows_nothing_of_its_rounds() -> None:
    seen = order(NESTED, found(NESTED, o=EACH, i=EACH))
    assert seen.visible("b") == ["s", "a"]
    assert seen.visible("d") == ["s", "a", "b"]
    assert seen.visible("c") == ["s", "a", "i"]
    assert seen.visible("e") == ["s", "o"]
    assert seen.visible("i") == ["s", "a"]
    assert seen.context_from("d") == ["s", "a", "b"]


def test_a_controller_shows_what_its_rounds_gave() -> None:
    seen = order(NESTED, found(NESTED, o=AGAIN, i=AGAIN))
    assert set(seen.visible("e")) == set("soaibdc")
    assert set(seen.visible("b")) == set("saibdc")
    assert set(seen.visible("i")) == set("saibdc")
    assert seen.context_from("d") == ["s", "o", "a", "i", "b"]
    assert seen.context_from("e") == ["s", "o"]


def test_a_loop_over_items_in_a_controller_keeps_its_rounds_to_itself() -> None:
    seen = order(NESTED, found(NESTED, o=AGAIN, i=EACH))
    assert set(seen.visible("e")) == set("soaic")
    assert set(seen.visible("a")) == set("saic")


@st.composite
def nests(draw: Any) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Loops in loops: edges, and for each node the loops around it, the innermost first."""
    count = iter(range(1000))
    around: dict[str, tuple[str, ...]] = {}
    lines: list[str] = []

    def chain(before: str, kind: str, loops: tuple[str, ...]) -> str:
        for step in range(draw(st.integers(1, 3))):
            loop = len(loops) < 3 and draw(st.booleans())
            name = f"{'l' if loop else 'n'}{next(count)}"
            around[name] = loops
            lines.append(f"{before} > {name} {kind if step == 0 else ''}")
            if loop:
                back = draw(st.sampled_from(("back", "")))
                lines.append(f"{chain(name, 'loop', (name, *loops))} > {name} {back}")
            before = name
        return before

    chain("s", "", ())
    return "; ".join(lines), around


@given(nests(), st.booleans())
def test_every_node_is_in_the_loops_it_was_written_into(
    nest: tuple[str, dict[str, tuple[str, ...]]], carries: bool
) -> None:
    text, around = nest
    specs = {name: LoopSpec(carries=carries) for name in around if name.startswith("l")}
    loops = found(text, **specs)
    assert not loops.problems
    assert loops.around == {name: outer for name, outer in around.items() if outer}
    seen = order(text, loops)
    for name, outer in around.items():
        level = outer[0] if outer else None
        assert name in seen.nodes(level)
        assert name not in seen.before[name]
        if level is not None:
            # Whatever its loop can read from outside, a node in it can read too.
            assert set(seen.visible(level)) <= {*seen.visible(name), *loops.by_owner[level].body}
