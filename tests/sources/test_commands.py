"""`oneo pipelines apply|connect` and `oneo records capture`, for tables behind an Airflow connection."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import URL

from tests.cli.conftest import command
from tests.nodes.bench import Bench
from tests.sources.companies import FIELDS, STAGES, TableCompanies

__all__ = ["command"]


@pytest.fixture
def connection(bench: Bench, crm_url: URL, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The tenant's Airflow connection to the company's database."""
    found = {
        "conn_type": "postgres",
        "host": crm_url.query.get("host") or crm_url.host,
        "port": crm_url.port,
        "login": crm_url.username,
        "password": crm_url.password,
        "schema": crm_url.database,
        "extra": {"sslmode": "prefer", "application_name": "shop"},
    }
    monkeypatch.setenv(f"AIRFLOW_CONN_ONEO__{bench.tenant.upper()}__CRM", json.dumps(found))
    return found


@pytest.fixture
def apply(
    command: Callable[..., Any], table: TableCompanies, connection: dict[str, Any], tmp_path: Path
) -> Callable[..., Any]:
    """Applies the pipeline of the table with changes to its source."""

    def one(code: int | None = None, declared: Any = FIELDS, **changes: Any) -> Any:
        file = tmp_path / "companies.json"
        document = {
            "id": "companies",
            "fields": declared,
            "stages": STAGES,
            "source": table.source(**changes),
        }
        file.write_text(json.dumps(document))
        return command("pipelines", "apply", str(file), code=code)

    return one


def test_from_a_file_to_events(
    apply: Callable[..., Any], command: Callable[..., Any], table: TableCompanies
) -> None:
    done = apply(capture="trigger")
    assert done["applied"] is True
    assert done["left"][0] == "set up its database: oneo pipelines connect companies"
    assert "ONEO_CAPTURE" in done["left"][1]
    assert command("pipelines", "connect", "companies")["done"] is True
    table.add(name="Anna")
    table.add(name="Bert")
    assert command("records", "capture") == [{"pipeline": "companies", "events": 2}]
    assert command("records", "capture", "companies") == [{"pipeline": "companies", "events": 0}]
    assert apply(capture="trigger")["left"] == []
    command("pipelines", "connect", "companies", "--remove")
    table.add(name="Carl")
    assert command("records", "capture") == [{"pipeline": "companies", "events": 0}]


def test_fields_that_nobody_declares_follow_from_the_table(
    apply: Callable[..., Any], command: Callable[..., Any]
) -> None:
    assert apply(declared=[])["fields"] == 9
    [spec] = command("pipelines", "list")
    kinds = {one["id"]: (one["type"], one["unique"]) for one in spec["fields"]}
    assert kinds == {
        "name": ("text", False),
        "email": ("text", True),
        "score": ("number", False),
        "visits": ("integer", False),
        "tags": ("json", False),
        "address": ("json", False),
        "joined": ("datetime", False),
        "status": ("text", False),
        "active": ("boolean", False),
    }


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"key": "company_name", "fields": {"name": "compny_name", "score": "lead_scor"}, "stage": "visits_"},
        [
            "source.fields.name: there is no column 'compny_name' (did you mean 'company_name'?)",
            "source.fields.score: there is no column 'lead_scor' (did you mean 'lead_score'?)",
            "source.stage: there is no column 'visits_' (did you mean 'visits'?)",
            "source.key: column 'company_name' is not unique and not null by itself",
        ],
    ),
    ({"table": "public.Compnies"}, ["shows no table 'public.Compnies'"]),
    ({"table": 'x"; DROP TABLE companies; --'}, ["shows no table"]),
    ({"key": 'id"; DROP TABLE companies; --'}, ["there is no column"]),
    (
        {"updated_at": "status"},
        ["source.updated_at: column 'status' is of type text; it has to be a timestamp"],
    ),
    ({"version": "status"}, ["source.version: column 'status' is of type text, and counts whole numbers"]),
    ({"owner": "company_name"}, ["source.owner: column 'company_name' is mapped as fields.name already"]),
    ({"capture": "polling", "updated_at": None}, ["capture `polling` needs an `updated_at` column"]),
    ({"fields": {"name; --": "company_name"}}, ["a field's name is letters, digits and _"]),
    (
        {"fields": {"id": "company_name"}},
        ["field 'name' has no column in source.fields", "the store's own name"],
    ),
]


@pytest.mark.parametrize(("changes", "said"), WRONG, ids=[f"wrong {number}" for number in range(len(WRONG))])
def test_a_source_that_does_not_go_with_the_table(
    apply: Callable[..., Any], changes: dict[str, Any], said: list[str]
) -> None:
    declared = FIELDS if "id" in changes.get("fields", {}) else []
    output = " ".join(apply(code=1, declared=declared, **changes).split())
    assert [one for one in said if one not in output] == []


def test_types_of_declared_fields_are_those_of_the_columns(apply: Callable[..., Any]) -> None:
    wrong = [
        {"id": "name", "type": "number"},
        {"id": "status", "unique": True},
        {"id": "score", "indexed": True},
    ]
    output = apply(code=1, declared=wrong[2:])
    assert "field 'score' cannot be indexed here" in output
    output = apply(code=1, declared=wrong[:2])
    assert "field 'name' is number, and its column of type text holds text or email" in output
    assert "field 'status' cannot be unique: column 'status' has no unique index of its own" in output


def test_a_missing_or_another_connection(
    apply: Callable[..., Any], bench: Bench, connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"create the Airflow connection 'oneo__{bench.tenant}__crn'" in apply(code=1, connection_id="crn")
    name = f"AIRFLOW_CONN_ONEO__{bench.tenant.upper()}__CRM"
    monkeypatch.setenv(name, json.dumps({**connection, "conn_type": "http"}))
    assert "is of type 'http'" in apply(code=1)


def test_a_password_is_nowhere_in_what_is_said(
    apply: Callable[..., Any], bench: Bench, connection: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"AIRFLOW_CONN_ONEO__{bench.tenant.upper()}__CRM"
    down = {**connection, "host": "127.0.0.1", "port": 1, "password": "hunter2-canary"}
    monkeypatch.setenv(name, json.dumps(down))
    output = apply(code=1)
    assert "does not answer" in output
    assert "hunter2-canary" not in output


def test_a_pipeline_with_records_of_ours_stays_ours(apply: Callable[..., Any], bench: Bench) -> None:
    bench.pipeline("companies")
    bench.record("companies", name="Anna")
    assert "has 1 record(s) in our own store" in apply(code=1)


def test_the_sql_for_whoever_may_run_it(
    apply: Callable[..., Any], command: Callable[..., Any], table: TableCompanies, crm: psycopg.Connection
) -> None:
    apply(capture="trigger")
    printed = command("pipelines", "connect", "companies", "--print-sql", code=0)
    crm.execute("DROP SCHEMA IF EXISTS oneo_capture CASCADE")
    crm.execute(printed)
    table.add(name="Anna")
    assert command("records", "capture") == [{"pipeline": "companies", "events": 1}]
    assert "GRANT SELECT, DELETE" in printed


def test_nothing_to_set_up_or_to_read(command: Callable[..., Any], bench: Bench, connection: Any) -> None:
    bench.pipeline("leads")
    assert "are in our own store" in command("pipelines", "connect", "leads", code=1)
    assert "nothing is captured for 'leads'" in command("records", "capture", "leads", code=1)
    assert command("records", "capture") == []
