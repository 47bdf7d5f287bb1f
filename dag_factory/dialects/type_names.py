"""Names of the catalogue's node types, other names of them, and names in examples that stand for no type at all."""

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

_BY_CATEGORY: Final = {
    "trigger": "trigger_manual trigger_record_created trigger_record_updated trigger_record_deleted "
    "trigger_form_submitted trigger_scheduled trigger_webhook trigger_email_received trigger_linkedin_message "
    "trigger_whatsapp_message trigger_date_reached trigger_pipeline_stage_changed trigger_workflow_completed "
    "trigger_condition_met trigger_event",
    "ai": "ai_prompt ai_analysis ai_message_generator ai_response_evaluator ai_conversation_loop ai_classification "
    "ai_task_executor chat_memory translate",
    "data_operation": "create_record update_record find_records delete_record merge_data database_query encrypt "
    "file_save file_transform document_to_text text_transform",
    "control_flow": "condition for_each parallel set_variable workflow_loop_controller workflow_loop_breaker "
    "wait_delay wait_for_response wait_for_record_event wait_for_condition conversation_state",
    "communication": "unipile_send_email unipile_send_linkedin unipile_send_whatsapp unipile_send_sms "
    "unipile_sync_messages log_communication analyze_communication score_engagement",
    "crm": "resolve_contact update_contact_status create_follow_up_task",
    "external_integration": "http_request webhook_out github hubspot google_drive airtable",
    "workflow_management": "sub_workflow reusable_workflow approval human_task schedule_workflow",
    "utility": "task_notify generate_form_link",
}
# Every node type of the catalogue with its category, whether this version has it or not.
CATALOGUED: Final = {name: category for category, names in _BY_CATEGORY.items() for name in names.split()}

_CALL: Final = "meanwhile, http_request can call a service that does it"
_ASK: Final = (
    "meanwhile, create_follow_up_task can ask a person, and a workflow started by hand can go on from there"
)
_WAIT: Final = "meanwhile, put what comes later into a workflow of its own, which a trigger_scheduled starts"
_TELL: Final = "meanwhile, http_request can call a service that sends it, and task_notify can tell colleagues"
_MEANWHILE_BY_CATEGORY: Final = {
    "trigger": "meanwhile, use trigger_manual: `oneo run` and the REST API start such a workflow, from outside too",
    "ai": "meanwhile, http_request can call the service of a model",
    "control_flow": _WAIT,
    "crm": "meanwhile, update_record can set the fields",
    "workflow_management": _ASK,
}
_MEANWHILE: Final = {
    "delete_record": "meanwhile, update_record can give the record a stage of its own, such as deleted",
    "text_transform": "meanwhile, expressions can work on texts: {{ record.name | trim | lower }}",
    "conversation_state": "meanwhile, update_record can keep the state in a record",
    "unipile_send_email": _TELL,
    "unipile_send_sms": _TELL,
    "log_communication": "meanwhile, create_record can keep what was said in a pipeline of its own",
    "schedule_workflow": _WAIT,
}


def meanwhile(type_name: str) -> str:
    """What to use as long as there is no such node type; of the names in `CATALOGUED`."""
    general = _MEANWHILE_BY_CATEGORY.get(CATALOGUED[type_name], _CALL)
    return _MEANWHILE.get(type_name, general)
