"""Directed graphs as plain functions over node ids and (source, target) pairs."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import compress


def topological_order(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[str]:
    """The nodes so that every edge leads forward; among equals, the given order.

    Raises:
        ValueError: The graph has a cycle; check with `find_cycle` first.
    """
    position = {node: index for index, node in enumerate(nodes)}
    successors = defaultdict(set)
    waiting = dict.fromkeys(nodes, 0)
    for source, target in set(edges):
        successors[source].add(target)
        waiting[target] += 1
    order: list[str] = []
    ready = [position[node] for node in nodes if not waiting[node]]
    while ready:
        node = nodes[heapq.heappop(ready)]
        order.append(node)
        for successor in successors[node]:
            waiting[successor] -= 1
            if not waiting[successor]:
                heapq.heappush(ready, position[successor])
    if len(order) != len(nodes):
        raise ValueError("the graph has a cycle")
    return order


def find_cycle(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> list[str] | None:
    """A cycle as the list of its nodes, the first repeated at the end; None where there is none."""
    successors = defaultdict(list)
    for source, target in edges:
        successors[source].append(target)
    done: set[str] = set()
    for root in nodes:
        path: list[str] = []
        on_path: set[str] = set()
        # An explicit stack: definitions may be deeper than Python's recursion limit.
        stack: list[tuple[str, int]] = [(root, 0)]
        while stack:
            node, index = stack.pop()
            if index == 0:
                if node in done:
                    continue
                path.append(node)
                on_path.add(node)
            if index < len(successors[node]):
                stack.append((node, index + 1))
                following = successors[node][index]
                if following in on_path:
                    return [*path[path.index(following) :], following]
                if following not in done:
                    stack.append((following, 0))
            else:
                done.add(node)
                on_path.discard(node)
                path.pop()
    return None


def find_cycles(
    nodes: Sequence[str], edges: Iterable[tuple[str, str]], *, at_most: int = 10
) -> list[list[str]]:
    """Cycles that share no closing edge; removing the last edge of each leaves none, if all were found."""
    left = list(edges)
    cycles: list[list[str]] = []
    while len(cycles) < at_most and (cycle := find_cycle(nodes, left)):
        cycles.append(cycle)
        closing = (cycle[-2], cycle[-1])
        left = [pair for pair in left if pair != closing]
    return cycles


def ancestors(nodes: Sequence[str], edges: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """For each node, every node that may run before it, in topological order (acyclic graphs)."""
    pairs = list(edges)
    order = topological_order(nodes, pairs)
    rank = {node: index for index, node in enumerate(order)}
    sources = defaultdict(set)
    for source, target in pairs:
        sources[target].add(source)
    # One integer per node, one bit per rank: sets of ids would take a gigabyte for a deep graph.
    before: dict[str, int] = {}
    for node in order:
        before[node] = 0
        for source in sources[node]:
            before[node] |= before[source] | (1 << rank[source])
    return {node: list(compress(order, _bits(before[node]))) for node in nodes}


def _bits(number: int) -> bytes:
    """A number's bits from the lowest up, as bytes that are zero or not."""
    return f"{number:b}"[::-1].encode().replace(b"0", b"\0")
