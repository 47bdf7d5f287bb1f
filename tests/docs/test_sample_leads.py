"""The sample leads: made up, importable as they are, and of every kind the sample workflow tells apart."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter

import pytest

from oneo.expressions import Scope, compile_condition, compile_template
from oneo.importing import ImportOptions, Reading, import_file
from oneo.store import pipelines, records
from oneo.store.contacts import normalise
from tests.docs.documents import ROOT

# Numbers that no telephone has: North America 555-01xx, and what Britain, Australia, Germany and France set aside.
FICTIONAL = (
    r"\+1\d{3}55501\d\d|\+44(2079460|7700900)\d{3}|\+612(5550|7010)\d{4}|\+493023125\d{3}|\+33199\d{6}"
)
COLUMNS = (
    "Name,Email,Phone,Prospect ID,Lead Number,Lead Origin,Lead Source,Do Not Email,Do Not Call,TotalVisits,"
    "Total Time Spent on Website,Page Views Per Visit,Last Activity,Country,Specialization,"
    "What is your current occupation,Tags,Lead Quality,City"
)


@pytest.fixture(scope="module")
def rows():
    with (ROOT / "include/samples/leads.csv").open(newline="") as file:
        reader = csv.DictReader(file)
        assert ",".join(reader.fieldnames) == COLUMNS
        return list(reader)


@pytest.fixture
def leads(database, tenant, tmp_path):
    """The records that the demo's import makes of them, in the file's order."""
    spec = pipelines.parse_spec(
        json.loads((ROOT / "include/samples/pipelines/leads.json").read_text()), "leads"
    )
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, spec)
    reading = Reading(key="Prospect ID", not_answered=frozenset({"Select"}))
    options = ImportOptions(tmp_path / "rejects.csv", reading, keep_ids=True)
    result = import_file(database, tenant, "leads", ROOT / "include/samples/leads.csv", options)
    assert (result.created, result.rejected) == (40, 0)
    with database.tenant(tenant) as session:
        return [records.view(records.get(session, record_id)) for record_id in result.record_ids]


def test_there_are_forty_different_ones(rows):
    assert len(rows) == 40
    for column in ("Prospect ID", "Lead Number"):
        assert len({row[column] for row in rows}) == 40


def test_nobody_real_can_be_reached(rows):
    assert all(re.fullmatch(r"[\w.]+@example\.(com|org)|", row["Email"].lower()) for row in rows)
    assert all(re.fullmatch(f"{FICTIONAL}|", row["Phone"]) for row in rows)


def test_some_cells_are_empty_or_not_answered(rows):
    cells = Counter(cell for row in rows for cell in row.values())
    assert cells[""] > 5
    assert cells["Select"] > 5


def test_one_person_comes_twice_among_the_first(leads):
    emails = [lead.get("email") for lead in leads[:25]]
    spellings = {
        email for email in emails if email and normalise("email", email) == "anna.becker@example.com"
    }
    assert len(spellings) == 2


def test_every_route_of_the_sample_workflow_is_taken(leads):
    workflow = json.loads((ROOT / "include/workflows/lead_qualification.json").read_text())
    config = {node["id"]: node["config"] for node in workflow["nodes"]}
    formula = compile_template(config["score"]["update_fields"]["score"])
    variables = {name: variable["default"] for name, variable in workflow["variables"].items()}

    def route(lead: dict) -> str:
        scored = {**lead, "score": formula.evaluate(Scope({"record": lead}))}
        scope = Scope({"record": scored, "variables": variables})
        for branch in config["route"]["conditions"]:
            condition = branch.get("if") or branch.get("elif")
            if condition is None or compile_condition(condition).evaluate(scope):
                return branch["label"]
        raise AssertionError("there is an else")

    assert Counter(map(route, leads)) == {"high": 16, "medium": 10, "low": 14}
    assert set(map(route, leads[:25])) == {"high", "medium", "low"}
