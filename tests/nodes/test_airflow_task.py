"""An operator in a hand-written DAG, the way outputs travel, and secrets from Airflow."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from airflow.sdk import DAG
from airflow.sdk.log import _secrets_masker

from oneo.database import Database
from oneo.errors import ConfigError, PermanentNodeError
from oneo_operators import airflow_task
from oneo_operators.airflow_vault import AirflowVault
from oneo_operators.xcom import unwrap, wrap
from tests.http.server import Answer, RecordingServer
from tests.nodes.bench import Bench


def run_alone(operator: Any, **params: Any) -> Any:
    moment = datetime(2031, 5, 6, 10, tzinfo=UTC)
    dag_run = SimpleNamespace(run_after=moment, dag_id="by_hand", run_id="r1")
    return asyncio.run(airflow_task.run_alone(operator, {"params": params, "dag_run": dag_run}))  # type: ignore[arg-type]


@pytest.fixture
def alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Hand-written DAGs work for the bench's tenant."""
    monkeypatch.setattr(airflow_task, "database", lambda: bench.database)
    monkeypatch.setattr(airflow_task, "settings", lambda: SimpleNamespace(tenant=bench.tenant))
    return bench


def test_an_operator_in_a_hand_written_dag_runs(server: RecordingServer, alone: Bench) -> None:
    from oneo_operators import HttpRequestOperator

    server.on("GET", "/contacts/7", Answer(body={"name": "Ada"}))
    with DAG("by_hand"):
        call = HttpRequestOperator(task_id="call", url=server.url("/contacts/{{trigger.id}}"))
    assert run_alone(call, id=7)["body"] == {"name": "Ada"}


def test_its_changes_are_kept(alone: Bench) -> None:
    from oneo_operators import CreateRecordOperator

    with DAG("by_hand"):
        make = CreateRecordOperator(task_id="make", pipeline_id="deals", record_data={"day": "{{today}}"})
    output = run_alone(make)
    assert (alone.get(output["record_id"]) or {})["day"] == "2031-05-06"


def test_its_failure_shows_no_secret_and_carries_no_cause(
    server: RecordingServer, alone: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from oneo_operators import FindRecordsOperator, HttpRequestOperator

    monkeypatch.setenv(f"AIRFLOW_VAR_ONEO__{alone.tenant.upper()}__KEY", "s3cr3t-key")
    server.on("GET", "/a", lambda request: Answer(status=400, body=request.headers["x-any"]))
    with DAG("by_hand"):
        call = HttpRequestOperator(task_id="call", url=server.url("/a"), headers={"X-Any": "{{secrets.key}}"})
        find = FindRecordsOperator(task_id="find", pipeline_id="deals", limit="{{secrets.key}}")
    with pytest.raises(PermanentNodeError, match=r"answered 400: \*\*\*") as failed:
        run_alone(call)
    assert failed.value.__context__ is None
    with pytest.raises(ConfigError, match=r"config.limit: .* got '\*\*\*'"):
        run_alone(find)
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize(
    "output",
    [
        None,
        {"status": 200, "body": [1, 2.5, None, True]},
        {"__classname__": "os.system", "__data__": {}},
        {"deep": [{"__type": "x", "__var": 1}]},
        {"oneo_json": "not ours"},
        {"oneo_json": "[1]"},
        {"$object": f"find/{'0' * 64}", "size": 9, "sha256": "0" * 64},
        "oneo_json",
    ],
)
def test_outputs_travel_unchanged(output: Any) -> None:
    assert unwrap(wrap(output), "acme", uuid4()) == output


def test_secrets_of_airflow_are_masked_in_its_logs_from_then_on(
    monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_ONEO__ACME__ODD", "an-odd-token-5839")
    assert "5839" in str(_secrets_masker().redact("an-odd-token-5839"))
    assert AirflowVault().secret("oneo__acme__odd") == "an-odd-token-5839"
    assert "5839" not in str(_secrets_masker().redact("say an-odd-token-5839"))


def test_connections_of_airflow_keep_their_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    uri = "http://ada:pa55@crm.example:8443/https?X-Api-Key=k3y"
    monkeypatch.setenv("AIRFLOW_CONN_ONEO__ACME__CRM", uri)
    found = AirflowVault().connection("oneo__acme__crm")
    assert found is not None
    assert (found.kind, found.host, found.port, found.scheme) == ("http", "crm.example", 8443, "https")
    assert (found.login, found.password, dict(found.extra)) == ("ada", "pa55", {"X-Api-Key": "k3y"})
    assert "pa55" not in repr(found)
    assert "k3y" not in repr(found)


def test_what_airflow_does_not_have_is_none(database: Database) -> None:
    assert AirflowVault().secret("oneo__acme__nothing") is None
    assert AirflowVault().connection("oneo__acme__nothing") is None
