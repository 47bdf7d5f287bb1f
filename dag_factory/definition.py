"""The canonical workflow definition: what every dialect is read into and the rest of the system knows."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

# Also the charset of Airflow's task and DAG ids, less the dot, which names gates between tasks.
NodeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
WorkflowId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,149}$")]
# Airflow's limit.
Tag = Annotated[str, StringConstraints(min_length=1, max_length=100)]
VariableName = Annotated[str, StringConstraints(min_length=1, max_length=100)]

JsonType = Literal["string", "number", "integer", "boolean", "array", "object"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ErrorHandling(_Part):
    """What happens when a node fails; on the workflow it is the default of all its nodes."""

    retry_count: int | None = Field(
        default=None,
        ge=0,
        le=20,
        description="Attempts after the first. Default: 2, or as the node type says.",
    )
    retry_delay: int | None = Field(
        default=None, ge=0, le=86_400_000, description="Milliseconds before the first retry. Default: 1000."
    )
    retry_backoff: Literal["fixed", "exponential"] | None = Field(
        default=None, description="Whether the delay doubles with each retry. Default: exponential."
    )
    on_error: Literal["fail", "continue", "retry", "route"] | None = Field(
        default=None,
        description="After the last attempt: `fail` the execution, or `continue` as if the node had no output. "
        "`retry` is `fail` after at least one retry. `route` says that the failure is handled: by `fallback_node`, or "
        "by an outgoing edge with condition `error`; either takes precedence over the rest.",
    )
    fallback_node: NodeId | None = Field(
        default=None,
        description="Node that handles the failure, as if an edge with condition `error` led there. On nodes only.",
    )


class Node(_Part):
    """One step of a workflow."""

    id: NodeId = Field(description="Unique within the workflow: letters, digits, `_` and `-`.")
    type: str = Field(description="A node type; `oneo nodes` lists them.")
    name: str | None = Field(default=None, max_length=200, description="Shown to people instead of the id.")
    config: dict[str, Any] = Field(default_factory=dict, description="Options of the node type.")
    error_handling: ErrorHandling | None = Field(default=None, description="Overrides the workflow's.")
    position: dict[str, float] | None = Field(default=None, description="Where the canvas draws the node.")


class Edge(_Part):
    """The target runs after the source."""

    source: NodeId = Field(description="Id of the node it leads from.")
    target: NodeId = Field(description="Id of the node it leads to.")
    condition: str | None = Field(
        default=None,
        description="A branch of a condition node (its label, or the node it leads to), or `error`.",
    )
    parallel: bool = Field(default=False, description="Drawn as parallel; edges from one node always are.")
    loop: bool = Field(default=False, description="Leads into a loop's body.")
    loop_back: bool = Field(default=False, description="Leads from a loop's body back to the loop.")
    loop_complete: bool = Field(default=False, description="Is taken once the loop is done.")


class Variable(_Part):
    """A named input of the workflow; manual runs ask for it in a form."""

    type: JsonType | None = Field(default=None, description="JSON type; any where not given.")
    default: Any = Field(default=None, description="Value where a run gives none.")
    required: bool = Field(default=False, description="A manual run must give it.")
    title: str | None = None
    description: str | None = None
    enum: list[Any] | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    format: str | None = None


class Output(_Part):
    """A named result of the workflow, made once its nodes have ended."""

    value: Any = Field(
        description="Usually an expression: it reads outputs of nodes, variables, context and trigger data."
    )
    type: JsonType | None = Field(default=None, description="JSON type; any where not given.")
    description: str | None = None


def _is_variable(spec: Any) -> bool:
    """Whether an object describes a variable; any other object is the default value itself."""
    if not isinstance(spec, dict) or not spec:
        return False
    known_type = isinstance(spec.get("type"), str) and spec["type"] in get_args(JsonType)
    return "default" in spec or known_type or spec.keys() <= Variable.model_fields.keys()


class StartPolicy(_Part):
    """Which of the events that fit a trigger start the workflow, and when.

    Whom a person or a node starts by name is never turned away, but waits like all others and counts with them.
    """

    max_chain_depth: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="How many executions may lead to one another through the events they bring about; the next one "
        "does not start. Default: the setting ONEO_MAX_CHAIN_DEPTH.",
    )
    max_executions_per_hour: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="Executions within an hour; `on_limit` says what of the next.",
    )
    on_limit: Literal["queue", "drop", "coalesce"] = Field(
        default="queue",
        description="Above max_executions_per_hour an execution waits (`queue`), is left out (`drop`), or events "
        "become one execution when there is room again (`coalesce`): it gets the newest one's data, `count`, and "
        "`events`, the data of the last 100.",
    )
    overlap: Literal["parallel", "queue", "skip", "cancel_previous"] = Field(
        default="parallel",
        description="While another execution has not ended: run beside it, wait for its end, do not start, or end "
        "it as cancelled.",
    )
    overlap_key: Literal["workflow", "record"] = Field(
        default="workflow", description="Which others count for overlap: all, or those about the same record."
    )
    enrollment: Literal["every_time", "once", "once_until_done"] = Field(
        default="every_time",
        description="How often a record starts the workflow: with each event, once for all, or again only when its "
        "execution has ended.",
    )
    suppression_lists: list[str] = Field(
        default_factory=list,
        description="Lists of `oneo suppress`: who stands on one of them, with address, domain, number or as a "
        "record, does not start the workflow.",
    )


class Settings(_Part):
    """How the workflow runs as a whole."""

    timezone: str | None = Field(
        default=None,
        description="Zone of dates in expressions, e.g. Europe/Berlin. Default: the tenant's, else UTC.",
    )
    max_active_runs: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Executions at the same time, those that wait included. Default: 16, or 1,000 where nodes wait.",
    )
    timeout_minutes: int | None = Field(
        default=None, ge=1, le=527_040, description="An execution older than this fails; at most a year."
    )
    granularity: Literal["node", "fused"] = Field(
        default="node",
        description="`node`: one Airflow task per node. `fused`: one task runs all nodes, much faster.",
    )
    tags: list[Tag] = Field(default_factory=list, description="Shown and searchable in the Airflow UI.")
    error_workflow: WorkflowId | None = Field(
        default=None,
        description="Workflow that runs whenever an execution of this one has failed. Default: the tenant's; `none` "
        "for no workflow at all.",
    )
    start: StartPolicy = Field(
        default_factory=StartPolicy, description="Which events start the workflow, and when."
    )


class Workflow(_Part):
    """A workflow definition in canonical form."""

    id: WorkflowId | None = Field(default=None, description="Default: made from the name.")
    name: str = Field(default="Untitled workflow", min_length=1, max_length=200)
    description: str = Field(default="", max_length=10_000)
    nodes: list[Node] = Field(
        min_length=1,
        max_length=1000,
        description='A list of objects such as `{"id": "tell", "type": "task_notify"}`.',
    )
    edges: list[Edge] | None = Field(
        default=None, max_length=10_000, description="Left out: the nodes run in the listed order."
    )
    variables: dict[VariableName, Variable] = Field(default_factory=dict)
    outputs: dict[VariableName, Output] = Field(
        default_factory=dict,
        description="The execution's output, by name; left out: the output of the last node.",
    )
    settings: Settings = Field(default_factory=Settings)
    error_handling: ErrorHandling = Field(default_factory=ErrorHandling)

    @field_validator("variables", mode="before")
    @classmethod
    def _defaults_alone(cls, value: Any) -> Any:
        """`"limit": 5` is short for `"limit": {"default": 5}`."""
        if not isinstance(value, dict):
            return value
        return {name: spec if _is_variable(spec) else {"default": spec} for name, spec in value.items()}

    @property
    def key(self) -> str:
        """The workflow's id: its own, or its name as one."""
        return self.id or slug(self.name)


def slug(name: str) -> str:
    """A name as an id: `Lead Qualification` becomes `lead_qualification`; empty where nothing in it could be one."""
    words = "".join(char.lower() if char.isascii() and char.isalnum() else " " for char in name).split()
    return "_".join(words)[:150]


def definition_hash(document: Any) -> str:
    """Identity of a document: SHA-256 over its JSON with sorted keys, as 64 hexadecimal digits."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
