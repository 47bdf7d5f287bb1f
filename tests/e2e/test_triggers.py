"""Every trigger with every option of its example on the running stack: from what happens outside to the finished
execution, and to the reason where nothing starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.e2e import cases_clock, cases_http, cases_messages, cases_others, cases_records
from tests.e2e.trigger_cases import Case, Family, Happened, let_happen

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

FAMILIES = [one.FAMILY for one in (cases_records, cases_http, cases_messages, cases_others, cases_clock)]
CASES = [pytest.param(family, case, id=str(case)) for family in FAMILIES for case in family.cases]


@pytest.fixture(scope="module")
def happened(stack: Any) -> Iterator[dict[str, Happened]]:
    """All families, once everything has happened."""
    with ExitStack() as exits:
        yield let_happen(stack, FAMILIES, exits)


@pytest.mark.parametrize(("family", "case"), CASES)
def test_an_option_has_its_effect(happened: dict[str, Happened], family: Family, case: Case) -> None:
    happened[family.name].check(case)


def test_the_command_gives_the_reason(happened: dict[str, Happened]) -> None:
    case = next(one for one in cases_records.CASES if "$eq 'website'" in one.because)
    (record,) = happened["records"].traces[id(case)].records
    (event,) = happened["records"].outside.json("explain", "--record", record, "--workflow", case.workflow)
    (decision,) = event["decisions"]
    assert (decision["outcome"], case.because in decision["reason"]) == ("refused", True)
