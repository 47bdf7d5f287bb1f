"""A person, a program or a command starts the workflow."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from oneo_operators.base import NodeConfig, TriggerOperator


class TriggerManualConfig(NodeConfig):
    """How the start by hand is offered."""

    require_confirmation: bool = Field(default=False, description="Ask before the workflow starts.")
    confirmation_message: str = Field(default="Execute workflow?", description="The question asked.")
    allowed_user_types: list[str] = Field(
        default_factory=list, description="Roles that may start the workflow; empty: everyone who sees it."
    )
    button_text: str = Field(default="Run Workflow", description="Label of the button.")


class TriggerManualOperator(TriggerOperator):
    """Start by hand, from the UI, the REST API or the command line."""

    type: ClassVar[str] = "trigger_manual"
    description: ClassVar[str] = "Starts the workflow when a person or a program asks for it."
    Config = TriggerManualConfig
