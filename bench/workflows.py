"""The definitions that are measured."""

from __future__ import annotations

from typing import Any


def six_nodes(workflow_id: str = "six") -> dict[str, Any]:
    """A workflow of six nodes that does real work: create, update, find, decide, notify."""
    return {
        "id": workflow_id,
        "name": f"Six nodes {workflow_id}",
        "nodes": [
            {"id": "start", "type": "trigger_manual"},
            {
                "id": "create",
                "type": "create_record",
                "config": {
                    "pipeline_id": "contacts",
                    "record_data": {"name": "Ann {{ now }}", "email": "{{ execution.id }}@example.com"},
                },
            },
            {
                "id": "update",
                "type": "update_record",
                "config": {
                    "record_id": "{{ context.created_record_id }}",
                    "increment_fields": {"touch_count": 1},
                },
            },
            {
                "id": "find",
                "type": "find_records",
                "config": {"pipeline_id": "contacts", "filters": {"email": "{{ execution.id }}@example.com"}},
            },
            {
                "id": "route",
                "type": "condition",
                "config": {
                    "conditions": [
                        {"if": "{{ nodes.find.count }} > 0", "then": "tell", "label": "known"},
                        {"else": "tell", "label": "new"},
                    ]
                },
            },
            {
                "id": "tell",
                "type": "task_notify",
                "config": {
                    "recipients": ["desk@example.com"],
                    "title": "{{ nodes.find.count }} found",
                    "message": "done",
                },
            },
        ],
        "edges": [
            {"source": "start", "target": "create"},
            {"source": "create", "target": "update"},
            {"source": "update", "target": "find"},
            {"source": "find", "target": "route"},
        ],
    }
