"""Order, cycles and ancestors, also of graphs deeper than Python's recursion limit."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from dag_factory.graph import ancestors, find_cycle, find_cycles, topological_order

DEEP = [f"n{index}" for index in range(5_000)]
DEEP_EDGES = list(pairwise(DEEP))
DIAMOND = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]


def test_every_edge_leads_forward_and_the_given_order_decides_otherwise():
    assert topological_order("dcba", DIAMOND) == ["a", "c", "b", "d"]
    assert topological_order("abcd", DIAMOND) == ["a", "b", "c", "d"]
    assert topological_order("cab", []) == ["c", "a", "b"]


def test_order_does_not_depend_on_the_order_of_edges():
    edges = [(f"n{a}", f"n{b}") for a in range(40) for b in range(a + 1, 40, 7)]
    nodes = [f"n{index}" for index in range(40)]
    expected = topological_order(nodes, edges)
    for seed in range(5):
        shuffled = random.Random(seed).sample(edges, len(edges))
        assert topological_order(nodes, shuffled) == expected
        assert ancestors(nodes, shuffled) == ancestors(nodes, edges)


def test_order_of_a_cycle_is_refused():
    with pytest.raises(ValueError, match="cycle"):
        topological_order("ab", [("a", "b"), ("b", "a")])


def test_cycle_is_shown_from_its_first_node_back_to_it():
    assert find_cycle("abcd", [("a", "b"), ("b", "c"), ("c", "d"), ("d", "b")]) == ["b", "c", "d", "b"]
    assert find_cycle("a", [("a", "a")]) == ["a", "a"]
    assert find_cycle("abcd", DIAMOND) is None


def test_independent_cycles_are_all_found_up_to_a_limit():
    edges = [("a", "b"), ("b", "a"), ("c", "c"), ("d", "c")]
    assert find_cycles("abcd", edges) == [["a", "b", "a"], ["c", "c"]]
    assert len(find_cycles(DEEP, [(node, node) for node in DEEP])) == 10


def test_ancestors_are_all_that_may_run_before_in_their_order():
    assert ancestors("abcd", DIAMOND) == {"a": [], "b": ["a"], "c": ["a"], "d": ["a", "b", "c"]}
    assert ancestors("ab", [("a", "b"), ("a", "b")]) == {"a": [], "b": ["a"]}


def test_a_chain_of_5000_nodes_needs_no_recursion():
    assert topological_order(DEEP, DEEP_EDGES) == DEEP
    assert find_cycle(DEEP, DEEP_EDGES) is None
    found = ancestors(DEEP, DEEP_EDGES)
    assert found[DEEP[-1]] == DEEP[:-1]
    assert found[DEEP[1]] == DEEP[:1]


def test_a_cycle_of_5000_nodes_is_found():
    cycle = find_cycle(DEEP, [*DEEP_EDGES, (DEEP[-1], DEEP[0])])
    assert cycle == [*DEEP, DEEP[0]]
