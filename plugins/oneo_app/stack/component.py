"""What the supervisor must know about a process, and about the order of things."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from oneo_app.stack.processes import Identity


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One process to keep running.

    Attributes:
        name: Its name, also of its log.
        command: Its command line.
        is_ready: Whether it does its work; given the time it was started, asked again until true.
        environment: Variables on top of the supervisor's own.
        url: Where it answers, if anywhere.
        before_start: Called before every start.
        find_running: A process of an earlier owner that is to be adopted instead of started.
        run_as: Arguments of `subprocess` that change the user.
        stop_rank: Components of a lower rank are stopped before those of a higher one.
        stop_signal: What asks it to end.
        grace: Seconds it may take to end before it is killed.
    """

    name: str
    command: Sequence[str]
    is_ready: Callable[[float], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)
    url: str | None = None
    before_start: Callable[[], None] = _nothing
    find_running: Callable[[], Identity | None] = _nothing
    run_as: Mapping[str, Any] = field(default_factory=dict)
    stop_rank: int = 0
    stop_signal: int = signal.SIGTERM
    grace: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Components started together; when all are ready, one thing is done, then the next stage begins.

    Attributes:
        components: What to start.
        action: What to do then, raising `OneoError` where that fails.
        action_name: Its name in the state.
        timeout: Seconds until the components must be ready, and again for the action.
    """

    components: Sequence[Component] = ()
    action: Callable[[], Awaitable[None]] | None = None
    action_name: str = ""
    timeout: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before a component is started again.

    Attributes:
        first: Seconds before the first restart; each further one waits twice as long.
        longest: At most that many.
        forgiven_after: A component that ran that long begins anew.
        attempts: Ends before being ready that fail the start of the stack.
    """

    first: float = 0.5
    longest: float = 30.0
    forgiven_after: float = 60.0
    attempts: int = 3

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many ends in a row."""
        return float(min(self.longest, self.first * 2 ** min(failures - 1, 16)))
