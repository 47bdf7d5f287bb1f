"""What expressions give: types kept, text joined, operators and names."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from oneo.errors import ExpressionError
from oneo.expressions import Lazy, Scope, compile_template
from tests.expressions.expression_scope import NOW, make_scope


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ record.score }}", 85),
        ("  {{record.score}}\n", 85),
        ("{{record.tags}}", ["vip", "eu"]),
        ("{{record.company}}", {"name": "Acme", "size": 12}),
        ("{{record.phone}}", None),
        ("{{record.vip}}", True),
        ("{{record.price}}", Decimal("1500.00")),
        ("{{record.birthday}}", date(1990, 5, 17)),
        ("{{now}}", NOW),
        ("{{today}}", date(2026, 1, 30)),
        ("{{yesterday}}", date(2026, 1, 29)),
        ("{{last_week}}", datetime(2026, 1, 23, 12, 30, tzinfo=UTC)),
        ("{{last_month}}", datetime(2025, 12, 30, 12, 30, tzinfo=UTC)),
        ("{{date.add_days(3)}}", datetime(2026, 2, 2, 12, 30, tzinfo=UTC)),
        ("{{date.add_days(record.created_at, 3)}}", datetime(2026, 1, 4, 9, tzinfo=UTC)),
        ("{{record.created_at | date.add_days(3)}}", datetime(2026, 1, 4, 9, tzinfo=UTC)),
        ("{{now - date.parse(record.created_at)}}", timedelta(days=29, hours=3, minutes=30)),
        ("no template at all", "no template at all"),
        ("", ""),
    ],
)
def test_a_single_expression_keeps_its_type(source: str, value: object, scope: Scope) -> None:
    found = compile_template(source).evaluate(scope)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hi {{ record.name }}!", "Hi Ann O'Brien!"),
        ("[{{record.phone}}]", "[]"),
        ("{{record.vip}} {{false}}", "true false"),
        ("{{record.score}}{{record.score}}", "8585"),
        ("{{record.price}} EUR", "1500.00 EUR"),
        ("{{1e22}} {{0.1}} {{1e-7}}", "10000000000000000000000 0.1 0.0000001"),
        ("on {{today}} at {{now}}", "on 2026-01-30 at 2026-01-30T12:30:00+00:00"),
        ("in {{duration(days=3, hours=4)}}", "in P3DT4H"),
        ("{{record.tags}} {{record.company}}", '["vip","eu"] {"name":"Acme","size":12}'),
        ("a{# never shown #}b", "ab"),
        ("{{ '{{' }} and {{ '{%' }}", "{{ and {%"),
        ("a {#fff b", "a {#fff b"),
        ("}} stays", "}} stays"),
        ("{{ {'a': {'b': 1}} }} nested", '{"a":{"b":1}} nested'),
        (r"{{ 'it\'s \u00e9 \ud83d\ude00 C:\dir' }}.", "it's é 😀 C:\\dir."),
    ],
)
def test_parts_are_joined_as_text(source: str, text: str, scope: Scope) -> None:
    assert compile_template(source).evaluate(scope) == text


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("record.score + 1", 86),
        ("7 // 2 + 7 % 4 - 1 * 2 / 4", 5.5),
        ("-record.score + +1", -84),
        ("record.price * 2", Decimal("3000.00")),
        ("record.price * 0.1", Decimal("150.000")),
        ("'a' + 'b' ~ 1 ~ none ~ true", "ab1true"),
        ("'-' * 3", "---"),
        ("[1] + [2]", [1, 2]),
        ("(1, 2)", [1, 2]),
        ("{'a': 1, 'b': [record.score]}", {"a": 1, "b": [85]}),
        ("record['company']['na' ~ 'me']", "Acme"),
        ("record['Größe']", 4),
        ("record.tags[0] ~ record.tags.1 ~ record.tags[-1]", "vipeueu"),
        ("nodes.fetch.rows[1:]", [2, 3]),
        ("record.name[:3]", "Ann"),
        ("record.name[0]", "A"),
        ("'yes' if record.score > 80 else 'no'", "yes"),
        ("'x' if false", None),
        ("record.phone or 'none'", "none"),
        ("record.score and 'some'", "some"),
        ("not record.phone", True),
        ("1 < 2 < 3", True),
        ("'vip' in record.tags and 'x' not in record.tags", True),
        ("'name' in record", True),
        ("'Brien' in record.name", True),
        ("1 in none", False),
        ("null is none", True),
        ("record.phone is empty", True),
        ("record.score is number and record.name is string and record.tags is list", True),
        ("record.nothing is defined or record.name is not defined", False),
        ("record.birthday + duration(days=1)", date(1990, 5, 18)),
        ("record.items | default('no such field')", "no such field"),
    ],
)
def test_operators(expression: str, value: object, scope: Scope) -> None:
    assert compile_template("{{ " + expression + " }}").evaluate(scope) == value


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{depth}}", "variables"),
        ("{{amount}}", 2),
        ("{{email}}", "ann@example.com"),
        ("{{trigger_data.email}}", "ann@example.com"),
        ("{{nodes.fetch.rows}}", [1, 2, 3]),
        ("{{outputs.fetch.rows}}", [1, 2, 3]),
        ("{{node_fetch.rows}}", [1, 2, 3]),
        ("{{nodes['send-mail'].id}}", "m1"),
        ("{{item.id}}", 7),
        ("{{increment}}", 3),
        ("{{last_sync}}", "2026-01-29T00:00:00Z"),
    ],
)
def test_names(source: str, value: object, scope: Scope) -> None:
    assert compile_template(source).evaluate(scope) == value


def test_long_sums_and_conditions_are_not_deep(scope: Scope) -> None:
    assert compile_template("{{ " + " + ".join(["1"] * 2000) + " }}").evaluate(scope) == 2000
    assert compile_template("{{ " + " and ".join(["true"] * 1000) + " }}").evaluate(scope) is True


def test_lazy_values_are_fetched_once_and_only_when_read() -> None:
    fetched: list[str] = []

    def fetch() -> dict[str, object]:
        fetched.append("record")
        return {"name": "Ann"}

    scope = Scope({"record": Lazy(fetch), "context": {"record": Lazy(lambda: {"id": 1})}})
    assert compile_template("{{ 1 + 1 }}").evaluate(scope) == 2
    assert fetched == []
    assert compile_template("{{ record.name }} {{ record.name }}").evaluate(scope) == "Ann Ann"
    assert fetched == ["record"]
    assert compile_template("{{ context.record.id }}").evaluate(scope) == 1
    assert compile_template("{{ context }}").evaluate(scope) == {"record": {"id": 1}}
    assert compile_template("{{ [context.record] }}").evaluate(scope) == [{"id": 1}]


def test_without_a_moment_the_time_is_unknown() -> None:
    for source in ("{{ now }}", "{{ today }}", "{{ date.add_days(1) }}"):
        with pytest.raises(ExpressionError):
            compile_template(source).evaluate(Scope())


def test_days_follow_the_time_zone_of_the_scope() -> None:
    late = datetime(2026, 1, 30, 23, 30, tzinfo=UTC)
    scope = Scope(now=late, timezone="Europe/Berlin")
    assert compile_template("{{ today }}").evaluate(scope) == date(2026, 1, 31)
    assert compile_template("{{ now }}!").evaluate(scope) == "2026-01-31T00:30:00+01:00!"


def test_a_retry_sees_the_same_random_values() -> None:
    source = "{{ uuid() }} {{ uuid() }} {{ random() }} {{ random_int(1, 100) }}"
    first, again = (compile_template(source).evaluate(make_scope()) for _ in range(2))
    other = compile_template(source).evaluate(Scope(seed="another attempt"))
    assert first == again != other
    assert len(set(first.split()[:2])) == 2
    with pytest.raises(ExpressionError, match="random"):
        compile_template("{{ uuid() }}").evaluate(Scope())


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        Scope(now=datetime(2026, 1, 1))


def test_a_child_scope_adds_names_and_shares_revealed_secrets(scope: Scope) -> None:
    child = scope.child({"item": {"id": 8}})
    assert (
        compile_template("{{ item.id }} {{ record.score }} {{ secrets.api_key }}").evaluate(child)
        == "8 85 s3cr3t"
    )
    assert scope.revealed == {"s3cr3t"}
    assert scope.names["item"] == {"id": 7}
