"""Conditions in every spelling."""

from __future__ import annotations

import pytest

from oneo.errors import ExpressionError
from oneo.expressions import Scope, compile_condition
from tests.expressions.expression_scope import make_scope


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("{{record.score}} > 80", True),
        ("record.score > 80", True),
        ("{{ record.score > 80 }}", True),
        ("{{record.score}} > 80 and {{ record.vip }}", True),
        ("{{record.score}} > 80 and record.name == 'Bob'", False),
        ("({{record.score}} + 1) * 2 == 172", True),
        ("not {{record.vip}} or {{record.score}} >= 85", True),
        ("{{record.score + 1}} * 2 == 172", True),
        ("'{{record.company.name}}' == 'Acme'", True),
        ("'{{record.company.name}} Ltd' == \"Acme Ltd\"", True),
        ("{{ record.name == '{{x}}' }}", False),
        ("{{record.tags}} == ['vip', 'eu']", True),
        ("'vip' in {{record.tags}}", True),
        ("{{record.phone | default('')}} == ''", True),
        ("{'a': {'b': 1}}.a.b == 1", True),
        ("record.phone", False),
        ("record.tags", True),
        ("{{context.attempts}} > 3", False),
    ],
)
def test_spellings(source: str, holds: bool, scope: Scope) -> None:
    assert compile_condition(source).evaluate(scope) is holds


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("record.phone > 0", False),
        ("record.phone <= 0", False),
        ("record.score_text > 80", True),
        ("80 < record.score_text", True),
        ("record.score_text == 85", False),
        ("record.price > 1499.5", True),
        ("record.ratio * 1 == 0.1", True),
        ("record.created_at < now", True),
        ("record.created_at > last_week", False),
        ("today == '2026-01-30'", True),
        ("record.birthday < today", True),
        ("now - record.created_at > duration(days=29)", True),
        ("record.name < 'B'", True),
        ("1 == true and not ('1' == 1)", True),
    ],
)
def test_comparisons(source: str, holds: bool, scope: Scope) -> None:
    assert compile_condition(source).evaluate(scope) is holds


def test_data_with_quotes_and_braces_is_compared_never_parsed() -> None:
    for hostile in (
        "O''Brien' or '1' == '1",
        "{{secrets.api_key}}",
        "x }} or {{ true",
        "\\",
        '"',
        "__class__",
    ):
        scope = make_scope(record={"name": hostile})
        assert compile_condition("{{record.name}} == 'Ann'").evaluate(scope) is False
        assert compile_condition("'{{record.name}}' == 'Ann'").evaluate(scope) is False
        assert scope.revealed == set()


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("record.name > 3", ("text", "number")),
        ("record.tags > 3", ("list", "number")),
        ("record.vip > 0", ("true/false", "number")),
        ("record.company < record.tags", ("object", "list")),
    ],
)
def test_kinds_that_have_no_order(source: str, kinds: tuple[str, ...], scope: Scope) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_condition(source).evaluate(scope)
    assert all(kind in caught.value.message for kind in kinds)


@pytest.mark.parametrize(
    ("source", "position", "hint"),
    [
        ("record.a && record.b", 9, "and"),
        ("record.a || record.b", 9, "or"),
        ("!record.a", 0, "not"),
        ("record.a === 1", 9, "=="),
        ("record.a !== 1", 9, "!="),
        ("record.a = 1", 9, "=="),
        ("record.a AND 1", 9, "and"),
        ("record.a ? 1 : 2", 9, "if"),
        ("{{record.a}} {{record.b}}", 13, "=="),
        ("upper {{record.b}}", 6, "=="),
        ("{{record.name}} == 'O''Brien'", 22, "quote"),
        ("", 0, "name"),
        ("{{record.a > 1", 0, "}}"),
    ],
)
def test_what_to_write_instead(source: str, position: int, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_condition(source)
    assert caught.value.position == position
    assert hint in (caught.value.hint or "")
