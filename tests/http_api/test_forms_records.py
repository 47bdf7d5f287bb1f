"""Records that submissions make or change, before their sender gets an answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from oneo.store import records
from oneo.store.models import Record
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.http_api.filling import ENTERED, Site

__all__ = ["crm"]
PIPELINE = {
    "fields": [
        {"id": "email", "type": "email", "required": True, "unique": True},
        {"id": "seats", "type": "integer"},
    ]
}
MAPPED = {
    "pipeline_id": "people",
    "mapping": {"email": "email", "name": "name", "seats": "seats"},
    "match_fields": ["email"],
}


@pytest.fixture
def site(crm: Crm, http: httpx.Client) -> Site:
    found = Site(crm, http)
    found.apply()
    return found


def people(site: Site) -> list[Record]:
    with site.crm.database.tenant(site.crm.tenant) as session:
        return records.find(session, "people", {})


def test_a_record_is_made_or_updated_before_the_answer(site: Site) -> None:
    site.crm.pipeline("people", **PIPELINE)
    site.apply(settings=MAPPED)
    site.crm.watch("trigger_form_submitted", form_ids=["contact_form"], auto_create_record=True)
    path = site.link()
    with ThreadPoolExecutor(6) as senders:
        list(senders.map(lambda number: site.send(path, {**ENTERED, "seats": str(number)}), range(1, 7)))
    (person,) = people(site)
    assert (person.data["name"], person.version) == ("Ann", 6)
    site.crm.round()
    assert {row.record_id for row in site.crm.started} == {person.id}
    assert len(site.crm.started) == 6


def test_a_link_about_a_record_updates_it(site: Site) -> None:
    site.crm.pipeline("people", **PIPELINE)
    site.apply(settings=MAPPED)
    ann = site.crm.add("people", email="old@example.com", note="keep")
    path = site.link(record_id=ann.id)
    site.send(path)
    assert people(site)[0].data["email"] == "old@example.com"
    site.crm.watch("trigger_form_submitted", form_ids=["contact_form"], auto_create_record=True)
    site.send(path)
    (person,) = people(site)
    assert person.data == {"email": "ann@example.com", "note": "keep", "name": "Ann"}
    site.crm.round()
    assert {row.record_id for row in site.crm.started} == {ann.id}


def test_a_record_of_another_pipeline_is_only_what_it_is_about(site: Site) -> None:
    site.crm.pipeline("people", **PIPELINE)
    site.apply(settings=MAPPED)
    site.crm.watch("trigger_form_submitted", form_ids=["contact_form"], auto_create_record=True)
    deal = site.crm.add("leads", email="deal@example.com")
    site.send(site.link(record_id=deal.id))
    site.crm.round()
    (row,) = site.crm.started
    assert (row.record_id, row.data["record"]["email"], people(site)) == (deal.id, "deal@example.com", [])


def test_a_record_that_its_pipeline_refuses_leaves_nothing_behind(site: Site) -> None:
    site.crm.pipeline("people", fields=[{"id": "city", "type": "text", "required": True}])
    site.apply(settings=MAPPED)
    site.crm.watch("trigger_form_submitted", form_ids=["contact_form"], auto_create_record=True)
    found = site.send(site.link(), files=[("cv", ("cv.txt", b"hello"))])
    assert (found.status_code, "city" in found.text) == (422, True)
    assert (site.events, people(site)) == ([], [])
