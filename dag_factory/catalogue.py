"""What the factory needs to know of node types; the classes themselves live a layer above."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from pydantic import BaseModel

from oneo.events import Event
from oneo.filters import Clause
from oneo.verdicts import Verdict

if TYPE_CHECKING:
    from dag_factory.binding import Binding, Published

Effect = Literal["pure", "store", "external"]


@dataclass(frozen=True)
class Branch:
    """One way out of a branching node.

    Attributes:
        key: What the node's result names when it goes this way.
        names: What an edge's `condition` may call it: its label, its target.
        target: The node it leads to, where the node's config says so.
        path: JSON path of the branch inside the config, e.g. `.conditions[0]`.
    """

    key: str
    names: tuple[str, ...]
    target: str | None
    path: str


@dataclass(frozen=True)
class Retry:
    """How often and when a failed attempt is repeated.

    Attributes:
        count: Attempts after the first.
        delay_seconds: Before the first retry.
        exponential: Whether the delay doubles each time.
    """

    count: int = 2
    delay_seconds: float = 1.0
    exponential: bool = True


@dataclass(frozen=True)
class Schedule:
    """When Airflow itself starts the workflow: at the times of each expression."""

    crons: tuple[str, ...]
    timezone: str
    max_active_runs: int | None = None
    catchup: bool = False


@dataclass(frozen=True)
class Watch:
    """Which events a trigger looks at.

    Attributes:
        kinds: Kinds of events, see `oneo.events.Event`.
        topics: Which of them: pipelines for changes of records; `*` for all.
        existing: Whether it wants to be shown the records that were there before it, as `seen`.
    """

    kinds: tuple[str, ...]
    topics: tuple[str, ...] = ("*",)
    existing: bool = False


@dataclass(frozen=True)
class LoopSpec:
    """What a loop node's config says about its loop.

    Attributes:
        carries: Whether a round sees what the one before left, and what follows the loop sees what the last one left.
        names: What the loop answers to beside its node id, for breakers.
        body_target: Where the body begins, where the config says so: a node, or an edge's condition.
        exit_target: Where the loop leads once it has ended, likewise.
        body_at: JSON path inside the config of where it says so.
        exit_at: Likewise.
        item: What expressions in the body call the item of their round, where there is one.
        looks_at: (JSON path inside the config, dotted path such as `variables.n`) of what it looks at between rounds
            beside its conditions.
        limit: The number of rounds after which it ends if nothing else ends it; None where their number is meant.
    """

    carries: bool
    names: tuple[str, ...] = ()
    body_target: str | None = None
    exit_target: str | None = None
    body_at: str = ""
    exit_at: str = ""
    item: str | None = None
    looks_at: tuple[tuple[str, str], ...] = ()
    limit: int | None = None


@dataclass(frozen=True)
class Call:
    """Which workflow a node calls, as far as its config says so before it runs.

    Attributes:
        version: None for the newest.
        inputs: What its variables are given; None where it takes what comes.
    """

    workflow_id: str
    version: int | None = None
    inputs: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Question:
    """What a person is asked before a workflow starts.

    Attributes:
        label: The button's text.
    """

    text: str
    label: str


@dataclass(frozen=True)
class Starter:
    """Who starts a workflow by hand.

    Attributes:
        user: Their name; None where nobody knows it.
        types: What they are, as the settings say.
        confirmed: Whether they have answered the trigger's question with yes.
    """

    user: str | None = None
    types: frozenset[str] = frozenset()
    confirmed: bool = False


@dataclass(frozen=True)
class RetryOverride:
    """Parts of the error handling that a node's own config decides; None leaves a part as it is.

    Attributes:
        count: Attempts after the first, as the config says.
        safe_count: Attempts after the first where nothing on the node itself asks for any: the workflow's default does
            not, since repeating this node may do harm.
    """

    count: int | None = None
    safe_count: int | None = None
    delay_seconds: float | None = None
    exponential: bool | None = None
    on_error: Literal["fail", "continue"] | None = None


@dataclass(frozen=True)
class Place:
    """Where a node stands in its workflow.

    Attributes:
        sources: Ids of the nodes that an edge leads from to here.
        before: Ids of all nodes that may run before it, in topological order.
        types: Node type by id, of the whole workflow.
    """

    sources: Sequence[str] = ()
    before: Sequence[str] = ()
    types: Mapping[str, str] = field(default_factory=dict)


class NodeType(Protocol):
    """A node type, as the class attributes of its operator.

    `is_missing` says that this version only knows its name: no run gets past such a node. `waits` says that it may go
    to rest until something has happened, and be run anew then.
    """

    type: ClassVar[str]
    category: ClassVar[str]
    description: ClassVar[str]
    effect: ClassVar[Effect]
    is_trigger: ClassVar[bool]
    is_missing: ClassVar[bool]
    waits: ClassVar[bool]
    default_retry: ClassVar[Retry]
    Config: ClassVar[builtins.type[BaseModel]]

    @classmethod
    def bound(cls, binding: Binding) -> Any:
        """The Airflow operator of one node of a workflow."""

    @classmethod
    def raw_fields(cls) -> frozenset[str]:
        """Config fields that are not rendered before the node runs (it evaluates them itself)."""

    @classmethod
    def conditions(cls, config: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """(JSON path inside the config, source) of every condition expression."""

    @classmethod
    def reads(cls, config: Mapping[str, Any], place: Place) -> Iterable[tuple[str, str]]:
        """(JSON path inside the config, node id) of every output it reads without an expression."""

    @classmethod
    def defines(cls, config: Mapping[str, Any]) -> Iterable[str]:
        """Names of the variables it sets for the nodes after it."""

    @classmethod
    def branches(cls, config: Mapping[str, Any]) -> Sequence[Branch]:
        """The ways out of a branching node; empty for all others."""

    @classmethod
    def loop(cls, config: Mapping[str, Any]) -> LoopSpec | None:
        """For loop nodes: what the config says about the loop."""

    @classmethod
    def breaks(cls, config: Mapping[str, Any]) -> str | None:
        """For loop breakers: what they call the loop they end; empty for the innermost around them."""

    @classmethod
    def cautions(cls, config: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
        """(JSON path inside the config, what, hint) of everything that is allowed but may not be meant."""

    @classmethod
    def calls(cls, config: Mapping[str, Any]) -> Call | None:
        """For nodes that run another workflow: which, unless an expression says it."""

    @classmethod
    def retry_override(cls, config: Mapping[str, Any]) -> RetryOverride:
        """What the config says about retries and errors."""

    @classmethod
    def schedule(cls, config: Mapping[str, Any]) -> Schedule | None:
        """For clock triggers: when to start."""

    @classmethod
    def question(cls, config: Mapping[str, Any]) -> Question | None:
        """For triggers by hand: what is asked before the workflow starts."""

    @classmethod
    def admit(cls, config: Mapping[str, Any], starter: Starter) -> None:
        """For triggers by hand: nothing where this person may start the workflow.

        Raises:
            NodeError: They may not; the message says what is missing.
        """

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch | None:
        """For triggers that events start: which of them to look at."""

    @classmethod
    def requires(cls, options: Any) -> Sequence[Clause]:
        """For triggers that events start: conditions on an event's `facts` without which `consider` only refuses."""

    @classmethod
    def consider(cls, options: Any, event: Event) -> Verdict:
        """For triggers that events start: what follows from an event that they look at.

        `options` is an instance of `Config`. No I/O and no clock in here.
        """

    @classmethod
    def combined(cls, options: Any, events: Sequence[Event]) -> dict[str, Any]:
        """For triggers that gather events: what the execution of several gets to know, oldest first."""


class Catalogue(Protocol):
    """Every known node type."""

    def get(self, type_name: str) -> type[NodeType] | None:
        """The type of that name, what stands in where this version only knows the name, or None."""

    def types(self) -> Sequence[str]:
        """The names of all types this version has, sorted."""

    def whole(self, published: Published) -> Any:
        """The Airflow operator that runs a whole workflow."""

    @property
    def broken(self) -> Mapping[str, BrokenNodeType]:
        """Types that could not be loaded, as far as they were asked for."""


@dataclass(frozen=True)
class BrokenNodeType:
    """A module or entry point that could not be loaded; it never takes the others down."""

    source: str
    error: str
    hint: str = field(default="fix or uninstall it; the other node types are not affected")
