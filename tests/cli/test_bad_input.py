"""What the commands say to wrong input: the place, what is wrong, what would be right; exit code 1, nothing written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def oneo(database_url, tenant, tmp_path):
    """Run a command on the test database, as a tenant of its own."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "oneo"), *arguments]
        given = {
            **os.environ,
            "ONEO_DATABASE_URL": database_url,
            "ONEO_TENANT": tenant,
            "COLUMNS": "200",
            **environment,
        }
        return subprocess.run(command, env=given, capture_output=True, text=True, cwd=tmp_path, check=False)

    return run


def definition(path: Path, nodes: list[dict], **more) -> str:
    path.write_text(json.dumps({"id": "bad", "name": "Bad", "nodes": nodes, **more}))
    return str(path)


def test_ten_mistakes_are_reported_together_each_with_its_place(oneo, tmp_path):
    file = definition(
        tmp_path / "ten.json",
        [
            {"id": "start", "type": "trigger_scheduled", "config": {"cron_expression": "every monday"}},
            {"id": "mail", "type": "task_notfy", "config": {}},
            {"id": "find", "type": "find_records", "config": {"pipeline": "leads", "limit": "many"}},
            {"id": "find", "type": "find_records", "config": {"pipeline_id": "leads"}},
            {
                "id": "calc",
                "type": "update_record",
                "config": {"update_fields": {"a": "{{ record.__class__ }}"}},
            },
            {
                "id": "tell",
                "type": "task_notify",
                "config": {"recipients": ["{{ nodes.fnd.count }}"], "title": 1},
            },
        ],
        edges=[
            {"source": "start", "target": "find"},
            {"source": "find", "target": "nowhere"},
            {"source": "find", "target": "calc"},
            {"source": "calc", "target": "tell"},
            {"source": "tell", "target": "calc"},
        ],
        settings={"timezone": "Mars/Olympus"},
    )
    done = oneo("validate", file, "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["ok"] is False
    found = {(problem["node"], problem["path"]) for problem in report["problems"]}
    assert found >= {
        ("start", "$.nodes[0].config.cron_expression"),
        ("mail", "$.nodes[1].type"),
        ("find", "$.nodes[2].config.pipeline"),
        ("find", "$.nodes[2].config.limit"),
        ("find", "$.nodes[3].id"),
        ("calc", "$.nodes[4].config.update_fields.a"),
        ("tell", "$.nodes[5].config.recipients[0]"),
        ("tell", "$.nodes[5].config.message"),
        ("find", "$.edges[1].target"),
        (None, "$.settings.timezone"),
    }
    planned = oneo("plan", file, "--json")
    assert (planned.returncode, json.loads(planned.stdout)["error"]["problems"]) == (1, report["problems"])
    hints = {problem["path"]: problem["hint"] for problem in report["problems"]}
    assert "task_notify" in hints["$.nodes[1].type"]
    assert "pipeline_id" in hints["$.nodes[2].config.pipeline"]
    assert any("cycle" in problem["message"] for problem in report["problems"])
    shown = oneo("validate", file)
    assert "Traceback" not in shown.stdout + shown.stderr


def test_a_bad_definition_is_not_published_and_not_run(oneo, tmp_path):
    file = definition(tmp_path / "bad.json", [{"id": "a", "type": "no_such_type"}])
    for command in (["publish", file], ["run", file, "--local"], ["plan", file]):
        done = oneo(*command)
        assert done.returncode == 1, done
        assert "no_such_type" in done.stderr
        assert "Traceback" not in done.stderr
    assert json.loads(oneo("workflows", "--json").stdout) == []
    assert json.loads(oneo("runs", "list", "--json").stdout) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"nodes": [}', "line 1, column 12"),
        (b'{"name": "a", "name": "b"}', "stands twice"),
        (b"\xff\xfe", "UTF-8"),
        (b"[]", "a definition is a JSON object, not an array"),
    ],
)
def test_what_is_not_a_definition_is_named_with_its_place(oneo, tmp_path, content, says):
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    done = oneo("validate", str(path))
    assert done.returncode == 1
    assert says in done.stdout + done.stderr


def test_unknown_names_get_the_nearest_known_one(oneo, tmp_path):
    assert oneo("pipelines", "apply", str(ROOT / "include/samples/pipelines/leads.json")).returncode == 0
    leads = tmp_path / "leads.csv"
    leads.write_text("Prospect ID\n1\n")
    done = oneo("records", "import", str(leads), "--pipeline", "leds")
    assert (done.returncode, "did you mean 'leads'?" in done.stderr) == (1, True)
    done = oneo("run", "lead_qualification", "--local")
    assert (done.returncode, "there is no workflow 'lead_qualification'" in done.stderr) == (1, True)
    done = oneo("runs", "show", "42")
    assert (done.returncode, "no execution id" in done.stderr) == (1, True)
    assert oneo("validate", str(tmp_path / "absent.json")).returncode == 1
    assert oneo("no-such-command").returncode == 2


def test_rows_that_do_not_fit_go_to_a_file_and_the_others_are_imported(oneo, tmp_path):
    oneo("pipelines", "apply", str(ROOT / "include/samples/pipelines/leads.json"))
    leads = tmp_path / "leads.csv"
    leads.write_text(
        "Prospect ID,Lead Origin,Total Time Spent on Website\n"
        "p1,API,100\n"
        "p2,API,a while\n"
        "p3,API\n"
        ",API,5\n"
        "p5,Lead Add Form,7\n"
    )
    rejects = tmp_path / "rejects.csv"
    done = oneo("records", "import", str(leads), "-p", "leads", "--rejects", str(rejects), "--json")
    assert done.returncode == 1
    counts = {"read": 5, "created": 2, "updated": 0, "rejected": 3, "rejects_file": str(rejects)}
    assert json.loads(done.stdout).items() >= counts.items()
    lines = rejects.read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["line", "3", "4", "5"]
    assert "time_on_website: 'a while' is not of type number" in lines[1]


def test_an_expression_is_refused_with_the_place_in_it(oneo, tmp_path):
    names = tmp_path / "names.json"
    names.write_text('{"record": {"score": 85, "name": "{{secrets.x}}"}}')
    done = oneo("eval", "{{ record.scor }}", "--context", str(names), "--json")
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["hint"]) == (1, "did you mean 'score'?")
    assert oneo("eval", "{{ record.__class__ }}", "-c", str(names)).returncode == 1
    good = oneo("eval", "{{ record.score }} > 80", "-c", str(names), "--condition", "--json")
    assert (good.returncode, json.loads(good.stdout)) == (0, {"value": True, "type": "boolean"})
    span = oneo("eval", "{{ duration(minutes=90) }}", "-c", str(names), "--json")
    assert json.loads(span.stdout) == {"value": "PT1H30M", "type": "duration"}
    long = oneo("eval", "{{ " + "record.score + " * 600 + "record.scor }}", "-c", str(names))
    assert len(long.stderr) < 400
    _, line, pointer, _ = long.stderr.splitlines()
    assert line[pointer.index("^") :] == "scor }}"
    kept = oneo("eval", "{{ record.name }}", "-c", str(names), "--json")
    assert json.loads(kept.stdout) == {"value": "{{secrets.x}}", "type": "string"}


def test_a_database_that_is_down_is_named_with_the_remedy(oneo, tmp_path):
    nowhere = {"ONEO_DATABASE_URL": "postgresql://crm:geheim@127.0.0.1:1/oneo"}
    leads = tmp_path / "leads.csv"
    leads.write_text("Prospect ID\n1\n")
    for command in (["runs", "list"], ["records", "import", str(leads), "-p", "leads"]):
        done = oneo(*command, **nowhere)
        assert done.returncode == 1
        assert "does not answer" in done.stderr
        assert "ONEO_DATABASE_URL" in done.stderr
        assert "geheim" not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("ONEO_AIRFLOW_PORT", "many", "ONEO_AIRFLOW_PORT: Input should be a valid integer"),
        ("ONEO_USER_TYPES", "anna", "user_types"),
    ],
)
def test_a_setting_that_does_not_fit_is_the_users_to_mend(oneo, name, value, says):
    done = oneo("runs", "list", **{name: value})
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr


MISTAKES = {
    "an unknown pipeline": (
        {"type": "find_records", "config": {"pipeline_id": "leeds"}},
        "there is no pipeline 'leeds'",
    ),
    "no such record": (
        {"type": "update_record", "config": {"record_id": "nope", "update_fields": {"a": 1}}},
        "there is no record nope",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_local_run_says_what_was_wrong_and_shows_no_stack_trace(oneo, tmp_path, mistake):
    node, says = MISTAKES[mistake]
    start = {"id": "start", "type": "trigger_manual"}
    done = oneo("run", definition(tmp_path / "bad.json", [start, {"id": "node", **node}]), "--local")
    assert (done.returncode, says in done.stdout + done.stderr) == (1, True)
    assert "Traceback" not in done.stdout + done.stderr
