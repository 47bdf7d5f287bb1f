"""Variables that change while a workflow runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from pydantic import Field, FiniteFloat, model_validator

from oneo.errors import ConfigError
from oneo.expressions import is_template
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.result import NodeResult
from oneo_operators.variables import Changes, is_number


class SetVariableConfig(NodeConfig):
    """What happens to which variables."""

    variables: dict[str, Any] = Field(
        default_factory=dict, description='New values by name: `{"owner": "{{ record.owner }}", "tries": 0}`.'
    )
    name: str | None = Field(
        default=None, min_length=1, description="Name of a single variable, set to `value`."
    )
    value: Any = Field(default=None, description="Value of that variable.")
    increment: dict[str, int | FiniteFloat] = Field(
        default_factory=dict, description="Numbers to add to variables; one without a value counts as 0."
    )
    append: dict[str, Any] = Field(
        default_factory=dict,
        description="What to append to variables that are lists: each item of a list, or one value. A variable "
        "without a value counts as an empty list.",
    )
    unset: list[str] = Field(
        default_factory=list, description="Names that are no variables any more for the nodes after this one."
    )

    @model_validator(mode="after")
    def _each_once(self) -> SetVariableConfig:
        if ("name" in self.model_fields_set) != ("value" in self.model_fields_set):
            raise ValueError("`name` and `value` stand together: the variable, and what it is set to")
        names = Counter([*self.values(), *self.increment, *self.append, *self.unset])
        if not names:
            raise ValueError(
                "nothing happens to any variable: give `variables`, `increment`, `append` or `unset`"
            )
        if "" in names:
            raise ValueError("a variable has a name")
        twice = sorted(name for name, count in names.items() if count > 1)
        if twice or self.name in self.variables:
            name = twice[0] if twice else self.name
            raise ValueError(
                f"more than one thing happens to variable {name!r}, and none of them comes first"
            )
        return self

    def values(self) -> dict[str, Any]:
        """New values by name."""
        return {**self.variables, **({} if self.name is None else {self.name: self.value})}


class SetVariableOperator(NodeOperator):
    """Set variables."""

    type: ClassVar[str] = "set_variable"
    category: ClassVar[str] = "control_flow"
    description: ClassVar[str] = "Sets, counts up, extends or removes variables for the nodes after it."
    Config = SetVariableConfig
    ui_color = "#fef9c3"

    @classmethod
    def defines(cls, config: Mapping[str, Any]) -> Iterable[str]:
        """Every name but those that an expression gives."""
        for key in ("variables", "increment", "append"):
            given = config.get(key)
            yield from given if isinstance(given, Mapping) else ()
        name = config.get("name")
        if isinstance(name, str) and not is_template(name):
            yield name

    async def run(self, config: SetVariableConfig, context: NodeContext) -> NodeResult:
        """Change the variables; the output holds the new values by name."""
        known = context.scope.find("variables")
        append = {name: _items(value) for name, value in config.append.items()}
        for problem in _misfits(config, known):
            raise ConfigError(*problem)
        changes = Changes(config.values(), config.increment, append, config.unset)
        after = changes.applied_to(known)
        touched = (*changes.set, *changes.increment, *changes.append)
        return NodeResult({name: after[name] for name in touched}, variables=changes)


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _misfits(config: SetVariableConfig, known: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    hint = "set it in `variables` of a node before this one, or choose another name"
    for name in config.increment:
        value = known.get(name)
        if value is not None and not is_number(value):
            yield f"config.increment: variable {name!r} is no number, it is {value!r}", hint
    for name in config.append:
        value = known.get(name)
        if value is not None and not isinstance(value, list):
            yield f"config.append: variable {name!r} is no list, it is {value!r}", hint
