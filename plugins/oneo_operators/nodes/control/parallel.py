"""Side by side, and together again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from dag_factory.catalogue import Place
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.context import NodeContext
from oneo_operators.result import NodeResult


class ParallelConfig(NodeConfig):
    """Which end of the branches this is."""

    mode: Literal["split", "merge"] = Field(
        default="split",
        description="`split`: every node an edge leads to runs, side by side. `merge`: wait for the branches "
        "that lead here and collect their outputs.",
    )


class ParallelOperator(NodeOperator):
    """Split into branches, or merge them."""

    type: ClassVar[str] = "parallel"
    category: ClassVar[str] = "control_flow"
    description: ClassVar[str] = (
        "Starts several branches at once, or waits for them and collects what they gave."
    )
    Config = ParallelConfig
    ui_color = "#fef9c3"

    @classmethod
    def reads(cls, config: Mapping[str, Any], place: Place) -> Iterable[tuple[str, str]]:
        """The ends of the branches, where it merges them; an expression may yet say so."""
        if config.get("mode", "split") != "split":
            for source in place.sources:
                yield ".mode", source

    async def run(self, config: ParallelConfig, context: NodeContext) -> NodeResult:
        """Nothing for `split`; for `merge`, `output.branches` holds the outputs of the nodes that lead here and ran."""
        if config.mode == "split":
            return NodeResult({})
        outputs = {source: context.output_of(source) for source in sorted(context.place.sources)}
        return NodeResult({"branches": {one: given for one, given in outputs.items() if given is not None}})
