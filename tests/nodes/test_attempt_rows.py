"""What a node's row says: no secrets, no statements, short messages, nothing that cannot be kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from oneo.errors import ConfigError, NodeError, PermanentNodeError, TransientNodeError
from oneo_operators.outcome import MAX_OUTPUT_BYTES
from oneo_operators.result import NodeResult
from tests.nodes.bench import MAKE, Bench, workflow


def test_secrets_are_masked_everywhere(bench: Bench, behave: Any, caplog: pytest.LogCaptureFixture) -> None:
    bench.vault.keep("key", "s3cr3t-key")
    config = {"pipeline_id": "deals", "record_data": {"key": "{{secrets.key}}", "text": "k={{secrets.key}}!"}}
    node = {**MAKE, "config": config}

    def work(config: Any, context: Any) -> NodeResult:
        given = config.record_data["key"]
        assert given == "s3cr3t-key"
        return NodeResult({given: [f"<{given}>"]}, {"note": given})

    behave(work)
    state = bench.begin(workflow(node))
    outcome = bench.attempt(state, "make")
    assert (outcome.output, outcome.context_updates) == ({"***": ["<***>"]}, {"note": "***"})
    [row] = bench.attempts(state, "make")
    assert row.input["record_data"] == {"key": "***", "text": "k=***!"}

    def fail(config: Any, context: Any) -> NodeResult:
        raise ValueError(f"cannot use {config.record_data['key']}")

    behave(fail)
    state = bench.begin(workflow(node))
    outcome = bench.attempt(state, "make")
    assert outcome.error is not None
    assert outcome.error.message == "ValueError: cannot use ***"
    assert outcome.error.__cause__ is outcome.error.__context__ is None
    assert "cannot use ***" in caplog.text
    assert "s3cr3t" not in caplog.text + repr([vars(row) for row in bench.rows(state.id)])


def test_a_short_secret_is_masked_as_a_whole_and_spoils_nothing(bench: Bench, behave: Any) -> None:
    bench.vault.keep("pin", "12")
    behave(lambda config, context: NodeResult({"pin": "12", "n": 12, "id": "12-12", "day": "2012-12-12"}))
    node = {**MAKE, "config": {"pipeline_id": "deals", "record_data": {"pin": "{{secrets.pin}}"}}}
    state = bench.begin(workflow(node))
    assert bench.attempt(state, "make").output == {
        "pin": "***",
        "n": "***",
        "id": "12-12",
        "day": "2012-12-12",
    }


class OwnError(TransientNodeError):
    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (KeyError("email"), TransientNodeError, "KeyError: 'email'"),
        (RuntimeError(), TransientNodeError, "RuntimeError: no reason given"),
        (ValueError("a\nrow = {'email': 'ada@x.de'}"), TransientNodeError, "ValueError: a"),
        (ValueError("x" * 5000), TransientNodeError, "ValueError: " + "x" * 199 + "…"),
        (OwnError(7), OwnError, "code 7"),
        (ConfigError("bad"), ConfigError, "bad"),
    ],
)
def test_unexpected_errors_become_short_messages(
    bench: Bench, behave: Any, error: Exception, kind: type[NodeError], message: str
) -> None:
    def work(config: Any, context: Any) -> NodeResult:
        raise error

    behave(work)
    state = bench.begin(workflow(MAKE))
    outcome = bench.attempt(state, "make")
    assert type(outcome.error) is kind
    assert outcome.error.message == message
    assert bench.attempts(state, "make")[0].error["message"] == message


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("INSERT INTO no_table VALUES (:data)", TransientNodeError),
        ("SELECT CAST(:data AS integer)", PermanentNodeError),
        (
            "INSERT INTO records (tenant_id, id, pipeline_id) VALUES (:data, gen_random_uuid(), 'x')",
            TransientNodeError,
        ),
    ],
)
def test_errors_of_the_database_show_no_statement(
    bench: Bench, behave: Any, statement: str, kind: type[NodeError]
) -> None:
    async def work(config: Any, context: Any) -> NodeResult:
        await context.store(lambda session: session.execute(text(statement), {"data": "private"}))
        return NodeResult()

    behave(work)
    outcome = bench.attempt(bench.begin(workflow(MAKE)), "make")
    assert type(outcome.error) is kind
    assert outcome.error.message.startswith("the database refused: ")
    assert "INSERT" not in outcome.error.message
    assert "\n" not in outcome.error.message


def test_an_output_that_is_no_json_is_a_failure(bench: Bench, behave: Any) -> None:
    behave(lambda config, context: NodeResult({"n": float("nan")}))
    outcome = bench.attempt(bench.begin(workflow(MAKE)), "make")
    assert isinstance(outcome.error, PermanentNodeError)
    assert "the output cannot be kept as JSON" in outcome.error.message
    behave(lambda config, context: NodeResult({"n": object()}))
    outcome = bench.attempt(bench.begin(workflow(MAKE)), "make")
    assert "object is not a JSON value" in str(outcome.error)


def test_an_output_that_is_too_large_is_a_failure(bench: Bench, behave: Any) -> None:
    behave(lambda config, context: NodeResult("x" * MAX_OUTPUT_BYTES))
    outcome = bench.attempt(bench.begin(workflow(MAKE)), "make")
    assert isinstance(outcome.error, PermanentNodeError)
    assert "the output has 128.0 MB, more than the 128 MB that are kept (ask for less" in str(outcome.error)


def test_a_failing_scope_leaves_a_failed_row(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise LookupError("no time zones here")

    state = bench.begin(workflow(MAKE))
    monkeypatch.setattr("oneo_operators.attempt.scope_for", broken)
    outcome = bench.attempt(state, "make")
    assert outcome.error is not None
    assert outcome.error.message == "LookupError: no time zones here"
    assert bench.attempts(state, "make")[0].status == "failed"


def test_the_values_that_did_not_fit_stand_in_the_input(bench: Bench) -> None:
    config = {"pipeline_id": "deals", "record_data": "{{trigger.text}}"}
    state = bench.begin(workflow({**MAKE, "config": config}), {"text": "no object"})
    outcome = bench.attempt(state, "make")
    assert "the values came out of expressions: see the node's input" in str(outcome.error)
    assert bench.attempts(state, "make")[0].input == {"pipeline_id": "deals", "record_data": "no object"}
