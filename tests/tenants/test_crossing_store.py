"""No function of the store reaches another tenant's rows, whatever it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oneo.database import Database
from tests.tenants.calls import cases, functions, numbers, problem, unknown
from tests.tenants.world import World, make_world, remove_world

CASES = list(cases())


@pytest.fixture(scope="module")
def world(database: Database) -> Iterator[World]:
    found = make_world(database, numbers)
    yield found
    remove_world(found)


@pytest.mark.parametrize("name", sorted(functions()))
def test_every_function_has_a_case(name: str) -> None:
    assert not unknown(name), "say in calls.ARGUMENTS what to hand in"


@pytest.mark.parametrize(("name", "way"), CASES)
def test_nothing_of_theirs_is_shown_or_changed(world: World, name: str, way: str) -> None:
    assert problem(world, name, way) is None


def test_without_row_level_security_much_is_shown_and_changed(unprotected: Database) -> None:
    open_world = make_world(unprotected, numbers)
    broken = {case: found for case in CASES if (found := problem(open_world, *case))}
    # What the system calls says itself whose rows it means.
    bound = {name for name, one in functions().items() if "(system session)" not in str(one.__doc__)}
    names = {name for name, _ in broken} & bound
    assert len(names) > len(bound) / 2, sorted(bound - names)
    assert {found.split()[0] for found in broken.values()} == {"showed", "changed", "counted"}
