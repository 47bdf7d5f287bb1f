"""Settings of a tenant: one typed object, used where a workflow says nothing itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from oneo.database import Database
from oneo.store import tenants
from tests.nodes.bench import Bench, workflow
from tests.nodes.conftest import bench

__all__ = ["bench"]

SHOW = {"id": "show", "type": "set_variable", "config": {"variables": {"at": "{{ now | string }}"}}}


def put(database: Database, tenant: str, **settings: Any) -> None:
    with database.system() as session:
        for name, value in settings.items():
            tenants.set_setting(session, tenant, name, value)


def test_settings_are_set_and_shown_by_command(oneo: Callable[..., Any], tenant: str) -> None:
    done = oneo("tenants", "set", tenant, "timezone=Asia/Kolkata", "country=de-by", "pool_slots=3", "--json")
    held = {"timezone": "Asia/Kolkata", "country": "DE-BY", "pool_slots": 3}
    assert json.loads(done.stdout)["settings"] == held
    assert json.loads(oneo("tenants", "show", tenant, "--json").stdout)["settings"] == held
    oneo("tenants", "set", tenant, "timezone=")
    assert "timezone" not in json.loads(oneo("tenants", "show", tenant, "--json").stdout)["settings"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("timezone=Mars/Base", "an IANA name"),
        ("country=Germany", "DE, DE-BY, US"),
        ("pool_slots=0", "a whole number from 1"),
        ("time_zone=UTC", "did you mean 'timezone'"),
        ("timezone", "is no NAME=VALUE"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(
    oneo: Callable[..., Any], tenant: str, given: str, says: str
) -> None:
    done = oneo("tenants", "set", tenant, "max_records=1", given)
    assert (done.exit_code, says in " ".join(done.output.split())) == (1, True)
    assert json.loads(oneo("tenants", "show", tenant, "--json").stdout)["settings"] == {}


def test_workflows_without_a_zone_have_the_tenants(database: Database, tenant: str, bench: Bench) -> None:
    def offset(**more: Any) -> str:
        return str(bench.run(workflow(SHOW, **more))["nodes"]["show"]["output"]["at"])[-6:]

    assert offset() == "+00:00"
    put(database, tenant, timezone="Asia/Kolkata")
    assert offset() == "+05:30"
    assert offset(settings={"timezone": "America/Bogota"}) == "-05:00"


def test_phone_numbers_without_a_country_are_of_the_tenants(
    database: Database, tenant: str, bench: Bench
) -> None:
    bench.record("contacts", name="Ann", phone="+49 30 901820")
    find = {"match_criteria": {"phone": "030 901820"}, "create_if_not_found": False}
    assert bench.node("resolve_contact", find).output["found"] is False
    put(database, tenant, country="DE")
    assert bench.node("resolve_contact", find).output["found"] is True
    assert bench.node("resolve_contact", {**find, "default_region": "US"}).output["found"] is False
