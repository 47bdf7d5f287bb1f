"""The same steps for every item of a list."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import Field

from dag_factory.catalogue import LoopSpec
from oneo.errors import ConfigError, RoundError
from oneo_operators.accumulating import OPERATIONS, Operation, accumulate, value_at
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.flow_runner import Broken, FlowEnd
from oneo_operators.result import NodeResult, Wait
from oneo_operators.rounds import routes_after

# More than any loop runs; `max_iterations` bounds what is run of them.
_MOST = 1_000_000_000


class Accumulator(NodeConfig):
    """One value gathered over all rounds."""

    enabled: bool = Field(default=True, description="Whether to gather anything.")
    initial_value: Any = Field(
        default=None, description="What to begin with; by default what the operation needs."
    )
    operation: Operation = Field(default="append", description="How a round's output is added: " + OPERATIONS)
    path: str | None = Field(
        default=None,
        description="Dotted path of what is added inside the round's output; all of it by default.",
    )


class ForEachConfig(NodeConfig):
    """What to go through, and how."""

    items_source: list[Any] | dict[str, Any] | int = Field(
        description="The items: a list, an object (its items have `key` and `value`), or a number of rounds. "
        "Usually an expression: `{{ nodes.find.records }}`."
    )
    item_variable: str = Field(
        default="item",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="What expressions in the body call the item of their round.",
    )
    max_iterations: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description="At most that many rounds; `remaining_count` says what is left.",
    )
    batch_size: int = Field(
        default=10, ge=1, le=1000, description="Rounds that run at the same time, where they run in parallel."
    )
    parallel_processing: bool = Field(default=False, description="Run a batch of rounds side by side.")
    max_concurrency: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="At most that many rounds of a batch at once; default: all of it.",
    )
    continue_on_error: bool = Field(
        default=False, description="Go on with the next item where a round fails; `errors` tells which did."
    )
    accumulator: Accumulator | None = Field(default=None, description="Gather one value over all rounds.")


@dataclass
class _Progress:
    results: list[Any] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    broken: Broken | None = None


class ForEachOperator(NodeOperator):
    """Runs its body once for each item."""

    type: ClassVar[str] = "for_each"
    category: ClassVar[str] = "control_flow"
    description: ClassVar[str] = (
        "Runs the nodes of its body once for each item of a list. An edge with `loop` leads into the body, one with "
        "`loop_back` back from its end, one with `loop_complete` on to what follows. A round sees `loop.index` (from "
        "0), `loop.number`, `loop.count`, `loop.first`, `loop.last`, and the item; it sees nothing of other rounds."
    )
    Config = ForEachConfig
    ui_color = "#fef9c3"

    @classmethod
    def loop(cls, config: Mapping[str, Any]) -> LoopSpec | None:
        """Every round begins afresh."""
        item = config.get("item_variable", "item")
        return LoopSpec(carries=False, item=item if isinstance(item, str) else None)

    async def run(self, config: ForEachConfig, context: NodeContext) -> NodeResult | Wait:
        """Run the rounds; where a node in them waits, those side by side with it go on as far as they can.

        Raises:
            RoundError: A round failed, and the rest is not wanted then.
        """
        items = _items(config.items_source)
        chosen = items[: config.max_iterations]
        progress = _Progress()
        width = config.batch_size if config.parallel_processing else 1
        limit = asyncio.Semaphore(config.max_concurrency or width)
        for start in range(0, len(chosen), width):
            batch = range(start, min(start + width, len(chosen)))
            if width == 1:
                rounds = [await _round(start, chosen, len(items), config, context)]
            else:
                rounds = await _batch(batch, chosen, len(items), config, context, limit)
            waits = [ended.until for ended in rounds if ended.until is not None]
            if waits:
                return Wait(min(waits))
            _note(rounds, batch, chosen, config, progress, context.node_id)
            if progress.broken:
                break
        done = len(progress.results)
        output: dict[str, Any] = {
            "results": progress.results,
            "processed_count": done,
            "success_count": done - len(progress.errors),
            "failed_count": len(progress.errors),
            "errors": progress.errors,
            "remaining_count": len(items) - done,
            "exit_reason": _reason(progress, done, items),
        }
        if config.accumulator is not None and config.accumulator.enabled:
            output["accumulated"] = _accumulated(config.accumulator, progress)
        return NodeResult(output, routes=routes_after(progress.broken, context.node_id, output))


def _items(source: list[Any] | dict[str, Any] | int) -> Sequence[Any]:
    if isinstance(source, int):
        if not 0 <= source <= _MOST:
            raise ConfigError(
                f"config.items_source: {source} rounds are not possible", f"give 0 to {_MOST:,}"
            )
        return range(source)
    if isinstance(source, dict):
        return [{"key": key, "value": value} for key, value in source.items()]
    return source


async def _round(
    index: int, chosen: Sequence[Any], count: int, config: ForEachConfig, context: NodeContext
) -> FlowEnd:
    item = chosen[index]
    if context.rounds is None:
        return FlowEnd(item)
    outer = context.scope.names.get("loop")
    loop = {
        "index": index,
        "number": index + 1,
        "count": count,
        "first": index == 0,
        "last": index == len(chosen) - 1,
        "item": item,
        "parent": outer,
    }
    return await context.rounds.run(index, {config.item_variable: item, "loop": loop})


async def _batch(
    batch: range,
    chosen: Sequence[Any],
    count: int,
    config: ForEachConfig,
    context: NodeContext,
    limit: asyncio.Semaphore,
) -> list[FlowEnd]:
    async def limited(index: int) -> FlowEnd:
        async with limit:
            return await _round(index, chosen, count, config, context)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(limited(index)) for index in batch]
    except ExceptionGroup as failures:
        # The first stopped the others.
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def _note(
    rounds: Sequence[FlowEnd],
    batch: range,
    chosen: Sequence[Any],
    config: ForEachConfig,
    progress: _Progress,
    loop: str,
) -> None:
    for index, ended in zip(batch, rounds, strict=True):
        progress.results.append(ended.output if ended.failure is None else None)
        if ended.failure is not None:
            if not config.continue_on_error:
                raise RoundError(loop, index, ended.failure.node, ended.failure.error)
            found = {"node": ended.failure.node, **ended.failure.error.as_json()}
            progress.errors.append({"index": index, "item": chosen[index], "error": found})
        if ended.broken is not None and progress.broken is None:
            progress.broken = ended.broken


def _reason(progress: _Progress, done: int, items: Sequence[Any]) -> str:
    if progress.broken is not None:
        return progress.broken.reason
    return "completed" if done == len(items) else "max_iterations"


def _accumulated(accumulator: Accumulator, progress: _Progress) -> Any:
    failed = {error["index"] for error in progress.errors}
    values = [
        value_at(result, accumulator.path)
        for index, result in enumerate(progress.results)
        if index not in failed
    ]
    return accumulate(accumulator.operation, accumulator.initial_value, values)
