"""`oneo records`: leads as messy as real ones in, as they are kept out again."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
LEADS = """\
Prospect ID,Lead Origin,Lead Source,Do Not Email,TotalVisits,Total Time Spent on Website,Specialization,City
p1,API,Olark Chat,No,0,0,Select,Select
p2,Landing Page Submission,google,Yes,2,1532,Business Administration,Mumbai
"p3,API,Organic Search,No,5,674,Select,"
p4,API,,No,many,10,,
,API,Google,No,1,10,,
p2,API,Google,No,3,10,Select,Pune
"""
MAPPING = {"*": {"values": {"Select": None}}, "Lead Source": {"values": {"google": "Google"}}}


@pytest.fixture
def oneo(database_url, tenant, tmp_path):
    """Run a command on the test database, as a tenant of its own."""
    environment = {
        **os.environ, "ONEO_DATABASE_URL": database_url, "ONEO_TENANT": tenant, "COLUMNS": "200",
    }  # fmt: skip

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "oneo"), *arguments]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, cwd=tmp_path, check=False
        )

    assert run("pipelines", "apply", str(ROOT / "include/samples/pipelines/leads.json")).returncode == 0
    return run


def test_messy_leads_come_in_with_a_report_of_the_odd_ones_and_go_out(oneo, tmp_path):
    (tmp_path / "leads.csv").write_text(LEADS)
    (tmp_path / "map.json").write_text(json.dumps(MAPPING))
    given = ["records", "import", "leads.csv", "-p", "leads", "--key", "Prospect ID", "--mapping", "map.json"]
    given += ["--map", "City=place", "--rejects", "odd.csv"]

    shown = oneo(*given, "--preview", "1", "--json")
    assert json.loads(shown.stdout)[0]["data"]["lead_source"] == "Olark Chat"
    tried = oneo(*given, "--dry-run", "--json")
    done = oneo(*given, "--hold", "--json")
    assert (tried.returncode, done.returncode) == (1, 1)
    assert tried.stdout == done.stdout
    report = json.loads(done.stdout)
    assert {name: report[name] for name in ("read", "created", "updated", "rejected", "repaired_lines")} == {
        "read": 6, "created": 3, "updated": 1, "rejected": 2, "repaired_lines": [4],
    }  # fmt: skip
    with (tmp_path / "odd.csv").open(newline="") as lines:
        assert [(row["line"], row["problem"]) for row in csv.DictReader(lines)] == [
            ("5", "total_visits: 'many' is not of type number"),
            ("6", "the key column is empty"),
        ]

    released = oneo("records", "release", "-p", "leads", "--budget", "2", "--json")
    assert json.loads(released.stdout) == {"released": 2, "held": 1}

    out = oneo(
        "records", "export", "-p", "leads", "--format", "jsonl", "--filters", '{"place": {"$exists": true}}'
    )
    assert [json.loads(line)["place"] for line in out.stdout.splitlines()] == ["Pune"]
    done = oneo("records", "export", "-p", "leads", "--output", "out.csv", "--json")
    assert json.loads(done.stdout) == {"exported": 3, "file": "out.csv"}
    assert "Select" not in (tmp_path / "out.csv").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["import", "leads.csv", "--silent", "--hold"], "--silent writes no events"),
        (["import", "leads.csv", "--sheet", "A"], "has no sheets"),
        (["import", "leads.csv", "--map", "Citi=place"], "did you mean 'City'?"),
        (["export", "--filters", "{"], "--filters is no JSON"),
        (["export", "--filters", "[]"], "a filter is an object"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_way_out(oneo, tmp_path, arguments, says):
    (tmp_path / "leads.csv").write_text(LEADS)
    done = oneo("records", *arguments, "-p", "leads")
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
