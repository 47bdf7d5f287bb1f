"""No function of the store reaches another tenant's rows, whatever it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps

import pytest

from oneo.database import Database
from oneo.store import records
from tests.tenants import calls
from tests.tenants.calls import cases, fault, functions, numbers, problem, unknown
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


@pytest.mark.parametrize("name", sorted(functions()))
def test_each_case_works_for_the_owner_of_the_rows(world: World, name: str) -> None:
    """What nobody can do with them is not what keeps others from it."""
    assert [found for way in ("same ids", "their ids") if (found := fault(world, name, way))] == []


@pytest.mark.parametrize(("name", "way"), CASES)
def test_nothing_of_theirs_is_shown_or_changed(world: World, name: str, way: str) -> None:
    assert problem(world, name, way) is None


def broken_off(*_: object, **__: object) -> None:
    raise RuntimeError("it always fails")


def doing_nothing(*_: object, **__: object) -> None:
    pass


@pytest.mark.parametrize("useless", [broken_off, doing_nothing])
def test_a_function_that_never_does_anything_proves_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, useless: Callable[..., None]
) -> None:
    real = records.get
    monkeypatch.setattr(calls, "functions", lambda: {"records.get": wraps(real)(useless)})
    assert problem(world, "records.get", "their ids") is None
    assert fault(world, "records.get", "their ids") is not None


def test_without_row_level_security_much_is_shown_and_changed(unprotected: Database) -> None:
    open_world = make_world(unprotected, numbers)
    broken = {case: found for case in CASES if (found := problem(open_world, *case))}
    # What the system calls says itself whose rows it means.
    bound = {name for name, one in functions().items() if "(system session)" not in str(one.__doc__)}
    names = {name for name, _ in broken} & bound
    assert len(names) > len(bound) * 2 / 3, sorted(bound - names)
    assert {found.split()[0] for found in broken.values()} == {"showed", "changed", "counted"}
