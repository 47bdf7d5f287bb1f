"""Names that node types have had elsewhere, and names in examples that stand for no type at all."""

from __future__ import annotations

from typing import Final

ALIASES: Final = {
    "trigger": "trigger_manual",
    "manual_trigger": "trigger_manual",
    "trigger_schedule": "trigger_scheduled",
    "trigger_field_changed": "trigger_record_updated",
    "split": "parallel",
    "merge": "parallel",
    "record_create": "create_record",
    "record_update": "update_record",
    "record_find": "find_records",
    "record_delete": "delete_record",
    "email": "unipile_send_email",
    "send_email": "unipile_send_email",
    "linkedin": "unipile_send_linkedin",
    "whatsapp": "unipile_send_whatsapp",
    "sms": "unipile_send_sms",
    "message_sync": "unipile_sync_messages",
    "communication_logging": "log_communication",
    "communication_analysis": "analyze_communication",
    "contact_resolve": "resolve_contact",
    "contact_status_update": "update_contact_status",
    "task_notification": "task_notify",
    "wait": "wait_delay",
    "delay": "wait_delay",
    "http": "http_request",
    "webhook": "webhook_out",
    "subworkflow": "sub_workflow",
}

_CHAIN: Final = (
    "put the nodes that do the work in its place, such as update_record, create_follow_up_task or task_notify"
)
_ON_ERROR: Final = 'lead an edge with "condition": "error" from the node that may fail'

# Stand-ins in examples of patterns: the author has to say what is to be done.
STAND_INS: Final = {
    "path_a": _CHAIN,
    "path_b": _CHAIN,
    "path_c": _CHAIN,
    "high_value_flow": _CHAIN,
    "standard_flow": _CHAIN,
    "process_record": "put the nodes that work on one record in its place, such as update_record or http_request; "
    "in the body of a for_each they read it as {{ item }}",
    "aggregate_results": "use merge_data to combine outputs, or read them as {{ nodes.ID }} where they are needed; "
    "behind a for_each, {{ nodes.ID.results }} lists what its rounds gave",
    "error_handler": f"{_ON_ERROR} to a node that handles it, such as task_notify",
    "retry_logic": 'remove it, and write "error_handling": {"retry_count": 3} on the node that may fail',
    "fallback_action": f"{_ON_ERROR} to the node that stands in, such as http_request or create_follow_up_task",
}
