"""The table of functions; its examples are run as they are documented."""

from __future__ import annotations

import json

import pytest

from oneo.errors import ExpressionError
from oneo.expressions import Scope, compile_template, reference
from tests.expressions.expression_scope import make_scope

EXAMPLES = [(doc.name, *example) for doc in reference() for example in doc.examples]


@pytest.mark.parametrize(("name", "expression", "shown"), EXAMPLES)
def test_documented_examples(name: str, expression: str, shown: str, scope: Scope) -> None:
    assert compile_template("{{ " + expression + " }}{{ '' }}").evaluate(scope) == shown


def test_every_function_is_documented() -> None:
    docs = reference()
    assert len(docs) == len({doc.name for doc in docs})
    for doc in docs:
        assert doc.summary.endswith("."), doc.name
        assert doc.examples, doc.name
        assert doc.signature.startswith(f"{doc.name}("), doc.name
        assert doc.topic in ("general", "text", "numbers", "lists", "dates")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("record.name | upper", "ANN O'BRIEN"),
        ("upper(record.name)", "ANN O'BRIEN"),
        ("record.phone | upper", ""),
        ("record.score | upper", "85"),
        ("record.deals | where('stage', 'won') | length", 2),
        ("record.deals | sum('amount')", 150),
        ("record.deals | pluck('amount')", [100, 50, None]),
        ("record.deals | map(attribute='amount', default=0) | max", 100),
        ("record.deals | sort('amount') | map('amount')", [50, 100, None]),
        ("record.deals | sort(attribute='amount', reverse=true) | map('amount')", [100, 50, None]),
        ("record.deals | unique('stage') | length", 2),
        ("[1, true, 1.0, '1'] | unique", [1, True, "1"]),
        ("[[1], [1], {'a': 1}] | unique", [[1], {"a": 1}]),
        ("[record.company] | map('name')", ["Acme"]),
        ("record.price | round | string", "1500"),
        ("record.ratio | round(1)", 0.1),
        ("1234 | round(-2)", 1200),
        ("record.score_text | int + 1", 86),
        ("[] | avg", None),
        ("[] | min", None),
        ("'{\"a\": [1]}' | from_json", {"a": [1]}),
        ("merge(record.company, {'size': 13})", {"name": "Acme", "size": 13}),
        ("record | get('company') | get('nope', 0)", 0),
    ],
)
def test_functions(expression: str, value: object, scope: Scope) -> None:
    assert compile_template("{{ " + expression + " }}").evaluate(scope) == value


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("date.add_days(days=1)", "2026-01-31T12:30:00+00:00"),
        ("date.add_days(-1)", "2026-01-29T12:30:00+00:00"),
        ("date.add_months(1)", "2026-02-28T12:30:00+00:00"),
        ("date.add_business_days(1)", "2026-02-02T12:30:00+00:00"),
        ("date.add_business_days(-5)", "2026-01-23T12:30:00+00:00"),
        ("date.add_business_days(today, 1, ['2026-02-02'])", "2026-02-03"),
        ("date.is_business_day()", "true"),
        ("date.format('%A, %d %B %Y, %H:%M')", "Friday, 30 January 2026, 12:30"),
        ("date.format(now, 'ddd D MMM YY h:mm A [UTC]')", "Fri 30 Jan 26 12:30 PM UTC"),
        ("date.start_of('week') | date.format('YYYY-MM-DD')", "2026-01-26"),
        ("date.end_of('month') | date.format('YYYY-MM-DDTHH:mm:ss')", "2026-01-31T23:59:59"),
        ("date.start_of(now, 'hour')", "2026-01-30T12:00:00+00:00"),
        ("date.diff_days('2026-02-02')", "3"),
        ("date.parse('2026-01-31 08:15', 'YYYY-MM-DD HH:mm')", "2026-01-31T08:15:00+00:00"),
        # the clocks go forward on 29 March 2026 in Berlin
        (
            "date.in_timezone('2026-03-28T12:00:00Z', 'Europe/Berlin') | date.add_days(1)",
            "2026-03-29T13:00:00+02:00",
        ),
        (
            "date.in_timezone('2026-03-28T12:00:00Z', 'Europe/Berlin') | date.add_hours(24)",
            "2026-03-29T14:00:00+02:00",
        ),
    ],
)
def test_dates(expression: str, shown: str, scope: Scope) -> None:
    assert compile_template("{{ " + expression + " }}{{ '' }}").evaluate(scope) == shown


def test_json_text_can_be_read_back() -> None:
    data = {"a": [1, 2.5, None, True, 'ü"\\'], "b": {"c": []}}
    assert json.loads(compile_template("{{ data | json }}").evaluate(make_scope(data=data))) == data
    with pytest.raises(ExpressionError):
        compile_template("{{ data | json }}").evaluate(make_scope(data=[float("nan")]))
