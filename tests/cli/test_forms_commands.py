"""`oneo forms`: forms and links by command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from oneo.forms.answers import Taken
from oneo.settings import settings
from oneo.store import form_files, form_links
from oneo_app.cli import app
from tests.http_api.filling import CONTACT
from tests.nodes.bench import Bench
from tests.nodes.conftest import bench

__all__ = ["bench"]


@pytest.fixture
def form(bench: Bench, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A form's file; commands find the store."""
    monkeypatch.setenv("ONEO_DATABASE_URL", database_url)
    monkeypatch.setenv("ONEO_TENANT", bench.tenant)
    monkeypatch.setenv("COLUMNS", "200")
    settings.cache_clear()
    path = tmp_path / "contact.json"
    path.write_text(json.dumps(CONTACT))
    yield path
    monkeypatch.undo()
    settings.cache_clear()


def oneo(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == code, done.output
    return done.output


def asked(*arguments: object) -> Any:
    return json.loads(oneo(*arguments, "--json"))


def test_from_a_file_to_a_link(bench: Bench, form: Path) -> None:
    assert asked("forms", "apply", form) == {"form": "contact_form", "fields": 13}
    record = bench.record("leads", name="Ann")
    options = [
        "--record",
        record,
        "--expires",
        "7d",
        "--single-use",
        "--prefill",
        '{"email": "ann@example.com"}',
    ]
    made = asked("forms", "link", "contact_form", *options)
    with bench.database.system() as session:
        row = form_links.by_token(session, made["url"].rpartition("/")[2])
    assert row is not None
    assert (str(row.id), str(row.record_id), row.single_use) == (made["link"], record, True)
    assert row.prefill == {"email": "ann@example.com"}
    assert row.expires_at is not None
    assert (row.expires_at - row.created_at).days == 7
    asked("forms", "revoke", made["link"])
    shown = asked("forms", "show", "contact_form")
    assert [one["state"] for one in shown["links"]] == ["revoked"]
    assert made["url"].rpartition("/")[2] not in json.dumps(shown)
    assert list(asked("forms", "list")[0]["schema"]["properties"]) == list(CONTACT["schema"]["properties"])
    assert "Contact us" in oneo("forms", "list")
    assert "revoked" in oneo("forms", "show", "contact_form")
    assert oneo("forms", "link", "contact_form").startswith("http://localhost:8080/oneo/forms/")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--expires", "soon"], "30m, 12h or 7d"),
        (["--prefill", "[1]"], "--prefill is no object"),
        (["--prefill", '{"name": "x"}'], "prefill.name"),
        (["--record", "00000000-0000-0000-0000-000000000000"], "there is no record"),
    ],
)
def test_links_that_cannot_be_made(form: Path, options: list[str], told: str) -> None:
    oneo("forms", "apply", form)
    assert told in oneo("forms", "link", "contact_form", *options, code=1)


def test_every_problem_of_a_form_at_once(form: Path) -> None:
    wrong = {
        "id": "contact form",
        "name": "x",
        "schema": {"properties": {"a": {"type": "string"}}},
        "colour": "red",
    }
    form.write_text(json.dumps(wrong))
    found = oneo("forms", "apply", form, code=1)
    assert "id:" in found
    assert "colour:" in found
    wrong = {
        "id": "contact",
        "name": "x",
        "schema": {
            "required": ["b"],
            "allOf": [],
            "properties": {
                "a": {"type": "string", "pattern": "(a+)+$"},
                "oneo_state": {"type": "string"},
                "c": {"type": "object"},
                "d": {"type": "string", "format": "colour"},
                "e": {"type": "array", "items": {"type": "string"}},
                "f": {"type": "string", "maxLength": "long"},
                "g h": {"type": "string"},
                "i": {"type": "string", "$ref": "https://example.com/s.json"},
            },
        },
    }
    form.write_text(json.dumps(wrong))
    found = oneo("forms", "apply", form, code=1)
    for place in (
        "allOf",
        "required",
        "a.pattern",
        "oneo_state",
        "c.type",
        "d.format",
        "e.items",
        "f.maxLength",
        "g h",
        "i.$ref",
    ):
        assert f"schema.{place}" in found or f"schema.properties.{place}" in found, place


@pytest.mark.parametrize(
    ("settings_", "told"),
    [
        ({"redirect_url": "https://evil.example/"}, "not allowed"),
        ({"embed_from": ["https://a.b; script-src *"]}, "embed_from"),
        ({"redirect_hosts": ["a.b; x"]}, "redirect_hosts"),
        ({"mapping": {"nobody": "x"}}, "there is no field 'nobody'"),
        ({"prefill_fields": ["cv"]}, "is a file"),
        ({"pipeline_id": "nowhere"}, "there is no pipeline"),
    ],
)
def test_settings_that_no_form_can_have(form: Path, settings_: dict[str, Any], told: str) -> None:
    form.write_text(json.dumps({**CONTACT, "settings": settings_}))
    assert told in oneo("forms", "apply", form, code=1)


def test_a_mapping_onto_what_the_store_keeps(bench: Bench, form: Path) -> None:
    bench.pipeline("leads")
    form.write_text(
        json.dumps({**CONTACT, "settings": {"pipeline_id": "leads", "mapping": {"name": "version"}}})
    )
    assert "version" in oneo("forms", "apply", form, code=1)


def test_a_file_that_came_in(bench: Bench, form: Path, tmp_path: Path) -> None:
    oneo("forms", "apply", form)
    with bench.database.tenant(bench.tenant) as session:
        cv = Taken("cv", "cv.txt", "text/plain", b"hello")
        told = form_files.keep(session, bench.tenant, "contact_form", uuid4(), cv, None)
    target = tmp_path / "out.txt"
    oneo("forms", "file", told["file_id"], target)
    assert target.read_bytes() == b"hello"
    assert "cannot write" in oneo("forms", "file", told["file_id"], target, code=1)
