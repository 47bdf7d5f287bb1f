"""The tables as SQLAlchemy models. The migrations are the source; a test compares the two."""

from oneo.store.models.approvals import Approval
from oneo.store.models.base import Base
from oneo.store.models.events import Gathering, HookRefusal, InboxEvent, Metric, RecordEvent, Timer
from oneo.store.models.executions import Execution, ExecutionLog, Notification, Rotation, Task
from oneo.store.models.forms import Form, FormFile, FormLink
from oneo.store.models.mail import MailFile, MailState
from oneo.store.models.records import (
    RECORDS,
    Pipeline,
    Record,
    RecordHistory,
    RecordIndex,
    RecordKey,
    RecordRelation,
    RecordUniqueValue,
)
from oneo.store.models.sources import SourceEffect, SourceReader, SourceRow
from oneo.store.models.tenants import ApiToken, LegalHold, StorageWritten, Tenant
from oneo.store.models.workflows import ActiveTrigger, Suppression, Workflow, WorkflowVersion

__all__ = [
    "RECORDS",
    "ActiveTrigger",
    "ApiToken",
    "Approval",
    "Base",
    "Execution",
    "ExecutionLog",
    "Form",
    "FormFile",
    "FormLink",
    "Gathering",
    "HookRefusal",
    "InboxEvent",
    "LegalHold",
    "MailFile",
    "MailState",
    "Metric",
    "Notification",
    "Pipeline",
    "Record",
    "RecordEvent",
    "RecordHistory",
    "RecordIndex",
    "RecordKey",
    "RecordRelation",
    "RecordUniqueValue",
    "Rotation",
    "SourceEffect",
    "SourceReader",
    "SourceRow",
    "StorageWritten",
    "Suppression",
    "Task",
    "Tenant",
    "Timer",
    "Workflow",
    "WorkflowVersion",
]
