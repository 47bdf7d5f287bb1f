"""Every control-flow case, run in this process."""

from __future__ import annotations

import pytest

from dag_factory.publish import publish
from tests.control_flow.cases import CASES
from tests.control_flow.writing import Case
from tests.nodes.bench import Bench


def test_names_of_cases_are_unique() -> None:
    names = [case.document["id"] for case in CASES]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(bench: Bench, case: Case) -> None:
    for document in case.others:
        publish(bench.database, bench.tenant, document, bench.catalogue)
    case.check(bench.run(case.document, case.data))
