"""`oneo records merge`: two records that are one."""

from __future__ import annotations

import json

from tests.cli.test_records_shown import bench, lead, oneo
from tests.nodes.bench import Bench

__all__ = ["bench", "lead"]


def test_a_duplicate_goes_into_the_record_that_stays(bench: Bench, lead: str) -> None:
    double = bench.record("leads", name="Ada B.", city="London")
    done = json.loads(oneo("records", "merge", lead, double, "--json"))
    assert (done["kept"], done["merged"]) == (lead, double)
    assert (done["record"]["name"], done["record"]["city"]) == ("Ada [bold]", "London")
    shown = json.loads(oneo("records", "show", lead, "--history", "--json"))
    assert [(one["record"], one["kind"]) for one in shown["history"]] == [
        (lead, "created"),
        (double, "created"),
        (double, "deleted"),
        (lead, "updated"),
    ]
    assert json.loads(oneo("records", "show", double, "--json"))["record"]["merged_into"] == lead
    table = oneo("records", "show", lead, "--history")
    assert double in table
    assert "London" in table


def test_the_policy_says_what_is_taken(bench: Bench, lead: str) -> None:
    double = bench.record("leads", name="Ada B.", city="London")
    assert f"{double} is part of {lead} now" in oneo("records", "merge", lead, double, "--policy", "newest")
    kept = bench.get(lead) or {}
    assert (kept["name"], kept["status"]) == ("Ada B.", "new")


def test_refusals_say_why(bench: Bench, lead: str) -> None:
    deal = bench.record("deals")
    assert "cannot be merged into itself" in oneo("records", "merge", lead, lead, code=1)
    assert "is in pipeline 'deals'" in oneo("records", "merge", lead, deal, code=1)
    assert "there is no record nobody" in oneo("records", "merge", lead, "nobody", code=1)
    double = bench.record("leads")
    oneo("records", "merge", lead, double)
    assert "cannot be merged into itself" in oneo("records", "merge", lead, double, code=1)
