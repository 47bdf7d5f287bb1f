"""The base of all node types: one class is the Airflow operator and the in-task executable."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from airflow.sdk import BaseOperator
from airflow.sdk.bases.skipmixin import SkipMixin
from pydantic import BaseModel, ConfigDict

from dag_factory.catalogue import (
    Branch,
    Call,
    Effect,
    LoopSpec,
    Place,
    Question,
    Retry,
    RetryOverride,
    Schedule,
    Starter,
    Watch,
)
from oneo.events import Event
from oneo.filters import Clause
from oneo.verdicts import Starts, Verdict
from oneo_operators.context import NodeContext
from oneo_operators.result import NodeResult, Wait
from oneo_operators.retry import NodeRetryPolicy

if TYPE_CHECKING:
    from airflow.sdk import Context

    from dag_factory.binding import Binding


class NodeConfig(BaseModel):
    """Base of all node configs: unknown options are errors, and every option is described."""

    # A number that an expression gave is fine as the text of a title.
    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


class NodeOperator(BaseOperator, SkipMixin):
    """A node type.

    A subclass gives `type`, `category`, `description`, `Config` and `run`; everything else has a default. In a
    rendered workflow it is made by `bound`; in a hand-written DAG its options are plain arguments:
    `HttpRequestOperator(task_id="call", method="GET", url="https://…")`.

    Args:
        config: The node's options as one mapping.
        **kwargs: Options of the node by name, and arguments of Airflow's BaseOperator.
    """

    type: ClassVar[str]
    category: ClassVar[str]
    description: ClassVar[str]
    effect: ClassVar[Effect] = "pure"
    is_trigger: ClassVar[bool] = False
    is_missing: ClassVar[bool] = False
    waits: ClassVar[bool] = False
    default_retry: ClassVar[Retry] = Retry()
    Config: ClassVar[builtins.type[NodeConfig]]

    # Airflow's own templating stays off: data that looks like a template must stay data.
    template_fields: Sequence[str] = ()
    inherits_from_skipmixin = True
    ui_color = "#eef2ff"

    def __init__(self, *, config: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        own = {name: kwargs.pop(name) for name in list(kwargs) if name in self.Config.model_fields}
        super().__init__(**kwargs)
        self.node_config: dict[str, Any] = {**(config or {}), **own}
        self.binding: Binding | None = None

    async def run(self, config: Any, context: NodeContext) -> NodeResult | Wait:
        """Do the node's work. No Airflow in here: the same code runs in a task, in a loop body and in a test.

        Args:
            config: An instance of `Config`, expressions evaluated.
            context: Names, transaction, connections.

        Returns:
            What came of it. A type that `waits` may say instead that it cannot go on yet: it is run anew later.

        Raises:
            NodeError: The attempt failed; the class says whether repeating it may help.
        """
        raise NotImplementedError

    @classmethod
    def bound(cls, binding: Binding) -> Self:
        """The operator of one node of a workflow."""
        node = binding.node
        operator = cls(
            task_id=node.id,
            task_display_name=node.name,
            config=node.config,
            trigger_rule=_trigger_rule(binding),
            retries=node.retry.count,
            retry_delay=timedelta(seconds=node.retry.delay_seconds),
            retry_policy=NodeRetryPolicy(node.retry),
        )
        operator.binding = binding
        return operator

    def execute(self, context: Context) -> Any:
        """Airflow's entry: run the node for this task instance."""
        return self.resume(context)

    def resume(self, context: Context, event: Any = None, began: str | None = None) -> Any:
        """Airflow's entry after a wait, which begins where `execute` does: the node knows what it waited for.

        Args:
            context: Airflow's.
            event: The end of the wait.
            began: When the node began, where it stands in a hand-written DAG.
        """
        from oneo_operators import airflow_task  # noqa: PLC0415 - the store is needed in tasks only

        if self.binding is None:
            return asyncio.run(airflow_task.run_alone(self, context, began))
        return asyncio.run(airflow_task.run_bound(self, self.binding, context))

    @classmethod
    def raw_fields(cls) -> frozenset[str]:
        """Config fields that are not rendered before the node runs (it evaluates them itself)."""
        return frozenset()

    @classmethod
    def conditions(cls, config: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """(JSON path inside the config, source) of every condition expression."""
        return ()

    @classmethod
    def reads(cls, config: Mapping[str, Any], place: Place) -> Iterable[tuple[str, str]]:
        """(JSON path inside the config, node id) of every output it reads without an expression."""
        return ()

    @classmethod
    def defines(cls, config: Mapping[str, Any]) -> Iterable[str]:
        """Names of the variables it sets for the nodes after it."""
        return ()

    @classmethod
    def branches(cls, config: Mapping[str, Any]) -> Sequence[Branch]:
        """The ways out of a branching node; empty for all others."""
        return ()

    @classmethod
    def loop(cls, config: Mapping[str, Any]) -> LoopSpec | None:
        """For loop nodes: what the config says about the loop."""
        return None

    @classmethod
    def breaks(cls, config: Mapping[str, Any]) -> str | None:
        """For loop breakers: what they call the loop they end; empty for the innermost around them."""
        return None

    @classmethod
    def cautions(cls, config: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
        """(JSON path inside the config, what, hint) of everything that is allowed but may not be meant."""
        return ()

    @classmethod
    def calls(cls, config: Mapping[str, Any]) -> Call | None:
        """For nodes that run another workflow: which, unless an expression says it."""
        return None

    @classmethod
    def retry_override(cls, config: Mapping[str, Any]) -> RetryOverride:
        """What the config says about retries and errors."""
        return RetryOverride()

    @classmethod
    def schedule(cls, config: Mapping[str, Any]) -> Schedule | None:
        """For clock triggers: when to start."""
        return None

    @classmethod
    def question(cls, config: Mapping[str, Any]) -> Question | None:
        """For triggers by hand: what is asked before the workflow starts."""
        return None

    @classmethod
    def admit(cls, config: Mapping[str, Any], starter: Starter) -> None:
        """For triggers by hand: nothing where this person may start the workflow.

        Raises:
            NodeError: They may not; the message says what is missing.
        """

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch | None:
        """For triggers that events start: which of them to look at."""
        return None

    @classmethod
    def requires(cls, options: Any) -> Sequence[Clause]:
        """For triggers that events start: conditions on an event's `facts` without which `consider` only refuses.

        The dispatcher does not ask a trigger about events that cannot fit; of several equalities one is enough for it.
        """
        return ()

    @classmethod
    def consider(cls, options: Any, event: Event) -> Verdict:
        """For triggers that events start: what follows from an event that they look at.

        `options` is an instance of `Config`. No I/O and no clock in here.
        """
        return Starts()

    @classmethod
    def combined(cls, options: Any, events: Sequence[Event]) -> dict[str, Any]:
        """For triggers that gather events: what the execution of several gets to know, oldest first."""
        raise NotImplementedError


def _trigger_rule(binding: Binding) -> str:
    """When Airflow starts the node's task."""
    if binding.node.join:
        return "none_failed_min_one_success"
    triggers = binding.plan.triggers
    sources = [edge.source for edge in binding.plan.edges_to(binding.node.id)]
    if len(triggers) == 1 and sources == [triggers[0].id]:
        # A workflow's only trigger always succeeds: waiting to be told so would cost a round of the scheduler.
        return "always"
    return "all_success"


class TriggerOperator(NodeOperator):
    """A node that starts a workflow: its output is the trigger data, and it needs no worker.

    Airflow marks a workflow's only trigger as done without running a process; where there are several, each runs
    to skip what only the others lead to.
    """

    category = "trigger"
    is_trigger = True
    ui_color = "#dcfce7"

    @classmethod
    def bound(cls, binding: Binding) -> Self:
        """The trigger's task."""
        operator = super().bound(binding)
        if len(binding.plan.triggers) == 1:
            operator._is_empty = True
        return operator

    async def run(self, config: Any, context: NodeContext) -> NodeResult:
        """The trigger data."""
        return NodeResult(context.scope.names["trigger"])
