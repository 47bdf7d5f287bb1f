"""What a trigger says about an event. Plain values: a trigger decides, the dispatcher acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Refuses:
    """The workflow does not start; the reason names the condition that decided."""

    reason: str


@dataclass(frozen=True)
class Arms:
    """The trigger wants to be asked again when a moment has come; it replaces an earlier one of the same key.

    A moment of a key comes once: one that has come before is not waited for again.

    Attributes:
        latest: Of two moments the later one stays.
    """

    key: str
    due: datetime
    latest: bool = False


@dataclass(frozen=True)
class Disarms:
    """The moment that the trigger waited for will not come any more."""

    key: str
    reason: str


@dataclass(frozen=True)
class Answer:
    """What whoever brought the event about is told at once; it is queued for the channel's sender.

    Attributes:
        channel: E.g. `whatsapp`.
        recipient: To whom, in the channel's words: for `whatsapp` the chat.
        message: What.
        answers: The id of what it answers: that is answered once, by whichever workflow is the first.
    """

    channel: str
    recipient: str
    message: str
    answers: str


@dataclass(frozen=True)
class Starts:
    """The workflow starts.

    Attributes:
        data: What its execution gets to know; None for the event's own `trigger_data`.
        delay_seconds: How long after the event it starts.
        then: What the trigger waits for from now on.
        archives: Whether the history of the record, which was deleted softly, is to keep it as it was.
        answer: What is told at once, where anything is.
    """

    data: Mapping[str, Any] | None = None
    delay_seconds: float = 0
    then: tuple[Arms | Disarms, ...] = ()
    archives: bool = False
    answer: Answer | None = None


@dataclass(frozen=True)
class Gathers:
    """The event is kept for an execution that it starts together with others of the same key.

    Attributes:
        key: What belongs together, e.g. a record's id; empty for all events of the trigger.
        quiet_seconds: They start their execution once none has come for that long.
        within_seconds: They start it that long after the first at the latest.
        size: They start it when they are that many.
        part: Which of `all_of` this event is.
        all_of: They start it as soon as one of each has come, and not at all where one has not come in time.
        archives: As of `Starts`.
    """

    key: str = ""
    quiet_seconds: float | None = None
    within_seconds: float = 86_400
    size: int = 1000
    part: str = ""
    all_of: tuple[str, ...] = ()
    archives: bool = False


@dataclass(frozen=True)
class Several:
    """Several moments to wait for, or not any more."""

    parts: tuple[Arms | Disarms, ...]


Verdict = Refuses | Starts | Gathers | Arms | Disarms | Several
