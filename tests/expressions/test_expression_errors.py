"""Errors say where, what, and what would be right."""

from __future__ import annotations

import pytest

from oneo.errors import ExpressionError
from oneo.expressions import Scope, compile_template


@pytest.mark.parametrize(
    ("source", "position", "message", "hint"),
    [
        ("Hi {{ recrd.name }}", 6, "nothing named 'recrd'", "'record'"),
        ("{{ record.scor }}", 10, "record has no field 'scor'", "'score'"),
        ("{{ record.company.nam }}", 18, "record.company has no field 'nam'", "'name'"),
        ("{{ score }}", 3, "nothing named 'score'", "record.score"),
        ("{{ record.phone.mobile }}", 16, "record.phone is empty (null)", "default"),
        ("{{ record.name.first }}", 15, "record.name is text", None),
        ("{{ record.tags.length }}", 15, "record.tags is a list", "record.tags | length"),
        ("{{ record.deals.amount }}", 16, "record.deals is a list", "map('amount')"),
        ("{{ record.tags[5] }}", 14, "none at position 5", None),
        ("{{ nodes.fetsh.rows }}", 9, "nodes has no field 'fetsh'", "'fetch'"),
        ("{{ record.name | uper }}", 17, "no filter 'uper'", "'upper'"),
        ("{{ uper(record.name) }}", 3, "no function 'uper'", "'upper'"),
        ("{{ record.deals.items() }}", 3, "no function", "record.deals | items"),
        ("{{ record.name is strng }}", 15, "no test 'strng'", "'string'"),
        (
            "{{ record.name | matches('a') }}",
            17,
            "no filter 'matches'",
            "regular expressions are not available",
        ),
        ("{{ record.score ≥ 5 }}", 16, "≥ is not an operator", "write >="),
        ("{{ record.score – 5 }}", 16, "is not an operator", "write -"),  # noqa: RUF001
        ("{{ record.score\u00a0> 5 }}", 15, "white space", "plain space"),
        ("{{ $json.name }}", 3, "'$'", "without $"),
        ("{{{ record.name }}}", 16, "unexpected '}'", "two braces"),
        ("{{ record.tags contains 'vip' }}", 15, "unexpected 'contains'", "write contains(…, …)"),
        ("{{ record.name like 'A%' }}", 15, "unexpected 'like'", "startswith"),
        ("{{ record.name is equalto 'Ann' }}", 15, "no test 'equalto'", "known"),
        ("{{ record.score is even 2 }}", 16, "takes nothing behind it", None),
        ("{{ '5' * 2 }}", 3, "text and a number", "| float"),
        ("{{ nodes.zzz.rows }}", 9, "nodes has no field 'zzz'", "default"),
        ("{{ date.add_hours(1e300) }}", 3, "out of range", None),
        ("{{ record.name | truncate(lenght=3) }}", 17, "no argument 'lenght'", "'length'"),
        ("{{ record.name | replace('a') }}", 17, "needs 'new'", "replace(value, old, new, [count])"),
        ("{{ record.name | upper(1) }}", 17, "at most 1", "upper(value)"),
        ("{{ record.score / 0 }}", 3, "division by zero", "if b else 0"),
        ("{{ 1 + record.name }}", 3, "a number and text", "~"),
        ("{{ record.tags | upper }}", 17, "needs text, not a list", "join"),
        ("{{ 'x' | float }}", 9, "not a number", "fallback"),
        ("{{ record.name", 0, "never closed", "}}"),
        ("{{ record.name + }}", 17, "ends too early", None),
        ("{{ (1 }}", 6, "'}' closes nothing", None),
        ("{{ 'abc }}", 3, "never closed", None),
        ("{{ “a” }}", 3, "not a quote", "straight"),
        ("{{ a b }}", 5, "unexpected 'b'", "operator"),
        ("{{ }}", 3, "no expression", "record.name"),
        ("a {% if x %}b{% endif %}", 2, "statements", "a if condition else b"),
        ("{{- record.name -}}", 0, "white space control", None),
        ("{{ 12ab }}", 3, "not a number", None),
        ("{{ record.name ** 2 }}", 15, "'**'", "multiply"),
        ("{{ and }}", 3, "unexpected 'and'", None),
        ("{{ [1, 2](3) }}", 9, "only functions", None),
        ("{{ upper(*record.tags) }}", 3, "* or **", None),
        ("{{ upper(**record) }}", 9, "'**'", None),
        ("{{ date.format(now, '%Q') }}", 3, "'%Q'", "%Y"),
        ("{{ now | date.in_timezone('Mars/One') }}", 9, "time zone", "Europe/Berlin"),
        ("{{ 'soon' | date.add_days(1) }}", 12, "needs a date", "date.parse"),
    ],
)
def test_position_message_and_hint(
    source: str, position: int, message: str, hint: str | None, scope: Scope
) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_template(source).evaluate(scope)
    assert (caught.value.position, message in caught.value.message) == (position, True), str(caught.value)
    assert hint is None or hint in (caught.value.hint or ""), str(caught.value)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("recrd.name | default('x')", "x"),
        ("record.phone.mobile | default('x')", "x"),
        ("record.phone | default('x')", "x"),
        ("(record.first ~ record.last) | default('you')", "you"),
        ("default(record.none_such, 'x')", "x"),
        ("record.name | default(record.no_such)", "Ann O'Brien"),
        ("0 | default('x')", 0),
        ("0 | default('x', true)", "x"),
        ("record.a.b.c is defined", False),
        ("record.name is undefined", False),
        ("get(record, 'no such', 5)", 5),
    ],
)
def test_what_is_missing_can_be_caught(expression: str, value: object, scope: Scope) -> None:
    assert compile_template("{{ " + expression + " }}").evaluate(scope) == value
