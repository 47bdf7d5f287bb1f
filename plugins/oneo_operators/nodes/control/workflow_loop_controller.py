"""Repeating a part of the workflow until something holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import Field, model_validator

from dag_factory.catalogue import LoopSpec
from oneo.errors import ConfigError, ExpressionError, PermanentNodeError, RoundError
from oneo.expressions import Scope, compile_condition
from oneo_operators.accumulating import value_at
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.result import NodeResult, Wait
from oneo_operators.rounds import routes_after

_ROOTS: Final = {"context_value": "context", "variable": "variables", "node_output": "nodes"}


class ExitCondition(NodeConfig):
    """One reason to leave the loop."""

    type: Literal["context_value", "variable", "node_output", "expression"] = Field(
        default="expression",
        description="What is looked at: an entry of `context`, a variable, the last output of a node (`path` "
        "begins with its id), or an expression.",
    )
    path: str | None = Field(default=None, description="Dotted path of the value looked at.")
    expected_value: Any = Field(default=True, description="The value that ends the loop.")
    condition: str | None = Field(
        default=None, description="For `expression`: the condition that ends the loop."
    )
    reason: str | None = Field(
        default=None, description="What `exit_reason` then says; default: exit_condition."
    )

    @model_validator(mode="after")
    def _looks_at_something(self) -> ExitCondition:
        if (self.condition is None) == (self.type == "expression"):
            raise ValueError("type `expression` has a `condition`, every other type a `path`")
        if self.type != "expression" and not self.path:
            raise ValueError(f"type `{self.type}` has a `path`")
        return self


class WorkflowLoopControllerConfig(NodeConfig):
    """How long to repeat, and what."""

    loop_key: str = Field(default="loop", description="Name of the loop, for breakers inside it.")
    loop_type: Literal["conditional", "count", "while"] = Field(
        default="conditional",
        description="`conditional`: until an exit condition holds. `count`: `count` times. `while`: as long as "
        "`while_condition` holds. An exit condition ends every kind.",
    )
    max_iterations: int = Field(
        default=10, ge=1, le=100_000, description="At most that many rounds, whatever holds."
    )
    count: int | None = Field(default=None, ge=0, le=100_000, description="For `count`: how many rounds.")
    while_condition: str | None = Field(
        default=None, description="For `while`: repeat as long as this holds."
    )
    exit_conditions: list[ExitCondition] = Field(
        default_factory=list, description="The loop ends as soon as one of them holds."
    )
    loop_back_to: str | None = Field(
        default=None, description="First node of the body, or the `condition` of the edge that leads there."
    )
    exit_to: str | None = Field(
        default=None,
        description="Node that follows the loop, or the `condition` of the edge that leads there.",
    )
    on_max_iterations: Literal["exit", "fail"] = Field(
        default="exit", description="Where max_iterations is reached: go on behind the loop, or fail."
    )

    @model_validator(mode="after")
    def _fits_its_type(self) -> WorkflowLoopControllerConfig:
        if self.loop_type == "while" and self.while_condition is None:
            raise ValueError("loop_type `while` has a `while_condition`")
        return self


class WorkflowLoopControllerOperator(NodeOperator):
    """Repeats its body while its conditions say so."""

    type: ClassVar[str] = "workflow_loop_controller"
    category: ClassVar[str] = "control_flow"
    description: ClassVar[str] = (
        "Repeats a part of the workflow. It may stand before that part (an edge with `loop` leads into it, one with "
        "`loop_back` back) or behind it (`loop_back_to` names where it begins); behind it, the first round runs before "
        "any condition is looked at. Each round sees what the one before left in context and variables, and so does "
        "what follows the loop. `loop.index` and `loop.number` count the rounds; conditions see those of the next."
    )
    Config = WorkflowLoopControllerConfig
    ui_color = "#fef9c3"

    @classmethod
    def raw_fields(cls) -> frozenset[str]:
        """Conditions are looked at before every round."""
        return frozenset({"exit_conditions", "while_condition"})

    @classmethod
    def conditions(cls, config: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """Every condition."""
        if isinstance(config.get("while_condition"), str):
            yield ".while_condition", config["while_condition"]
        listed = config.get("exit_conditions")
        for index, one in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(one, dict) and isinstance(one.get("condition"), str):
                yield f".exit_conditions[{index}].condition", one["condition"]

    @classmethod
    def reads(cls, config: Mapping[str, Any], place: Any) -> Iterable[tuple[str, str]]:
        """The nodes whose outputs its exit conditions look at."""
        listed = config.get("exit_conditions")
        for index, one in enumerate(listed if isinstance(listed, list) else []):
            if (
                isinstance(one, dict)
                and one.get("type") == "node_output"
                and isinstance(one.get("path"), str)
            ):
                yield f".exit_conditions[{index}].path", one["path"].partition(".")[0]

    @classmethod
    def loop(cls, config: Mapping[str, Any]) -> LoopSpec | None:
        """Rounds see what earlier ones left."""
        key = config.get("loop_key", "loop")
        ends = [config.get(name) for name in ("loop_back_to", "exit_to")]
        body, leave = (end if isinstance(end, str) else None for end in ends)
        return LoopSpec(
            True,
            (key,) if isinstance(key, str) else (),
            body,
            leave,
            ".loop_back_to",
            ".exit_to",
            looks_at=tuple(_looked_at(config)),
            limit=_limit(config),
        )

    async def run(self, config: WorkflowLoopControllerConfig, context: NodeContext) -> NodeResult | Wait:
        """Run the rounds.

        Raises:
            RoundError: A round failed.
            PermanentNodeError: There were too many.
        """
        rounds = context.rounds
        if rounds is None:
            raise ConfigError("the loop has no body", "lead an edge with loop to the first node to repeat")
        index, broken, reason = 0, None, None
        while broken is None:
            loop = {"index": index, "number": index + 1, "first": index == 0, "key": config.loop_key}
            names = {"loop": {**loop, "parent": context.scope.names.get("loop")}}
            if index or not rounds.body.tail:
                reason = _exit_reason(config, index, rounds.scope(names))
                if reason is not None:
                    break
            ended = await rounds.run(index, names)
            if ended.until is not None:
                return Wait(ended.until)
            if ended.failure is not None:
                raise RoundError(rounds.owner, index, ended.failure.node, ended.failure.error)
            broken = ended.broken
            index += 1
        if reason == "max_iterations" and config.on_max_iterations == "fail":
            raise PermanentNodeError(
                f"the loop was not done after {config.max_iterations} rounds", "raise max_iterations"
            )
        output: dict[str, Any] = {"iterations": index, "exit_reason": broken.reason if broken else reason}
        routes = routes_after(broken, rounds.owner, output)
        return NodeResult(output, context_updates=rounds.left, routes=routes)


def _looked_at(config: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    listed = config.get("exit_conditions")
    for index, one in enumerate(listed if isinstance(listed, list) else []):
        kind, path = (one.get("type"), one.get("path")) if isinstance(one, dict) else (None, None)
        if isinstance(kind, str) and kind in _ROOTS and isinstance(path, str) and path:
            yield f".exit_conditions[{index}].path", f"{_ROOTS[kind]}.{path}"


def _limit(config: Mapping[str, Any]) -> int | None:
    most = config.get("max_iterations", 10)
    open_ended = config.get("loop_type", "conditional") != "count"
    return most if open_ended and isinstance(most, int) else None


def _exit_reason(config: WorkflowLoopControllerConfig, index: int, scope: Scope) -> str | None:
    """Why the loop ends before round `index`; None where it goes on."""
    for place, one in enumerate(config.exit_conditions):
        if _holds(one, f"exit_conditions[{place}].condition", scope):
            return one.reason or "exit_condition"
    if config.loop_type == "count" and index >= (
        config.count if config.count is not None else config.max_iterations
    ):
        return "completed"
    if config.loop_type == "while" and not _condition(str(config.while_condition), "while_condition", scope):
        return "completed"
    return "max_iterations" if index >= config.max_iterations else None


def _holds(one: ExitCondition, place: str, scope: Scope) -> bool:
    if one.type == "expression":
        return _condition(str(one.condition), place, scope)
    return bool(value_at(scope.find(_ROOTS[one.type]), one.path) == one.expected_value)


def _condition(source: str, place: str, scope: Scope) -> bool:
    try:
        return compile_condition(source).evaluate(scope)
    except ExpressionError as error:
        raise ConfigError(f"config.{place}: {error.message} in {source!r}", error.hint) from error
