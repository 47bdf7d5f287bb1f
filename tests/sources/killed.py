"""An attempt of a node in a process of its own, which a test ends where it likes."""

from __future__ import annotations

import asyncio
from uuid import UUID

from sqlalchemy.engine import make_url

from oneo.database import Database
from oneo.store import executions
from oneo_operators.catalogue import catalogue
from oneo_operators.execution import state_of
from tests.nodes.bench import Bench, workflow


def attempt(database_url: str, crm_url: str, tenant: str, execution: str, key: str) -> None:
    """Count the visits of a company."""
    from dag_factory.examine import plan_of
    from tests.sources.test_exactly_once import COUNT

    bench = Bench(Database(database_url), tenant)
    bench.vault.connect_database("crm", make_url(crm_url))
    plan = plan_of(workflow(COUNT), catalogue())
    with bench.database.tenant(tenant) as session:
        state = state_of(session, executions.get(session, UUID(execution)), plan)
    asyncio.run(bench.attempt_of(state, "count").run(may_retry=lambda _: True))
