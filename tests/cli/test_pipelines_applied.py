"""`oneo pipelines apply`: a pipeline is created or changed, and what no longer fits is said."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from oneo.settings import settings
from oneo_app.cli import app
from tests.nodes.bench import Bench
from tests.nodes.conftest import bench

__all__ = ["bench"]


@pytest.fixture
def apply(
    bench: Bench, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """Applies a pipeline `jobs` with the command."""
    monkeypatch.setenv("ONEO_DATABASE_URL", database_url)
    monkeypatch.setenv("ONEO_TENANT", bench.tenant)
    monkeypatch.setenv("COLUMNS", "200")
    settings.cache_clear()

    def one(*options: str, code: int = 0, **parts: Any) -> Any:
        file = tmp_path / "jobs.json"
        file.write_text(json.dumps({"id": "jobs", **parts}))
        done = CliRunner().invoke(app, ["pipelines", "apply", str(file), *options])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if "--json" in options else done.output

    yield one
    monkeypatch.undo()
    settings.cache_clear()


def test_a_new_pipeline(apply: Callable[..., Any]) -> None:
    assert apply("--json", fields=[{"id": "name"}]) == {
        "pipeline": "jobs",
        "fields": 1,
        "stages": 0,
        "applied": True,
        "changes": ["pipeline 'jobs' is new"],
        "misfits": {"count": 0, "records": {}},
    }


def test_what_changes_is_said(apply: Callable[..., Any]) -> None:
    apply(fields=[{"id": "name"}, {"id": "old"}], stages=[{"id": "new"}, {"id": "won"}, {"id": "lost"}])
    found = apply(
        "--json",
        fields=[{"id": "name", "type": "email", "required": True}, {"id": "score"}],
        stages=[{"id": "won"}, {"id": "new"}],
        record_schema={"minProperties": 1},
    )
    assert found["changes"] == [
        "field 'name': type was 'text', is 'email'",
        "field 'name': required was False, is True",
        "field 'old' is gone",
        "field 'score' is new",
        "stage 'lost' is gone",
        "the stages have another order",
        "the JSON Schema is another",
    ]


def test_records_that_no_longer_fit_are_listed_and_stay(bench: Bench, apply: Callable[..., Any]) -> None:
    apply(fields=[{"id": "name"}])
    fits = bench.record("jobs", name="Painter", pay=10, stage="open")
    misfit = bench.record("jobs", pay="a lot", stage="opn")
    asked = {
        "fields": [{"id": "name", "required": True}, {"id": "pay", "type": "number"}],
        "stages": [{"id": "open"}],
    }
    found = apply("--json", **asked)
    assert found["misfits"]["count"] == 1
    assert found["misfits"]["records"] == {
        misfit: [
            "field 'pay': 'a lot' is not of type 'number'",
            "field 'name' is required",
            "there is no stage 'opn' (did you mean 'open'?)",
        ]
    }
    shown = apply(**asked)
    assert "1 record(s) do not fit and stay as they are" in shown
    assert f"{misfit}: field 'pay'" in shown
    assert fits not in shown
    assert {one["id"] for one in bench.all("jobs")} == {fits, misfit}


def test_check_changes_nothing(bench: Bench, apply: Callable[..., Any]) -> None:
    apply(fields=[{"id": "name"}])
    bench.record("jobs")
    found = apply("--check", "--json", fields=[{"id": "name", "required": True}])
    assert (found["applied"], found["misfits"]["count"]) == (False, 1)
    again = apply("--check", "--json", fields=[{"id": "name", "required": True}])
    assert again["changes"] == ["field 'name': required was False, is True"]


def test_a_field_with_doubles_is_not_made_unique(bench: Bench, apply: Callable[..., Any]) -> None:
    apply(fields=[{"id": "code"}])
    one, other = bench.record("jobs", code="7"), bench.record("jobs", code="7")
    shown = apply(fields=[{"id": "code", "unique": True}], code=1)
    assert f"field 'code': records {one} and {other}" in " ".join(shown.split())
    assert bench.record("jobs", code="7")


def test_a_file_that_is_no_pipeline_is_refused(apply: Callable[..., Any]) -> None:
    shown = apply(record_schema={"type": "objekt"}, code=1)
    assert "record_schema.type: 'objekt' is not valid" in " ".join(shown.split())
