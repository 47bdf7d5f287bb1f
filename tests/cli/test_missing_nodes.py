"""What the commands say of a definition with a node of a type that this version lacks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dag_factory.dialects.type_names import CATALOGUED
from oneo_operators.catalogue import catalogue

LACKING = [
    name
    for name, category in CATALOGUED.items()
    if category != "trigger" and (found := catalogue().get(name)) is not None and found.is_missing
]
pytestmark = pytest.mark.skipif(not LACKING, reason="this version lacks no node type of the catalogue")


@pytest.fixture
def oneo(database_url, tenant, tmp_path):
    """Run a command on a definition that begins with such a node."""
    file = tmp_path / "lacking.json"
    nodes = [{"id": "start", "type": "trigger_manual"}, {"id": "gap", "type": LACKING[0]}]
    file.write_text(json.dumps({"id": "lacking", "name": "Lacking", "nodes": nodes}))

    def run(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        given = {**os.environ, "ONEO_DATABASE_URL": database_url, "ONEO_TENANT": tenant, "COLUMNS": "300"}
        program = str(Path(sys.executable).parent / "oneo")
        return subprocess.run(
            [program, command, str(file), *arguments], env=given, capture_output=True, text=True, check=False
        )

    return run


def test_validate_shows_it_and_calls_the_definition_valid(oneo):
    done = oneo("validate")
    assert done.returncode == 0, done.stdout
    assert "missing gap $.nodes[1].type" in done.stdout
    assert "→ meanwhile, " in done.stdout
    assert "valid, 1 problem(s)" in done.stdout

    found = json.loads(oneo("validate", "--json").stdout)
    assert (found["ok"], [one["severity"] for one in found["problems"]]) == (True, ["missing"])


def test_local_run_stops_there(oneo):
    done = oneo("run", "--local", "--json")
    assert done.returncode == 1
    gap = json.loads(done.stdout)["nodes"]["gap"]
    assert gap["error"]["message"] == f"this version does not have node type {LACKING[0]!r} yet"


def test_publish_wants_to_be_told(oneo):
    refused = oneo("publish", "--wait", "0")
    assert refused.returncode == 1
    assert "error gap $.nodes[1].type" in refused.stderr
    assert "`oneo publish --with-missing-nodes`" in refused.stderr

    done = oneo("publish", "--wait", "0", "--with-missing-nodes", "--json")
    assert json.loads(done.stdout)["version"] == 1
