"""Actions and triggers of the steps dialect, as node types with their options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Action:
    """How an action is written here.

    Attributes:
        type: The node type.
        options: Our names of its parameters; all others keep theirs, in snake_case.
        lists: Options that are lists here and may be single values there.
    """

    type: str
    options: dict[str, str] = field(default_factory=dict)
    lists: frozenset[str] = frozenset()


_RECORD: Final = {"pipeline": "pipeline_id", "entity": "pipeline_id", "recordType": "pipeline_id"}
_TASK: Final = {"assignee": "assigned_to", "type": "task_type", "recordId": "related_record"}

ACTIONS: Final = {
    "send_email": Action(
        "unipile_send_email", {"recipient": "to", "content": "body"}, frozenset({"to", "cc", "bcc"})
    ),
    "create_record": Action("create_record", {**_RECORD, "data": "record_data", "fields": "record_data"}),
    "update_record": Action(
        "update_record",
        {
            **_RECORD,
            "id": "record_id",
            "data": "update_fields",
            "fields": "update_fields",
            "updates": "update_fields",
        },
    ),
    "call_api": Action(
        "http_request", {"endpoint": "url", "data": "body", "payload": "body", "timeout": "timeout_seconds"}
    ),
    "set_variable": Action("set_variable", {"variable": "name", "variableName": "name"}),
    "create_task": Action("create_follow_up_task", _TASK),
}
HUMAN_TASK: Final = Action("human_task", {"assignee": "assigned_to"})
DELAY: Final = Action("wait_delay", {"duration": "delay_seconds"})

TRIGGERS: Final = {
    "manual": Action("trigger_manual"),
    "scheduled": Action(
        "trigger_scheduled",
        {"cron": "cron_expression", "schedule": "cron_expression", "cronExpression": "cron_expression"},
    ),
    "event": Action("trigger_event"),
    "webhook": Action("trigger_webhook", {"url": "webhook_url", "secret": "secret_key"}),
}
# Events that the record store itself makes.
RECORD_EVENTS: Final = {
    name: Action(
        f"trigger_{name}",
        {"pipeline": "pipeline_ids", "pipelineId": "pipeline_ids"},
        frozenset({"pipeline_ids"}),
    )
    for name in ("record_created", "record_updated", "record_deleted")
}

_RELATIVE: Final = re.compile(
    r"\s*([+-]\s*\d{1,6})\s*(minute|hour|day|week|month|year|business day)s?\s*", re.IGNORECASE
)


def options(action: Action, parameters: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(our name, name there, value) of each parameter; where two of them have one name here, the first counts."""
    taken = set()
    for name, value in parameters.items():
        ours = action.options.get(name) or snake_case(name)
        if ours in taken:
            continue
        taken.add(ours)
        yield ours, name, [value] if ours in action.lists and isinstance(value, str) else value


def snake_case(name: str) -> str:
    """`formFields` as `form_fields`; names without capitals stay as they are."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1].lower(), name)


def relative_date(value: Any) -> str | None:
    """`+2 days` as an expression; None for everything else."""
    match = _RELATIVE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    unit = match[2].lower().replace(" ", "_")
    return f"{{{{ date.add_{unit}s({int(match[1].replace(' ', ''))}) }}}}"
