"""Mixed events of several senders, some sent twice, some taken back, none in order; and what must come of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from oneo.database import Database
from oneo.store import events, timers
from oneo.store.models import Execution
from tests.dispatcher.crm import Crm

SENDERS = 4
# What each kind of sending must start, once.
STARTS = {
    "record": ("new", "batch"),
    "emitted": ("won", "every"),
    "hook": ("hook", "every"),
    "moment": ("clock",),
}
KINDS = ("record", "record", "record", "emitted", "emitted", "emitted", "hook", "hook", "hook", "moment")
DUPLICATES, TAKEN_BACK = 0.1, 0.02


@dataclass(frozen=True)
class Sending:
    """Something to send; its number is what executions are recognised by."""

    number: int
    kind: str
    taken_back: bool = False


@dataclass(frozen=True)
class Reconciliation:
    """What was accepted beside what was started, by workflow and number."""

    missing: Counter[tuple[str, int]]
    doubled: Counter[tuple[str, int]]
    unexpected: Counter[tuple[str, int]]

    @property
    def fits(self) -> bool:
        """Whether each started exactly what it should."""
        return not (self.missing or self.doubled or self.unexpected)


@dataclass
class Traffic:
    """The events of one run.

    Args:
        crm: Whose they are.
        count: How many different ones.
        seed: Of their order.
    """

    crm: Crm
    count: int
    seed: int
    accepted: set[Sending] = field(default_factory=set)

    def publish(self) -> None:
        """The workflows that they start."""
        self.crm.pipeline("leads")
        self.crm.watch("trigger_record_created", "new")
        self.crm.watch(
            "trigger_record_created", "batch", batch_processing=True, batch_size=7, batch_seconds=0.3
        )
        self.crm.watch("trigger_event", "won", event="won")
        self.crm.watch("trigger_event", "hook", event="hook")
        self.crm.watch("trigger_event", "every", event="*", filters={"n": {"$gte": 0}})
        self.crm.watch("trigger_event", "clock", event="never")

    def send(self, may_go_on: Callable[[], object]) -> None:
        """Send all; `may_go_on` is asked before each transaction."""
        with ThreadPoolExecutor(SENDERS) as senders:
            pending: list[Future[set[Sending]]] = []
            for together in self._order():
                may_go_on()
                pending.append(senders.submit(self._send_together, together))
            for one in pending:
                self.accepted |= one.result()

    def _order(self) -> list[list[Sending]]:
        chance = random.Random(self.seed)
        sendings = [
            Sending(number, chance.choice(KINDS), chance.random() < TAKEN_BACK)
            for number in range(self.count)
        ]
        twice = chance.sample([one for one in sendings if not one.taken_back], int(self.count * DUPLICATES))
        order = [*sendings, *twice]
        chance.shuffle(order)
        # A transaction that is taken back takes all with it.
        stay = [one for one in order if not one.taken_back]
        parts = [[one] for one in order if one.taken_back] + list(_parts(stay, chance))
        chance.shuffle(parts)
        return parts

    def _send_together(self, together: Sequence[Sending]) -> set[Sending]:
        moments = [one for one in together if one.kind == "moment"]
        if moments:
            with self.crm.database.system() as session:
                self._write(session, moments)
        with self.crm.database.tenant(self.crm.tenant) as session:
            self._write(session, [one for one in together if one.kind != "moment"])
        return {one for one in together if not one.taken_back}

    def _write(self, session: Session, together: Sequence[Sending]) -> None:
        # In one order: two senders of the same keys wait for each other, not both for ever.
        for one in sorted(together, key=lambda one: (one.kind, one.number)):
            _SEND[one.kind](session, self.crm.tenant, one.number)
        if any(one.taken_back for one in together):
            session.rollback()

    def reconcile(self) -> Reconciliation:
        """Compare with the executions there are."""
        wanted = Counter((workflow, one.number) for one in self.accepted for workflow in STARTS[one.kind])
        with self.crm.database.tenant(self.crm.tenant) as session:
            started = Counter(_started(session))
        return Reconciliation(
            missing=wanted - started,
            doubled=Counter({key: count for key, count in started.items() if count > 1}),
            unexpected=Counter({key: count for key, count in started.items() if key not in wanted}),
        )


def _parts(sendings: Sequence[Sending], chance: random.Random) -> Iterator[list[Sending]]:
    start = 0
    while start < len(sendings):
        length = chance.randint(1, 5)
        yield list(sendings[start : start + length])
        start += length


def _started(session: Session) -> Iterator[tuple[str, int]]:
    for workflow, data in session.execute(select(Execution.workflow_id, Execution.data)):
        if workflow == "clock":
            yield workflow, int(data["key"])
        elif workflow == "batch":
            yield from ((workflow, one["n"]) for one in data["records"])
        else:
            yield workflow, data["n"]


def _record(session: Session, tenant: str, number: int) -> None:
    session.execute(
        text(
            "INSERT INTO records (tenant_id, id, pipeline_id, data)"
            " VALUES (:tenant, :id, 'leads', jsonb_build_object('n', CAST(:n AS integer))) ON CONFLICT DO NOTHING"
        ),
        {"tenant": tenant, "id": uuid5(NAMESPACE_OID, f"{tenant}/{number}"), "n": number},
    )


def _emitted(session: Session, tenant: str, number: int) -> None:
    session.execute(
        text(
            "SELECT oneo_emit(:tenant, 'won', jsonb_build_object('n', CAST(:n AS integer)), CAST(:n AS text))"
        ),
        {"tenant": tenant, "n": number},
    )


def _hook(session: Session, tenant: str, number: int) -> None:
    session.execute(
        text(
            "INSERT INTO inbox (tenant_id, kind, topic, key, data) VALUES (:tenant, 'app', 'hook', :key,"
            " jsonb_build_object('n', CAST(:n AS integer))) ON CONFLICT DO NOTHING"
        ),
        {"tenant": tenant, "key": f"delivery-{number}", "n": number},
    )


def _moment(session: Session, tenant: str, number: int) -> None:
    due = datetime(2026, 1, 1, tzinfo=UTC)
    timers.arm(session, tenant, "clock", "start", str(number), due)


_SEND = {"record": _record, "emitted": _emitted, "hook": _hook, "moment": _moment}


def waiting(database: Database) -> int:
    """How many events nobody has handled."""
    with database.system() as session:
        return sum(
            session.scalar(select(func.count()).select_from(table).where(table.handled_at.is_(None))) or 0
            for table in events.TABLES
        )


def all_done(database: Database) -> bool:
    """Whether there is nothing left to do: in one statement, for one thing becomes another meanwhile."""
    left = (
        "SELECT (SELECT count(*) FROM record_events WHERE handled_at IS NULL)"
        " + (SELECT count(*) FROM inbox WHERE handled_at IS NULL)"
        " + (SELECT count(*) FROM gatherings) + (SELECT count(*) FROM timers)"
    )
    with database.system() as session:
        return not session.scalar(text(left))


def handled(database: Database) -> int:
    """How many events have been handled."""
    with database.system() as session:
        counts = [
            session.scalar(text(f"SELECT count(*) FROM {table} WHERE handled_at IS NOT NULL"))
            for table in ("record_events", "inbox")
        ]
    return sum(count or 0 for count in counts)
