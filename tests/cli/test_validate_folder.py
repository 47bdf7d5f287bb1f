"""`oneo validate` of a folder: every definition below it, one verdict."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from oneo_app.cli import app
from tests.factory.documents import chain, notify

ROOT = Path(__file__).parents[2]


def validate(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["validate", *arguments], env={"COLUMNS": "300"})


def write(path: Path, text: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else json.dumps(text))


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A folder with a good definition, a bad one further down, and a file that is not even JSON."""
    write(tmp_path / "good.json", chain(notify()))
    write(tmp_path / "deep/er/bad.json", chain(notify(tittle="x")))
    write(tmp_path / "broken.json", "{")
    write(tmp_path / "notes.txt", "no definition")
    return tmp_path


def test_sound_definitions_of_a_folder_are_valid():
    result = validate(str(ROOT / "include/workflows"))
    assert result.exit_code == 0, result.output
    assert "lead_qualification.json: valid" in result.output
    assert "all valid" in result.output


def test_one_bad_definition_makes_the_folder_invalid_and_hides_no_other(mixed: Path):
    result = validate(str(mixed))
    assert result.exit_code == 1
    assert f"{mixed / 'good.json'}: valid" in result.output
    assert f"{mixed / 'deep/er/bad.json'}: not valid" in result.output
    assert "unknown option 'tittle'" in result.output
    assert "is not JSON" in result.output
    assert f"3 definition(s) in {mixed}: 2 not valid" in result.output


def test_programs_get_a_list(mixed: Path):
    result = validate(str(mixed), "--json")
    found = {Path(one["file"]).name: one for one in json.loads(result.stdout)}

    assert result.exit_code == 1
    assert {name: one["ok"] for name, one in found.items()} == {
        "good.json": True,
        "bad.json": False,
        "broken.json": False,
    }
    assert found["bad.json"]["problems"][0]["path"] == "$.nodes[1].config.tittle"
    assert found["broken.json"]["problems"][0]["severity"] == "error"
    assert found["good.json"]["dialect"] == "catalogue"


def test_a_folder_without_definitions_is_said_to_be_one(tmp_path: Path):
    result = validate(str(tmp_path))
    assert result.exit_code == 1
    assert "holds no definition" in result.output


def test_one_file_is_answered_with_one_object(mixed: Path):
    answer = json.loads(validate(str(mixed / "good.json"), "--json").stdout)
    assert (answer["ok"], answer["problems"]) == (True, [])
