"""Branching: the first branch whose condition holds, or all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from dag_factory.catalogue import Branch
from dag_factory.plan import SUCCESS
from oneo.errors import ConfigError, ExpressionError
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.result import NodeResult


class ConditionBranch(NodeConfig):
    """One branch: `if` or `elif` with `then`, or a last `else`."""

    if_: str | None = Field(default=None, alias="if", description="Condition of the first branch.")
    elif_: str | None = Field(default=None, alias="elif", description="Condition of a further branch.")
    else_: str | None = Field(
        default=None, alias="else", description="Node to run where no other branch holds; stands last."
    )
    then: str | None = Field(default=None, description="Node to run where the condition holds.")
    label: str | None = Field(default=None, description="Name of the branch, for edges and people.")

    @model_validator(mode="after")
    def _one_kind(self) -> ConditionBranch:
        given = [name for name in ("if_", "elif_", "else_") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("a branch has exactly one of `if`, `elif` and `else`")
        return self


class ConditionConfig(NodeConfig):
    """The branches, in order."""

    conditions: list[ConditionBranch] = Field(
        min_length=1,
        description='Branches: `{"if": "{{record.score}} > 80", "then": "node_id", "label": "High"}`, …',
    )
    evaluation_mode: Literal["first_match", "all_match"] = Field(
        default="first_match", description="Take the first branch that holds, or every one."
    )

    @model_validator(mode="after")
    def _else_is_last(self) -> ConditionConfig:
        places = [index for index, branch in enumerate(self.conditions) if branch.else_ is not None]
        if places and places != [len(self.conditions) - 1]:
            raise ValueError("there is one `else`, and it is the last branch")
        return self


class ConditionOperator(NodeOperator):
    """If, else if, else."""

    type: ClassVar[str] = "condition"
    category: ClassVar[str] = "control_flow"
    description: ClassVar[str] = "Decides by conditions which of the following nodes run."
    Config = ConditionConfig
    ui_color = "#fef9c3"

    @classmethod
    def raw_fields(cls) -> frozenset[str]:
        """Conditions are evaluated one by one, so that a later one may fail where an earlier one holds."""
        return frozenset({"conditions"})

    @classmethod
    def conditions(cls, config: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """Every branch's condition."""
        for index, branch in enumerate(_written(config)):
            for key in ("if", "elif"):
                if isinstance(branch.get(key), str):
                    yield f".conditions[{index}].{key}", branch[key]

    @classmethod
    def branches(cls, config: Mapping[str, Any]) -> Sequence[Branch]:
        """One way out per branch, named by its label, else its target, else its place."""
        ways: list[Branch] = []
        for index, branch in enumerate(_written(config)):
            target = branch.get("then") or branch.get("else")
            label = branch.get("label")
            names = tuple(name for name in (label, target) if isinstance(name, str))
            key = names[0] if names else f"branch_{index + 1}"
            if key in {way.key for way in ways}:
                key = f"{key} ({index + 1})"
            place = "then" if "then" in branch else "else"
            path = f".conditions[{index}]" + (f".{place}" if place in branch else "")
            ways.append(Branch(key, names, target if isinstance(target, str) else None, path))
        return ways

    async def run(self, config: ConditionConfig, context: NodeContext) -> NodeResult:
        """Evaluate the branches; the output says which were taken and how each condition came out."""
        ways = self.branches(self.node_config)
        results: list[dict[str, Any]] = []
        taken: list[str] = []
        for index, (branch, way) in enumerate(zip(config.conditions, ways, strict=True)):
            source = branch.if_ if branch.if_ is not None else branch.elif_
            if source is None:
                holds = not taken
            else:
                holds = _holds(
                    context, source, f"conditions[{index}].{'elif' if branch.if_ is None else 'if'}"
                )
                results.append({"branch": way.key, "condition": source, "result": holds})
            if holds:
                taken.append(way.key)
                if config.evaluation_mode == "first_match":
                    break
        output = {"branch": taken[0] if taken else None, "branches": taken, "conditions": results}
        return NodeResult(output, routes=(*taken, SUCCESS))


def _holds(context: NodeContext, source: str, place: str) -> bool:
    try:
        return context.holds(source)
    except ExpressionError as error:
        raise ConfigError(f"config.{place}: {error.message} in {source!r}", error.hint) from error


def _written(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The branches as far as they have the right form: checks look at configs that are not valid yet."""
    branches = config.get("conditions")
    return (
        [branch if isinstance(branch, dict) else {} for branch in branches]
        if isinstance(branches, list)
        else []
    )
