"""Gathering one value from many."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneo.errors import ConfigError
from oneo_operators.accumulating import accumulate, value_at

NUMBERS = st.lists(st.integers(-100, 100))


@pytest.mark.parametrize(
    ("operation", "values", "expected"),
    [
        ("append", [1, None, [2]], [1, None, [2]]),
        ("extend", [1, None, [2, 3], {"a": 1}], [1, 2, 3, {"a": 1}]),
        ("sum", [1, None, 2.5], 3.5),
        ("count", [1, None, "x"], 3),
        ("min", [3, None, 1], 1),
        ("max", ["a", None, "b"], "b"),
        ("merge", [{"a": 1, "b": 1}, None, {"b": 2}], {"a": 1, "b": 2}),
        ("concat", ["a", None, 1], "a1"),
        ("first", [None, 2, 3], 2),
        ("last", [2, 3, None], 3),
    ],
)
def test_values_that_are_null_are_left_out_but_by_append_and_count(
    operation: Any, values: list[Any], expected: Any
) -> None:
    assert accumulate(operation, None, values) == expected


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("append", []),
        ("extend", []),
        ("sum", 0),
        ("count", 0),
        ("min", None),
        ("max", None),
        ("merge", {}),
        ("concat", ""),
        ("first", None),
        ("last", None),
    ],
)
def test_nothing_gathered(operation: Any, expected: Any) -> None:
    assert accumulate(operation, None, []) == expected


@pytest.mark.parametrize(
    ("operation", "initial", "values", "expected"),
    [
        ("append", [0], [1], [0, 1]),
        ("append", 0, [1], [0, 1]),
        ("extend", [0], [[1, 2]], [0, 1, 2]),
        ("sum", 10, [1], 11),
        ("count", 10, [1], 11),
        ("min", 0, [1], 0),
        ("max", 0, [1], 1),
        ("merge", {"a": 0, "z": 0}, [{"a": 1}], {"a": 1, "z": 0}),
        ("concat", ">", ["a"], ">a"),
        ("first", "known", ["a"], "known"),
        ("last", "known", ["a"], "a"),
    ],
)
def test_what_to_begin_with(operation: Any, initial: Any, values: list[Any], expected: Any) -> None:
    assert accumulate(operation, initial, values) == expected


def test_what_to_begin_with_stays_as_it_is() -> None:
    initial = [0]
    accumulate("append", initial, [1])
    assert initial == [0]


@pytest.mark.parametrize(
    ("operation", "values", "says"),
    [
        ("sum", ["x"], "'x' cannot be added to 0"),
        ("sum", [True], "True cannot be added to 0"),
        ("merge", [[1]], r"\[1\] cannot be merged"),
        ("min", [1, "x"], "'x' cannot be compared with 1"),
        ("max", [{}, {}], "cannot be compared"),
    ],
)
def test_values_that_do_not_fit_are_named(operation: Any, values: list[Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        accumulate(operation, None, values)


@given(NUMBERS, NUMBERS)
def test_gathered_in_two_parts_is_gathered_at_once(first: list[int], second: list[int]) -> None:
    for operation in ("append", "extend", "sum", "min", "max", "concat", "first", "last"):
        part = accumulate(operation, None, first)
        assert accumulate(operation, part, second) == accumulate(operation, None, [*first, *second])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (None, {"a": {"b": 1}, "l": [{"n": 1}, {"n": 2}]}),
        ("a", {"b": 1}),
        ("a.b", 1),
        ("a.c", None),
        ("a.b.c", None),
        ("x.y", None),
        ("l.1.n", 2),
        ("l.5.n", None),
    ],
)
def test_a_path_into_a_value(path: str | None, expected: Any) -> None:
    assert value_at({"a": {"b": 1}, "l": [{"n": 1}, {"n": 2}]}, path) == expected
