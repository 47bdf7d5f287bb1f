"""Every control-flow case, run in this process."""

from __future__ import annotations

import pytest

from tests.control_flow.cases import CASES
from tests.control_flow.writing import Case
from tests.nodes.bench import Bench


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(bench: Bench, case: Case) -> None:
    case.check(bench.run(case.document, case.data))
