"""All control-flow cases."""

from __future__ import annotations

from tests.control_flow import (
    cases_accumulators,
    cases_big,
    cases_branches,
    cases_breakers,
    cases_breakers_further_out,
    cases_controller_bodies,
    cases_controllers,
    cases_errors,
    cases_errors_in_loops,
    cases_failures,
    cases_loop_bodies,
    cases_loops,
    cases_merges,
    cases_nested_loops,
    cases_parallel,
    cases_sub_workflows,
    cases_variables,
    cases_waits,
)
from tests.control_flow.writing import Case

CASES: list[Case] = [
    *cases_branches.CASES,
    *cases_merges.CASES,
    *cases_parallel.CASES,
    *cases_variables.CASES,
    *cases_errors.CASES,
    *cases_errors_in_loops.CASES,
    *cases_failures.CASES,
    *cases_loops.CASES,
    *cases_accumulators.CASES,
    *cases_loop_bodies.CASES,
    *cases_nested_loops.CASES,
    *cases_controllers.CASES,
    *cases_controller_bodies.CASES,
    *cases_breakers.CASES,
    *cases_breakers_further_out.CASES,
    *cases_big.CASES,
    *cases_sub_workflows.CASES,
    *cases_waits.CASES,
]
