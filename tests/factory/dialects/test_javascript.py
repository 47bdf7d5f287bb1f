"""Conditions written in JavaScript decide the same here."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dag_factory.dialects.javascript import NotTranslatableError, translate
from oneo.expressions import Scope, compile_condition

NAMES = {
    "lead": {
        "score": 72, "name": "Ann", "tags": ["vip"], "seen": "2026-03-09T12:00:00Z", "old": "2026-03-01", "open": False,
    },
    "nextAction": "schedule_demo",
}  # fmt: skip

SPELLINGS = [
    ('nextAction === "schedule_demo"', 'nextAction == "schedule_demo"'),
    ("lead.name !== 'Bob'", 'lead.name != "Bob"'),
    ("a && !b || c", "a and not b or c"),
    ("a && (b || c)", "a and (b or c)"),
    ("!a === b", "(not a) == b"),
    ("lead.seen > (new Date() - 3 * 24 * 60 * 60 * 1000)", "lead.seen > date.add_days(-3)"),
    ("lead.seen > Date.now() - 2 * 3600000", "lead.seen > date.add_hours(-2)"),
    ("lead.seen < new Date()", "lead.seen < now"),
    ("lead.tags.length > 0", "length(lead.tags) > 0"),
    ("lead.x == null", "default(lead.x, null) == null"),
    ("lead.x !== undefined", "default(lead.x, null) != null"),
    ("lead.x ?? 5", "default(lead.x, 5)"),
    ("a ? 1 : 2", "1 if a else 2"),
    ("{{lead.score}} > 50;", "lead.score > 50"),
    ("a - (b - c) > 0", "a - (b - c) > 0"),
]


@pytest.mark.parametrize(("source", "expected"), SPELLINGS, ids=lambda text: text)
def test_condition_is_written_as_an_expression(source: str, expected: str):
    assert translate(source) == expected
    compile_condition(expected)


DECISIONS = [
    ("lead.score >= 70 && lead.name === 'Ann'", True),
    ("lead.score < 70 || lead.open", False),
    ("!lead.open", True),
    ("lead.missing === null", True),
    ("lead.missing != undefined", False),
    ("lead.tags.length === 1 && lead.tags.includes('vip')", True),
    ("lead.name.toLowerCase().startsWith('an')", True),
    ("lead.seen > (new Date() - 3 * 24 * 60 * 60 * 1000)", True),
    ("lead.old > new Date() - 3 * 24 * 60 * 60 * 1000", False),
    ("new Date() - new Date(lead.old) > 86400000", True),
    ("(Date.now() - new Date(lead.old).getTime()) / (1000 * 60 * 60 * 24) > 30", False),
    ("7 < (new Date() - lead.old) / 86400000", True),
    ("new Date(lead.seen) < new Date() - 1500", True),
    ("lead['name'] === \"Ann\"", True),
    ("lead?.score - 2 * 10 === 52", True),
    ("(lead.score > 50 ? 'hot' : 'cold') === 'hot'", True),
]  # fmt: skip


@pytest.mark.parametrize(("source", "holds"), DECISIONS, ids=[source for source, _ in DECISIONS])
def test_condition_decides_as_in_javascript(source: str, holds: bool):
    scope = Scope(NAMES, now=datetime(2026, 3, 10, tzinfo=UTC), seed="x")
    assert compile_condition(translate(source)).evaluate(scope) is holds


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("lead.score = 5", "assigns"),
        ("lead.tags.some(x => x)", "assigns"),
        ("lead.tags.filter(x)", "filter"),
        ("/a+/.test(lead.name)", "not expected"),
        ("typeof lead === 'object'", "typeof"),
        ("new Map()", "dates"),
        ("isNaN(lead.score)", "isNaN"),
        ("lead.score >", "the end"),
        ("(" * 500 + "a" + ")" * 500, "nested"),
        ("a b", "not expected"),
        ("a & b", "cannot be read"),
    ],
    ids=lambda text: text[:20],
)
def test_what_has_no_counterpart_is_refused(source: str, says: str):
    with pytest.raises(NotTranslatableError, match=says):
        translate(source)
