"""No option of a trigger's example goes untried on the running stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from oneo_operators.catalogue import catalogue
from tests.e2e.test_triggers import FAMILIES
from tests.nodes.bench import EXAMPLES

SENSES = Counter((type_name, option) for type_name, option, _ in {s for f in FAMILIES for s in f.shown()})
# What it holds is the language of filters, which has tests of its own.
FILTERS = "field_filters"


def options(example: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The names of the options, those within options too."""
    for name, value in example.items():
        yield f"{prefix}{name}"
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict) and name != FILTERS:
                yield from options(inner, f"{prefix}{name}.")


def test_each_option_of_an_example_has_cases_in_both_senses() -> None:
    wanted = {
        (type_name, option)
        for type_name, example in EXAMPLES.items()
        if type_name.startswith("trigger_")
        for option in options(example)
    }
    assert [one for one in sorted(wanted) if SENSES[one] < 2] == []


def test_each_type_of_trigger_has_cases() -> None:
    types = {operator.type for operator in catalogue().all() if operator.is_trigger}
    assert types - {type_name for type_name, _ in SENSES} == set()
