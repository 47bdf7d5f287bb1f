"""A hand-written DAG asks people, and waits for what they decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from oneo.approvals import APPROVE_OR_REJECT, ApprovalRequest
from oneo.errors import UserError
from oneo.settings import settings
from oneo.suggest import did_you_mean

if TYPE_CHECKING:
    from airflow.sdk import Context


class ApprovalSensor(BaseSensorOperator):
    """Asks people and waits until one of them decides; hands on `decision`, `comment` and `decided_by`.

    `ApprovalSensor(task_id="discount", title="20 % for {{ variables.customer }}?", assignees=["role:manager"])`

    It asks once for each run of the DAG: a task that is tried again, or cleared, finds what it asked before.
    Expressions see the run's params as `variables` and `trigger`.

    Args:
        title: What is to be decided, in a line.
        assignees: Who may decide: names of people, or `role:` with a type of users (ONEO_USER_TYPES).
        description: What they should know.
        options: What they choose from, each with `id` and `label`; default: approve or reject.
        comment_required: Whether they must say why.
        record_id: The record it is about.
        default: The option that counts where nobody decides within `timeout`; default: none, the task fails.
        tenant: Whose approval; default: `ONEO_TENANT`.
        **kwargs: Arguments of Airflow's sensors, such as `timeout` and `soft_fail`.

    Raises:
        UserError: It cannot be asked; everything that is wrong is named.
    """

    # Airflow's own templating stays off: data that looks like a template must stay data.
    template_fields: Sequence[str] = ()
    ui_color = "#fef9c3"

    def __init__(
        self,
        *,
        title: str,
        assignees: Sequence[str],
        description: str = "",
        options: Sequence[dict[str, str]] = APPROVE_OR_REJECT,
        comment_required: bool = False,
        record_id: str | None = None,
        default: str | None = None,
        tenant: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.title = title
        self.assignees = assignees
        self.description = description
        self.options = options
        self.comment_required = comment_required
        self.record_id = record_id
        self.default = default
        self.tenant = tenant
        ApprovalRequest(title, assignees, description, options).check()
        choices = [one["id"] for one in options]
        if default is not None and default not in choices:
            raise UserError(f"default: {default!r} is none of the options", did_you_mean(default, choices))

    def execute(self, context: Context) -> Any:
        """Ask, unless it has been asked before, and leave the wait to the triggerer.

        Raises:
            NotFoundError: There is no such tenant.
            UserError: What the expressions gave cannot be asked.
        """
        from oneo.database import database, plain_json  # noqa: PLC0415 - the store is needed in tasks only
        from oneo.store import approvals, tenants  # noqa: PLC0415
        from oneo_operators.triggers_approval import ApprovalTrigger  # noqa: PLC0415

        tenant_id = tenants.check_id(self.tenant or settings().tenant)
        wanted = self._request(context, tenant_id)
        with database().tenant(tenant_id) as session:
            tenants.get(session, tenant_id)
            row = approvals.request(session, tenant_id, wanted, key=_key(context), node_id=self.task_id)
            asked = plain_json(approvals.view(row))
        if asked["status"] == "pending":
            self.log.info("approval %s waits for %s", asked["approval_id"], ", ".join(asked["assignees"]))
            self.defer(
                trigger=ApprovalTrigger(tenant_id, asked["approval_id"]), method_name="execute_complete"
            )
        return self.execute_complete(context, asked)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """What the task hands on: what was decided.

        Raises:
            AirflowFailException: Nobody decided in time and there is no default, or the approval was cancelled.
            AirflowSkipException: The same, where failures are to be skipped.
        """
        if event["status"] == "decided":
            return {name: event[name] for name in ("decision", "comment", "decided_by")}
        if event["status"] == "expired" and self.default is not None:
            return {"decision": self.default, "comment": None, "decided_by": None}
        ended = {"expired": "nobody has decided in time", "cancelled": "it was cancelled"}
        reason = ended.get(event["status"], "it is no longer there")
        # Trying again would find it as it has ended.
        kind = AirflowSkipException if self.soft_fail or self.never_fail else AirflowFailException
        raise kind(f"approval {event['approval_id']}: {reason}")

    def _request(self, context: Context, tenant_id: str) -> ApprovalRequest:
        from oneo.expressions import resolve  # noqa: PLC0415 - see above
        from oneo_operators.airflow_task import begun_at, scope_alone  # noqa: PLC0415
        from oneo_operators.airflow_vault import AirflowVault  # noqa: PLC0415
        from oneo_operators.redact import redact  # noqa: PLC0415

        scope = scope_alone(context, self.task_id, tenant_id, AirflowVault(), begun_at(context))
        written = {
            "title": self.title,
            "assignees": list(self.assignees),
            "description": self.description,
            "options": list(self.options),
            "record_id": self.record_id,
        }
        given = redact(resolve(written, scope), scope.revealed)
        return ApprovalRequest(
            title=_text(given["title"]),
            assignees=[one for one in map(_text, given["assignees"]) if one],
            description=_text(given["description"]),
            options=given["options"],
            comment_required=self.comment_required,
            record_id=_uuid(given["record_id"]),
            expires_at=datetime.now(UTC) + timedelta(seconds=self.timeout),
        )


def _key(context: Context) -> str:
    """What the task calls its approval: the same at each try."""
    task: Any = context["ti"]
    parts = ("dag", task.dag_id, task.run_id, task.task_id)
    return "/".join(parts if task.map_index < 0 else (*parts, str(task.map_index)))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value)) if value else None
    except ValueError:
        raise UserError(f"record_id: {value!r} is no record id", "give the id of a record") from None
