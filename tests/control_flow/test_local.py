"""Every control-flow case, run in this process."""

from __future__ import annotations

import pytest

from tests.control_flow import cases_errors, cases_loops
from tests.control_flow.writing import Case
from tests.nodes.bench import Bench

CASES = [*cases_loops.CASES, *cases_errors.CASES]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(bench: Bench, case: Case) -> None:
    case.check(bench.run(case.document, case.data))
