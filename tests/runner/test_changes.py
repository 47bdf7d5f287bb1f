"""Changes of variables: what two nodes do one after the other, as what one node would do."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oneo_operators.variables import Changes

NAMES = st.sampled_from("abcd")
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.sampled_from(("", "x")),
    st.lists(st.integers(), max_size=2),
)
VARIABLES = st.dictionaries(NAMES, VALUES)


@st.composite
def changes(draw: Any) -> Changes:
    """What one node does: one thing at most to each variable."""
    what = draw(st.dictionaries(NAMES, st.sampled_from(("set", "increment", "append", "unset"))))
    named: dict[str, list[str]] = {kind: [] for kind in ("set", "increment", "append", "unset")}
    for name, kind in what.items():
        named[kind].append(name)
    return Changes(
        {name: draw(VALUES) for name in named["set"]},
        {name: draw(st.integers(-9, 9)) for name in named["increment"]},
        {name: draw(st.lists(st.integers(), max_size=2)) for name in named["append"]},
        named["unset"],
    )


@given(VARIABLES, changes(), changes())
def test_one_after_the_other_is_both_together(
    variables: dict[str, Any], first: Changes, second: Changes
) -> None:
    apart = second.applied_to(first.applied_to(variables))
    assert first.followed_by(second).applied_to(variables) == apart


@given(VARIABLES, st.lists(changes(), max_size=6))
def test_many_one_after_the_other_are_all_together(variables: dict[str, Any], many: list[Changes]) -> None:
    together, apart = Changes(), variables
    for one in many:
        together, apart = together.followed_by(one), one.applied_to(apart)
    assert together.applied_to(variables) == apart


@given(changes(), changes(), changes(), VARIABLES)
def test_how_changes_are_bracketed_does_not_matter(
    one: Changes, two: Changes, three: Changes, variables: dict[str, Any]
) -> None:
    left = one.followed_by(two).followed_by(three)
    right = one.followed_by(two.followed_by(three))
    assert left.applied_to(variables) == right.applied_to(variables)


@given(VARIABLES, changes())
def test_nothing_before_or_after_changes_nothing(variables: dict[str, Any], one: Changes) -> None:
    expected = one.applied_to(variables)
    assert Changes().followed_by(one).applied_to(variables) == expected
    assert one.followed_by(Changes()).applied_to(variables) == expected


def test_counting_after_setting_is_setting() -> None:
    found = Changes(set={"n": 5}).followed_by(Changes(increment={"n": 2}))
    assert found.applied_to({"n": 100}) == {"n": 7}


def test_what_was_removed_is_counted_from_nothing() -> None:
    found = Changes(unset=["n"]).followed_by(Changes(increment={"n": 2}))
    assert found.applied_to({"n": 100}) == {"n": 2}
