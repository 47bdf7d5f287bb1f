"""The active triggers in memory: finding those that look at an event reads no table and no config."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from dag_factory.definition import StartPolicy
from oneo.events import TIMER, Event
from oneo.filters import Clause
from oneo.store import revisions, triggers
from oneo.store.models import ActiveTrigger
from oneo.store.timers import address
from oneo.verdicts import Refuses, Verdict
from oneo_app.dispatcher.fitting import Fitting
from oneo_operators.base import NodeOperator
from oneo_operators.catalogue import catalogue

logger = logging.getLogger(__name__)

ALL = "*"
# So many triggers of a topic are all asked about its events, so that each refusal is noted; of more only those that
# may fit.
ALL_ASKED = 20


@dataclass(frozen=True)
class Candidate:
    """A trigger that may start its workflow.

    Attributes:
        options: Its config as its node type reads it; None where it cannot.
        policy: Its workflow's `settings.start`.
        problem: Why it cannot.
    """

    row: ActiveTrigger
    node_type: type[NodeOperator] | None
    options: Any
    policy: StartPolicy = field(default_factory=StartPolicy)
    problem: str = ""

    @property
    def address(self) -> str:
        """What it is called among the triggers of its tenant."""
        return address(self.row.workflow_id, self.row.node_id)

    @property
    def requires(self) -> Sequence[Clause]:
        """Conditions on an event's facts without which it would refuse."""
        return () if self.node_type is None else self.node_type.requires(self.options)

    def consider(self, event: Event) -> Verdict:
        """What it says about an event. One that cannot be asked refuses: it must not stop the queue."""
        if self.node_type is None:
            return Refuses(self.problem)
        try:
            return self.node_type.consider(self.options, event)
        except Exception as error:
            logger.exception("trigger %s of tenant %s, event %s", self.address, event.tenant_id, event.id)
            return Refuses(f"it failed over this event: {type(error).__name__}: {error}")


class TriggerIndex:
    """The active triggers by tenant, kind and topic.

    Kept up to date by the store's revision: what was published or withdrawn since is read again, nothing else.
    """

    def __init__(self) -> None:
        self._revision = 0
        self._by_workflow: dict[tuple[str, str], list[Candidate]] = {}
        self._by_topic: dict[tuple[str, str, str], Fitting[Candidate]] = {}
        self._by_address: dict[tuple[str, str], Candidate] = {}

    def refresh(self, session: Session) -> None:
        """Take up what was published since the last time (system session)."""
        revision = revisions.current_revision(session)
        if revision == self._revision:
            return
        changed = revisions.changed_since(session, self._revision, revision)
        for key in changed:
            self._by_workflow.pop(key, None)
        self.take_up(triggers.active(session, changed if self._revision else None))
        self._revision = revision

    def take_up(self, rows: Iterable[ActiveTrigger]) -> None:
        """Take up triggers of workflows that had none here."""
        for row in rows:
            self._by_workflow.setdefault((row.tenant_id, row.workflow_id), []).append(candidate(row))
        self._sort()

    def looking_at(self, event: Event) -> Iterator[Candidate]:
        """The triggers that look at events of this kind and topic, by workflow and node; of many those that may fit."""
        if event.kind == TIMER:
            found = self.at(event.tenant_id, event.topic)
            if found is not None:
                yield found
            return
        for topic in (event.topic, ALL):
            found_by = self._by_topic.get((event.tenant_id, event.kind, topic))
            if found_by is not None:
                yield from found_by.fitting(event.facts)

    def watching(self, tenant_id: str, kind: str, topic: str) -> Sequence[Candidate]:
        """The triggers that look at one topic of a kind, by workflow and node."""
        found = self._by_topic.get((tenant_id, kind, topic))
        return () if found is None else found.given

    def at(self, tenant_id: str, trigger_address: str) -> Candidate | None:
        """The trigger of an address (see `oneo.store.timers.address`); None where it is no longer active."""
        return self._by_address.get((tenant_id, trigger_address))

    def _sort(self) -> None:
        by_topic: dict[tuple[str, str, str], list[Candidate]] = defaultdict(list)
        for _, candidates in sorted(self._by_workflow.items()):
            for one in candidates:
                # Who watches everything is found there alone.
                topics = {ALL} if ALL in one.row.topics else set(one.row.topics)
                for kind in one.row.event_kinds:
                    for topic in topics:
                        by_topic[one.row.tenant_id, kind, topic].append(one)
        self._by_topic = {
            key: Fitting((one, one.requires if len(candidates) > ALL_ASKED else ()) for one in candidates)
            for key, candidates in by_topic.items()
        }
        self._by_address = {
            (one.row.tenant_id, one.address): one for found in self._by_workflow.values() for one in found
        }


def candidate(row: ActiveTrigger) -> Candidate:
    """A trigger with its config read."""
    node_type = catalogue().get(row.type)
    if node_type is None:
        return Candidate(row, None, None, problem=f"there is no node type {row.type!r}")
    try:
        options = node_type.Config.model_validate(row.config)
        return Candidate(row, node_type, options, StartPolicy.model_validate(row.policy))
    except ValueError as error:
        # Configs are checked at publish: one that cannot be read came in another way.
        return Candidate(row, None, None, problem=f"its config cannot be read: {error}")
