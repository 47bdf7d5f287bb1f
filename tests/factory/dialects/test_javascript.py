"""Conditions written in JavaScript decide the same here."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dag_factory.dialects.javascript import translate
from dag_factory.dialects.javascript_tokens import NotTranslatableError
from oneo.expressions import Scope, compile_condition

NAMES = {
    "lead": {
        "score": 72, "name": "Ann", "tags": ["vip"], "seen": "2026-03-09T12:00:00Z", "old": "2026-03-01", "open": False,
        "none": None, "text": "a\né\x41",
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
    ("lead.vip ? 1 : 2", "1 if default(lead.vip, null) else 2"),
    ("!lead.email && lead.phone", "not default(lead.email, null) and default(lead.phone, null)"),
    ("lead?.company?.name === 'X'", 'default(lead.company.name, null) == "X"'),
    ("`Dear ${lead.name}, ${a}!` === b", '("Dear " ~ lead.name ~ ", " ~ a ~ "!") == b'),
    ("`plain` === `it's`", '"plain" == "it\'s"'),
    ("['hot', 'warm'].includes(lead.stage)", 'contains(["hot", "warm"], lead.stage)'),
    ("a > 1 /* one */ && b // two", "a > 1 and b"),
    ("1_000 + .5 + 0x10 > a", "1016.5 > a"),
    ("new Date(Date.now() - 86400000) > lead.seen", "date.add_days(-1) > lead.seen"),
    ("typeof lead.x === 'undefined'", "default(lead.x, null) == null"),
    ("typeof lead.x !== 'string' && a", "(default(lead.x, null) is not string) and a"),
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
    ("lead.missing", False),
    ("!lead.missing && !lead.none?.name", True),
    ("lead.none && lead.none.size > 5", False),
    ("lead.missing?.length > 0", False),
    ("`${lead.name} (${lead.score + 1})` === 'Ann (73)'", True),
    ("'n' + lead.score === 'n72'", True),
    ("lead.text === 'a\\n\\u00e9\\x41'", True),
    ("'\\ud83d\\ude00' === '\\u{1F600}'", True),
    ("['Bob', 'Ann'].includes(lead.name)", True),
    ("lead.name.indexOf('nn') === 1 && lead.name.indexOf('z') === -1 && lead.tags.indexOf('vip') === 0", True),
    ("lead.name.slice(0, 2) + lead.name.charAt(2) === 'Ann' && lead.name.at(-1) === 'n'", True),
    ("'a@b.de'.split('@')[1].replace('b', 'c').replaceAll('.', '-') === 'c-de'", True),
    ("lead.tags.join() === 'vip' && lead.tags['length'] === 1", True),
    ("Number('5') + parseInt('7', 10) === 12 && String(lead.score) === '72' && Boolean(lead.score)", True),
    ("Math.max(1, lead.score) === 72 && Math.floor(2.5) === 2 && Math.abs(-3) === 3", True),
    ("Array.isArray(lead.tags) && !Array.isArray(lead.name)", True),
    ("typeof lead.name === 'string' && typeof lead.missing === 'undefined'", True),
    ("Math.floor((new Date() - new Date(lead.old)) / 86400000) === 9", True),
    ("(Date.now() - Date.parse(lead.old)) / 86400000 > lead.tags.length", True),
    ("new Date(lead.seen).getDay() === 1 && new Date(lead.seen).getHours() === 12", True),
    ("new Date(lead.seen).getMonth() === 2 && new Date(lead.seen).getFullYear() === 2026", True),
]  # fmt: skip


@pytest.mark.parametrize(("source", "holds"), DECISIONS, ids=[source for source, _ in DECISIONS])
def test_condition_decides_as_in_javascript(source: str, holds: bool):
    scope = Scope(NAMES, now=datetime(2026, 3, 10, tzinfo=UTC), seed="x")
    assert compile_condition(translate(source)).evaluate(scope) is holds


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("lead.score = 5", "assigns"),
        ("lead.tags.some(x => x)", "defines a function"),
        ("new Date(2026, 2, 1) > a", "2026-01-31"),
        ("new Date(0) > a", "2026-01-31"),
        ("lead.tags.includes()", "includes"),
        ("typeof lead.name === 'bigint'", "typeof"),
        ("`${ {a: 1} }` === a", "braces"),
        ("`${lead.name` === a", "braces"),
        ("`${a b}` === a", "not expected"),
        ("'\\ud800' === a", "half a character"),
        ("`never closed", "cannot be read"),
        ("lead.tags.filter(x)", "filter"),
        ("/a+/.test(lead.name)", "not expected"),
        ("a instanceof lead", "not expected"),
        ("a" * 10_001, "longer than"),
        ("a > 0x" + "f" * 300, "out of range"),
        ("a > 1e999", "out of range"),
        ("a > 1e300 * 1e300", "out of range"),
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
