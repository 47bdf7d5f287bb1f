"""Who may start a workflow by hand."""

from __future__ import annotations

from dag_factory.catalogue import Catalogue, Starter
from dag_factory.plan import Plan, PlanNode
from oneo.settings import settings


def starter_of(user: str | None, *, confirmed: bool) -> Starter:
    """A user with what the settings say about them."""
    return Starter(user, frozenset(settings().user_types.get(user or "", ())), confirmed)


def trigger_by_hand(plan: Plan) -> PlanNode | None:
    """The trigger that a start by hand stands for."""
    by_hand = [node for node in plan.triggers if node.type == "trigger_manual"]
    return next(iter([*by_hand, *plan.triggers]), None)


def admit(plan: Plan, catalogue: Catalogue, starter: Starter) -> None:
    """Nothing where this person may start the workflow.

    Raises:
        NodeError: They may not; the message says why.
    """
    trigger = trigger_by_hand(plan)
    node_type = catalogue.get(trigger.type) if trigger else None
    if trigger is not None and node_type is not None:
        node_type.admit(trigger.config, starter)
