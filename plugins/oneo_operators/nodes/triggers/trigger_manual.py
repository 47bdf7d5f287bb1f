"""A person, a program or a command starts the workflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from dag_factory.catalogue import Question, Starter
from dag_factory.variables import CONFIRMED
from oneo.errors import PermanentNodeError
from oneo_operators.base import NodeConfig, TriggerOperator


class TriggerManualConfig(NodeConfig):
    """How the start by hand is offered."""

    require_confirmation: bool = Field(
        default=False,
        description="Ask before the workflow starts: the form of Airflow's UI holds a box to tick, the REST API wants "
        "`oneo_confirmed: true` in the conf, the command asks or takes --yes.",
    )
    confirmation_message: str = Field(default="Execute workflow?", description="The question asked.")
    allowed_user_types: list[str] = Field(
        default_factory=list,
        description="Types of users who may start the workflow, as the setting ONEO_USER_TYPES gives them; empty: "
        "everyone whom Airflow lets trigger its DAG.",
    )
    button_text: str = Field(default="Run Workflow", description="Label of the button.")


class TriggerManualOperator(TriggerOperator):
    """Start by hand, from the UI, the REST API or the command line."""

    type: ClassVar[str] = "trigger_manual"
    description: ClassVar[str] = "Starts the workflow when a person or a program asks for it."
    Config = TriggerManualConfig

    @classmethod
    def question(cls, config: Mapping[str, Any]) -> Question | None:
        """The question asked, where the start has to be confirmed."""
        options = TriggerManualConfig.model_validate(config)
        if not options.require_confirmation:
            return None
        return Question(options.confirmation_message, options.button_text)

    @classmethod
    def admit(cls, config: Mapping[str, Any], starter: Starter) -> None:
        """Nothing where this person may start the workflow.

        Raises:
            PermanentNodeError: They are of no allowed type, or have not confirmed.
        """
        options = TriggerManualConfig.model_validate(config)
        if options.allowed_user_types and not starter.types.intersection(options.allowed_user_types):
            allowed = ", ".join(options.allowed_user_types)
            raise PermanentNodeError(
                f"user {starter.user or 'unknown'!r} may not start this workflow: only {allowed} may",
                "ask one of them, or give the user that type with ONEO_USER_TYPES",
            )
        if options.require_confirmation and not starter.confirmed:
            raise PermanentNodeError(
                f"the start was not confirmed: {options.confirmation_message}",
                f"send `{CONFIRMED}: true` with the run's conf, or say --yes on the command line",
            )
