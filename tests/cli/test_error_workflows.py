"""`oneo tenants`, and what commands show of error workflows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dag_factory.publish import publish
from oneo_operators.catalogue import catalogue


@pytest.fixture
def oneo(database_url, tmp_path):
    """Run a command on the test database."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "oneo"), *arguments]
        given = {**os.environ, "ONEO_DATABASE_URL": database_url, "COLUMNS": "200"}
        return subprocess.run(command, env=given, capture_output=True, text=True, cwd=tmp_path, check=False)

    return run


@pytest.fixture
def rescue(database, tenant):
    """A published workflow."""
    document = {"id": "rescue", "name": "Rescue", "nodes": [{"id": "start", "type": "trigger_manual"}]}
    publish(database, tenant, document, catalogue())


@pytest.mark.usefixtures("rescue")
def test_a_setting_is_set_shown_and_taken_away(oneo, tenant):
    done = oneo("tenants", "set", tenant, "error_workflow=rescue", "--json")
    held = {"tenant": tenant, "settings": {"error_workflow": "rescue"}}
    assert (done.returncode, json.loads(done.stdout)) == (0, held)
    assert json.loads(oneo("tenants", "show", tenant, "--json").stdout)["settings"] == held["settings"]
    assert "rescue" in oneo("tenants", "show", tenant).stdout
    assert "has no settings" in oneo("tenants", "set", tenant, "error_workflow=").stdout
    assert "rescue" not in oneo("tenants", "show", tenant).stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("error_workflow=rescu", "did you mean 'rescue'?"),
        ("error_workfow=rescue", "did you mean 'error_workflow'?"),
        ("rescue", "NAME=VALUE"),
    ],
)
@pytest.mark.usefixtures("rescue")
def test_what_cannot_be_set_is_named_and_changes_nothing(oneo, tenant, text, says):
    done = oneo("tenants", "set", tenant, text)
    assert (done.returncode, says in done.stderr) == (1, True), done.stderr
    assert json.loads(oneo("tenants", "show", tenant, "--json").stdout)["settings"] == {}


@pytest.mark.usefixtures("rescue")
def test_a_local_run_that_fails_shows_its_error_workflow(oneo, tenant, tmp_path):
    lost = {"id": "find", "type": "find_records", "config": {"pipeline_id": "no_such"}}
    file = tmp_path / "work.json"
    document = {"id": "work", "name": "Work", "nodes": [{"id": "start", "type": "trigger_manual"}, lost]}
    file.write_text(json.dumps(document))
    run = ("run", str(file), "--local", "--tenant", tenant)
    assert oneo("tenants", "set", tenant, "error_workflow=rescue").returncode == 0
    done = oneo(*run)
    assert done.returncode == 1
    assert "Afterwards, its error workflow:" in done.stdout
    file.write_text(json.dumps({**document, "settings": {"error_workflow": "absent"}}))
    assert "error workflow 'absent' was never published" in oneo(*run).stdout
