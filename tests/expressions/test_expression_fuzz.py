"""Whatever is written and whatever the data: a value or an `ExpressionError`, and data is never evaluated.

`ONEO_FUZZ_EXAMPLES` raises the number of examples.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oneo.errors import ExpressionError
from oneo.expressions import compile_condition, compile_template, reads, reference, resolve
from tests.expressions.expression_scope import make_scope

EXAMPLES = int(os.environ.get("ONEO_FUZZ_EXAMPLES", "500"))
CANARY = "{{secrets.api_key}}"
PROFILE = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 500, suppress_health_check=list(HealthCheck)
)

PIECES = """{{ }} {% %} {# #} record . name [ ] ( ) | upper default ' " \\ 1 0.5 + - * / // % ~ == < and or not in is if
    else none true , : { } secrets nodes date.add_days __class__ é data"""
LEAVES = """data data.a data.b data[0] record.name record.tags now 1 0 -2.5 'a' none true '%d' record.price today []
    {'a':1} duration(days=1) 999999999999999999999999999999"""
pieces = st.sampled_from([*PIECES.split(), " ", "\n", "\ud800"])
sources = st.one_of(st.text(max_size=60), st.lists(pieces, max_size=25).map("".join))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.just(CANARY),
    st.just("2026-01-31"),
)
data = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from("ab") | st.text(max_size=3), inner, max_size=4),
    ),
    max_leaves=12,
)
function_names = st.sampled_from(sorted({name for doc in reference() for name in (doc.name, *doc.aliases)}))
leaves = st.sampled_from(LEAVES.split())


def _combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from(
        ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or"]
    )
    test = st.sampled_from(["defined", "none", "empty", "even", "odd", "number", "list"])
    return st.one_of(
        st.tuples(inner, operator, inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(function_names, st.lists(inner, max_size=3)).map(
            lambda parts: f"{parts[0]}({', '.join(parts[1])})"
        ),
        st.tuples(inner, function_names, st.lists(inner, max_size=2)).map(
            lambda parts: f"({parts[0]} | {parts[1]}({', '.join(parts[2])}))"
        ),
        st.tuples(inner, inner).map(lambda parts: f"({parts[0]})[{parts[1]}]"),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]})[{parts[1]}:{parts[2]}]"),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} if {parts[1]} else {parts[2]})"),
        st.tuples(inner, test).map(lambda parts: f"({parts[0]} is {parts[1]})"),
        inner.map(lambda part: f"(-{part})"),
        inner.map(lambda part: f"(not {part})"),
        inner.map(lambda part: f"[{part}, data]"),
    )


expressions = st.recursive(leaves, _combined, max_leaves=8)


def _check_position(error: ExpressionError, source: str) -> None:
    assert error.position is None or 0 <= error.position <= len(source)


@PROFILE
@given(sources, data)
def test_random_text(source: str, value: Any) -> None:
    scope = make_scope(data=value)
    for compile_ in (compile_template, compile_condition):
        try:
            compiled = compile_(source)
            compiled.evaluate(scope)
        except ExpressionError as exc:
            _check_position(exc, source)


@PROFILE
@given(expressions, data)
def test_random_expressions(expression: str, value: Any) -> None:
    scope = make_scope(data=value)
    source = "{{ " + expression + " }}"
    for text in (source, f"<{source}>"):
        try:
            compile_template(text).evaluate(scope)
        except ExpressionError as exc:
            _check_position(exc, text)
    with contextlib.suppress(ExpressionError):
        assert isinstance(compile_condition(expression).evaluate(scope), bool)
    assert scope.revealed == set()


@PROFILE
@given(data)
def test_data_comes_out_as_it_went_in(value: Any) -> None:
    scope = make_scope(data=value)
    found = resolve({"a": ["{{ data }}"], "b": "{{ [data] | first }}"}, scope)
    assert repr(found["a"][0]) == repr(value) == repr(found["b"])
    assert scope.revealed == set()


@PROFILE
@given(expressions)
def test_reads_are_found_without_evaluating(expression: str) -> None:
    try:
        found = reads("{{ " + expression + " }}")
    except ExpressionError:
        return
    assert found.roots <= {"data", "record", "now", "today"}
