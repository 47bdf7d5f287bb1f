"""Compiles a syntax tree into Python closures; what is not listed here does not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from jinja2 import nodes

from oneo.errors import ExpressionError
from oneo.expressions import operators
from oneo.expressions.budget import Budget
from oneo.expressions.calls import ABSENT, Evaluate, absent_if_missing, bind, defaulted, guarded, invoke
from oneo.expressions.functions import find
from oneo.expressions.lookup import Key, Path, refuse_name, show_path
from oneo.expressions.predicates import TESTS
from oneo.expressions.readers import (
    constant_key,
    field_reader,
    joined_constants,
    object_builder,
    path_reader,
    slice_reader,
)
from oneo.expressions.reads import ReadsCollector
from oneo.expressions.run import Run
from oneo.expressions.vocabulary import unknown_function, unknown_test

_CHAINS: Final[dict[type[nodes.BinExpr], operators.Binary]] = {
    nodes.Add: operators.add,
    nodes.Sub: operators.subtract,
    nodes.Mul: operators.multiply,
    nodes.Div: operators.divide,
    nodes.FloorDiv: operators.floor_divide,
    nodes.Mod: operators.modulo,
}
_RESERVED: Final = frozenset(("and", "or", "not", "in", "is", "if", "else"))


class Compiler:
    """Compiles one expression.

    Args:
        budget: Limits; only the depth matters here.
        reads: Collects what the expression reads.
    """

    def __init__(self, budget: Budget, reads: ReadsCollector) -> None:
        self.budget = budget
        self.reads = reads
        self.depth = 0
        self.cost = 0

    def compile(self, node: nodes.Node) -> Evaluate:
        """The closure of a node."""
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise ExpressionError(
                f"{type(node).__name__.lower()} is not available in expressions", node.lineno
            )
        self.depth += 1
        self.cost += 1
        if self.depth > self.budget.depth:
            raise ExpressionError(
                f"the expression is nested more than {self.budget.depth} deep",
                node.lineno,
                "split the expression",
            )
        made = handler(self, node)
        self.depth -= 1
        return made

    def path(self, node: nodes.Node) -> tuple[Path, list[int]] | None:
        """The constant path a node is, with the position of each step, or None."""
        keys: list[Key] = []
        positions: list[int] = []
        while isinstance(node, nodes.Getattr | nodes.Getitem):
            key = node.attr if isinstance(node, nodes.Getattr) else constant_key(node.arg)
            if key is None:
                return None
            if isinstance(key, str):
                refuse_name(key, node.lineno)
            keys.append(key)
            positions.append(node.lineno)
            if len(keys) > self.budget.depth:
                raise ExpressionError(f"the path has more than {self.budget.depth} steps", node.lineno)
            node = node.node
        if not isinstance(node, nodes.Name):
            return None
        refuse_name(node.name, node.lineno)
        if node.name in _RESERVED:
            raise ExpressionError(f"unexpected {node.name!r}", node.lineno)
        path = (node.name, *reversed(keys))
        if path == ("secrets",):
            raise ExpressionError(
                "secrets can be read only one by one, by a fixed name", node.lineno, "write secrets.the_name"
            )
        return path, [node.lineno, *reversed(positions)]

    def read(self, node: nodes.Expr) -> Evaluate:
        """A name, or steps into a value."""
        found = self.path(node)
        if found is not None:
            path, positions = found
            self.reads.add(path, positions[0])
            return path_reader(path, positions)
        assert isinstance(node, nodes.Getattr | nodes.Getitem)  # noqa: S101 - a name is always a path
        base = self.compile(node.node)
        position = node.lineno
        if isinstance(node, nodes.Getattr):
            refuse_name(node.attr, position)
            return field_reader(base, self._argument(node.attr), position)
        if isinstance(node.arg, nodes.Slice):
            bounds = (node.arg.start, node.arg.stop, node.arg.step)
            return slice_reader(
                base, [None if part is None else self.compile(part) for part in bounds], position
            )
        before = self.reads.count()
        key = self.compile(node.arg)
        if self.reads.count() == before and isinstance(node.arg, nodes.Concat | nodes.Add | nodes.Const):
            constant = joined_constants(node.arg)
            if constant is not None:
                refuse_name(constant, position)
        return field_reader(base, key, position)

    def constant(self, node: nodes.Const) -> Evaluate:
        """A literal."""
        value = node.value
        return lambda _run: value

    def chain(self, node: nodes.BinExpr) -> Evaluate:
        """Arithmetic, from left to right; long sums are not deep ones."""
        links: list[tuple[operators.Binary, nodes.Expr, int]] = []
        current: nodes.Expr = node
        while isinstance(current, nodes.BinExpr) and type(current) in _CHAINS:
            links.append((_CHAINS[type(current)], current.right, current.lineno))
            current = current.left
        first = self.compile(current)
        rest = [(compute, self.compile(right), position) for compute, right, position in reversed(links)]

        def computed(run: Run) -> Any:
            value = first(run)
            for compute, right, position in rest:
                value = guarded(position, compute, run, value, right(run))
            return value

        return computed

    def logic(self, node: nodes.BinExpr) -> Evaluate:
        """`and` and `or`; like Python's, they give one of their sides."""
        sides: list[nodes.Expr] = []
        current: nodes.Expr = node
        while type(current) is type(node) and isinstance(current, nodes.BinExpr):
            sides.append(current.right)
            current = current.left
        parts = [self.compile(side) for side in (current, *reversed(sides))]
        stop_at = isinstance(node, nodes.Or)

        def decided(run: Run) -> Any:
            value: Any = None
            for part in parts:
                value = part(run)
                if bool(value) is stop_at:
                    return value
            return value

        return decided

    def negation(self, node: nodes.Not) -> Evaluate:
        """`not`."""
        inner = self.compile(node.node)
        return lambda run: not inner(run)

    def sign(self, node: nodes.UnaryExpr) -> Evaluate:
        """`-x` and `+x`."""
        inner, position = self.compile(node.node), node.lineno
        apply = operators.negate if isinstance(node, nodes.Neg) else operators.plus
        return lambda run: guarded(position, apply, inner(run))

    def compare(self, node: nodes.Compare) -> Evaluate:
        """One comparison, or several in a row such as `1 < x < 5`."""
        first = self.compile(node.expr)
        rest = [
            (operators.COMPARISONS[operand.op], self.compile(operand.expr), node.expr.lineno)
            for operand in node.ops
        ]

        def compared(run: Run) -> bool:
            left = first(run)
            for test, right, position in rest:
                value = right(run)
                if not guarded(position, test, run, left, value):
                    return False
                left = value
            return True

        return compared

    def concat(self, node: nodes.Concat) -> Evaluate:
        """`~`: both sides as text."""
        parts = [self.compile(part) for part in node.nodes]
        return lambda run: run.joined([part(run) for part in parts])

    def choice(self, node: nodes.CondExpr) -> Evaluate:
        """`a if c else b`; without `else`, null."""
        test, chosen = self.compile(node.test), self.compile(node.expr1)
        other = self.compile(node.expr2) if node.expr2 is not None else lambda _run: None
        return lambda run: chosen(run) if test(run) else other(run)

    def sequence(self, node: nodes.List | nodes.Tuple) -> Evaluate:
        """A list."""
        parts = [self.compile(part) for part in node.items]
        return lambda run: [part(run) for part in parts]

    def mapping(self, node: nodes.Dict) -> Evaluate:
        """An object."""
        pairs = [(self.compile(pair.key), self.compile(pair.value), pair.key.lineno) for pair in node.items]
        for pair in node.items:
            if isinstance(pair.key, nodes.Const) and isinstance(pair.key.value, str):
                refuse_name(pair.key.value, pair.key.lineno)

        return object_builder(pairs)

    def test(self, node: nodes.Test) -> Evaluate:
        """`x is defined` and its family."""
        check = TESTS.get(node.name)
        if check is None and node.name not in ("defined", "undefined"):
            raise unknown_test(node.name, node.lineno)
        if node.args or node.kwargs or node.dyn_args or node.dyn_kwargs:
            raise ExpressionError(f"`is {node.name}` takes nothing behind it", node.lineno)
        if check is None:
            inner, wanted = self.guard(node.node), node.name == "defined"
            return lambda run: (inner(run) is not ABSENT) is wanted
        operand, position = self.compile(node.node), node.lineno
        return lambda run: guarded(position, check, operand(run))

    def guard(self, node: nodes.Expr) -> Evaluate:
        """A node that may be missing: then it gives `ABSENT`."""
        outer, self.reads.guarded = self.reads.guarded, True
        inner = self.compile(node)
        self.reads.guarded = outer
        return absent_if_missing(inner)

    def call(self, node: nodes.Call | nodes.Filter) -> Evaluate:
        """A function, or a filter: the same with the value in front."""
        name, position, arguments = self._called(node)
        refuse_name(name, position)
        entry = find(name)
        if entry is None:
            raise unknown_function(name, position, is_filter=isinstance(node, nodes.Filter))
        if node.dyn_args or node.dyn_kwargs:
            raise ExpressionError(f"{name} takes no * or ** arguments", position)
        self.reads.functions.add(entry.doc.name)
        named = [(str(keyword.key), keyword.value) for keyword in node.kwargs]
        dated = isinstance(node, nodes.Call)
        ordered = bind(entry, arguments, named, position, may_be_dated=dated)
        if entry.doc.name == "default":
            return defaulted(self.guard(ordered[0]), *(self._argument(value) for value in ordered[1:]))
        return invoke(entry, [self._argument(value) for value in ordered], position)

    def _argument(self, value: Any) -> Evaluate:
        if isinstance(value, nodes.Expr):
            return self.compile(value)
        if callable(value):
            return value  # type: ignore[no-any-return]
        return lambda _run: value

    def _called(self, node: nodes.Call | nodes.Filter) -> tuple[str, int, list[nodes.Expr]]:
        if isinstance(node, nodes.Filter):
            assert node.node is not None  # noqa: S101 - only filter blocks lack one
            return node.name, node.lineno, [node.node, *node.args]
        found = self.path(node.node) if isinstance(node.node, nodes.Name | nodes.Getattr) else None
        if found is None:
            raise ExpressionError(
                "only functions of the table can be called",
                node.lineno,
                "an operator may be missing before the bracket",
            )
        return show_path(found[0]), found[1][0], list(node.args)


_Handler = Callable[[Compiler, Any], Evaluate]
_HANDLERS: Final[dict[type[nodes.Node], _Handler]] = {
    nodes.Const: Compiler.constant,
    nodes.Name: Compiler.read,
    nodes.Getattr: Compiler.read,
    nodes.Getitem: Compiler.read,
    nodes.And: Compiler.logic,
    nodes.Or: Compiler.logic,
    nodes.Not: Compiler.negation,
    nodes.Neg: Compiler.sign,
    nodes.Pos: Compiler.sign,
    nodes.Compare: Compiler.compare,
    nodes.Concat: Compiler.concat,
    nodes.CondExpr: Compiler.choice,
    nodes.List: Compiler.sequence,
    nodes.Tuple: Compiler.sequence,
    nodes.Dict: Compiler.mapping,
    nodes.Test: Compiler.test,
    nodes.Call: Compiler.call,
    nodes.Filter: Compiler.call,
    **dict.fromkeys(_CHAINS, Compiler.chain),
}
