"""Regular expressions of filters: what they are, what is refused, and that none takes long."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from oneo.database import Database
from oneo.errors import UserError
from oneo.filters import matches, parse
from oneo.store import records


def fits(pattern: str, value: str) -> bool:
    return matches(parse({"v": {"$regex": pattern}}), {"v": value}) is None


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (r"^\+49", "+49 30 1"), ("an", "Hanna"), (r"^[\w.-]+@[\w-]+\.de$", "ann.b@x-y.de"), ("(?i)straße", "STRAßE"),
        (r"\bann\b", "hi ann!"), ("^(a|bc){2,3}$", "abca"), ("[^0-9]$", "1a"), (r"a\.b", "a.b"),
        ("^.é$", "日é"), ("", ""),
    ],
)  # fmt: skip
def test_some_part_of_the_text_fits(pattern: str, value: str):
    assert fits(pattern, value)


@pytest.mark.parametrize(("pattern", "value"), [("^a$", "a\n"), ("a.b", "a\nb"), ("A", "a"), (r"\d", "٣")])
def test_what_does_not_fit(pattern: str, value: str):
    assert not fits(pattern, value)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"(a)\1", r"\\1, which is not known"),
        ("(?=a)b", "a kind of group that is not known"),
        ("(?P<n>a)", "a kind of group"),
        ("a**", "nothing that could be repeated"),
        ("^*", "nothing that could be repeated"),
        ("(a", r"no \) for a \( at character 3"),
        ("a)", "closes nothing"),
        ("[a", "an end where something should follow"),
        ("[z-a]", "ends before it starts"),
        ("[[:alpha:]]", "in brackets"),
        ("a{101}", "from 0 to 100"),
        ("a{2", "no repetition"),
        ("((a{50}){50}){2}", "too large"),
        ("(" * 40 + "a" + ")" * 40, "too deep"),
        ("a" * 501, "501 characters"),
        (r"\pL", "not known"),
    ],
)
def test_what_only_some_engines_know_is_refused_with_its_place(pattern: str, reason: str):
    with pytest.raises(UserError, match=reason):
        parse({"v": {"$regex": pattern}})


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|a)*$", "(a*)*b", "(?:a?){100}a{100}$", "(.*)(.*)(.*)(.*)x", "([a-c]{1,9}){99}z"]
)
def test_patterns_that_take_others_forever_are_done_at_once(
    database: Database, tenant: str, leads: str, pattern: str
):
    value = "a" * 20_000 + "!"
    filters = {"v": {"$regex": pattern}}
    start = time.monotonic()
    in_memory = matches(parse(filters), {"v": value}) is None
    with database.tenant(tenant) as session:
        records.create(session, tenant, leads, {"v": value})
        session.execute(text("SET LOCAL statement_timeout = '5s'"))
        assert (records.count(session, leads, filters) == 1) is in_memory
    assert time.monotonic() - start < 5
