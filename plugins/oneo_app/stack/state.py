"""What the supervisor writes down about the stack, for every other process."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from oneo_app.stack.files import read_json, write_atomically
from oneo_app.stack.layout import Layout
from oneo_app.stack.processes import Identity

Phase = Literal["starting", "ready", "degraded", "stopping", "failed"]
Condition = Literal["waiting", "starting", "ready", "restarting", "stopped", "failed"]


class ComponentState(BaseModel):
    """One supervised process.

    Attributes:
        pid: Its process number while it runs; it leads the session of that number.
        created: When that process was created.
        detail: Why it is not ready, where that is known.
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    state: Condition = "waiting"
    pid: int | None = None
    created: float = 0.0
    restarts: int = 0
    url: str | None = None
    log: str | None = None
    ready_seconds: float | None = None
    detail: str | None = None

    @property
    def identity(self) -> Identity | None:
        """The process, to be checked before anything is sent to it."""
        return Identity(self.pid, self.created) if self.pid else None


class StepState(BaseModel):
    """Something done once on the way up."""

    name: str
    state: Literal["waiting", "running", "done", "failed"] = "waiting"
    seconds: float | None = None


class Failure(BaseModel):
    """Why the stack did not come up."""

    component: str
    message: str
    log: str | None = None
    last_lines: list[str] = Field(default_factory=list)


class StackState(BaseModel):
    """The whole stack."""

    phase: Phase = "starting"
    supervisor: int
    supervisor_created: float
    started_at: float
    ready_seconds: float | None = None
    ui: str | None = None
    ports: dict[str, int] = Field(default_factory=dict)
    notes: list[str] = Field(default_factory=list)
    components: list[ComponentState] = Field(default_factory=list)
    steps: list[StepState] = Field(default_factory=list)
    failure: Failure | None = None

    @property
    def supervisor_alive(self) -> bool:
        """Whether the process that wrote this still runs."""
        return Identity(self.supervisor, self.supervisor_created).is_alive()

    def component(self, name: str) -> ComponentState:
        """One component by name."""
        return next(component for component in self.components if component.name == name)

    def step(self, name: str) -> StepState:
        """One step by name."""
        return next(step for step in self.steps if step.name == name)

    def write(self, layout: Layout) -> None:
        """Write it where `read` finds it."""
        write_atomically(layout.state_file, self.model_dump_json(indent=2))


def read(layout: Layout) -> StackState | None:
    """The last state written, whether or not its writer still lives."""
    content = read_json(layout.state_file)
    return StackState.model_validate(content) if content is not None else None


def running(layout: Layout) -> StackState | None:
    """The state of a stack that runs now, or None."""
    state = read(layout)
    return state if state is not None and state.supervisor_alive else None
