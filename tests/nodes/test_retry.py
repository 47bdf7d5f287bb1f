"""Which failures are repeated, and when."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction

from dag_factory.catalogue import Retry
from oneo.errors import ConfigError, InfrastructureError, NodeError, PermanentNodeError, TransientNodeError
from oneo.http import OutcomeUnknownError
from oneo_operators.retry import MAX_DELAY_SECONDS, NodeRetryPolicy, delay_before


@pytest.mark.parametrize(
    ("retry", "delays"),
    [
        (Retry(3, 1.0, exponential=True), [1, 2, 4, 8]),
        (Retry(3, 1.5, exponential=False), [1.5, 1.5, 1.5, 1.5]),
        (Retry(3, 0.0, exponential=True), [0, 0, 0, 0]),
        (Retry(3, 50_000, exponential=True), [50_000, 86_400, 86_400, 86_400]),
    ],
)
def test_delays(retry: Retry, delays: list[float]) -> None:
    assert [delay_before(retry, failures) for failures in (1, 2, 3, 4)] == delays


def test_after_many_tries_the_delay_is_a_day() -> None:
    assert delay_before(Retry(), 5000) == MAX_DELAY_SECONDS


@pytest.mark.parametrize(("asked", "waits"), [(0.5, 4), (60, 60), (1e9, MAX_DELAY_SECONDS), (None, 4)])
def test_never_less_than_the_other_side_asked_for(asked: float | None, waits: float) -> None:
    assert delay_before(Retry(), 3, TransientNodeError("busy", retry_after=asked)) == waits


@pytest.mark.parametrize("error", [ConfigError("x"), PermanentNodeError("x"), NodeError("x")])
def test_what_cannot_be_mended_by_trying_again_fails_at_once(error: NodeError) -> None:
    decision = NodeRetryPolicy(Retry()).evaluate(error, 1, 3)
    assert decision.action is RetryAction.FAIL
    assert decision.reason == f"{type(error).__name__}: trying again would fail again"


@pytest.mark.parametrize(
    "error",
    [
        TransientNodeError("x"),
        OutcomeUnknownError("x"),
        InfrastructureError("x"),
        OSError("x"),
        SystemExit(1),
    ],
)
def test_everything_else_is_repeated_after_its_delay(error: BaseException) -> None:
    decision = NodeRetryPolicy(Retry(2, 3.0, exponential=True)).evaluate(error, 2, 3)
    assert (decision.action, decision.retry_delay) == (RetryAction.RETRY, timedelta(seconds=6))


def test_it_survives_serialisation() -> None:
    policy = NodeRetryPolicy(Retry(4, 2.5, exponential=False))
    assert NodeRetryPolicy.deserialize(policy.serialize()).retry == policy.retry
