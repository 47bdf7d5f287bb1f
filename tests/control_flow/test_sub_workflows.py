"""Every case of workflows in workflows, run in this process."""

from __future__ import annotations

import pytest

from dag_factory.publish import publish
from tests.control_flow.cases_sub_workflows import CASES
from tests.control_flow.writing import Case
from tests.nodes.bench import Bench


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(bench: Bench, case: Case) -> None:
    for document in case.others:
        publish(bench.database, bench.tenant, document, bench.catalogue)
    case.check(bench.run(case.document, case.data))
