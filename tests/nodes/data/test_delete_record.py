"""delete_record: marked or removed, alone or with its children, by id or filter, and brought back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from oneo.store import history, records, relations
from oneo.store.models import RecordEvent
from tests.nodes.bench import EXAMPLES, Bench, Ran, workflow

EXAMPLE = EXAMPLES["delete_record"]
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def belongs(bench: Bench, child: str, parent: str, *, cascades: bool = True) -> None:
    with bench.database.tenant(bench.tenant) as session:
        both = [records.get(session, record_id) for record_id in (parent, child)]
        relations.relate(session, *both, "part", cascades=cascades)


def kinds(bench: Bench, record_id: str) -> list[str]:
    with bench.database.tenant(bench.tenant) as session:
        return [entry.kind for entry in history.of_record(session, record_id)]


def events(bench: Bench, record_id: str) -> list[str]:
    query = select(RecordEvent.kind).where(RecordEvent.record_id == UUID(record_id))
    with bench.database.tenant(bench.tenant) as session:
        return list(session.scalars(query.order_by(RecordEvent.id)))


def images(bench: Bench, record_id: str) -> list[Any]:
    with bench.database.tenant(bench.tenant) as session:
        return [entry.image["data"] for entry in history.of_record(session, record_id) if entry.image]


def delete(bench: Bench, about: str, **config: Any) -> Ran:
    return bench.node("delete_record", config, {"record_id": about})


@pytest.fixture
def family(bench: Bench) -> list[str]:
    """A company, its branch, and the branch's clerk."""
    found = [bench.record("leads", name=name) for name in ("company", "branch", "clerk")]
    belongs(bench, found[1], found[0])
    belongs(bench, found[2], found[1])
    return found


def left(bench: Bench, ids: list[str]) -> list[str]:
    return [found["name"] for record_id in ids if (found := bench.get(record_id)) is not None]


def test_the_example_deletes_the_lead_and_archives_it(bench: Bench, family: list[str]) -> None:
    output = delete(bench, family[0], **EXAMPLE).output
    assert output == {"record_id": family[0], "deleted": [family[0]], "count": 1, "children": 0}
    assert left(bench, family) == ["branch", "clerk"]
    assert kinds(bench, family[0]) == ["created", "deleted"]
    assert images(bench, family[0]) == [{"name": "company"}]
    assert events(bench, family[0]) == ["created", "deleted"]


def test_the_record_of_the_execution_is_the_one_that_goes(bench: Bench) -> None:
    lead = bench.record("leads")
    assert delete(bench, lead).output["deleted"] == [lead]


def test_without_an_archive_the_history_keeps_no_copy(bench: Bench) -> None:
    lead = bench.record("leads", name="Ada")
    delete(bench, lead)
    assert images(bench, lead) == []


def test_children_go_along_where_asked_and_come_back(bench: Bench, family: list[str]) -> None:
    output = delete(bench, family[0], cascade_delete=True).output
    assert (output["deleted"], output["children"]) == ([family[0]], 2)
    assert left(bench, family) == []
    assert events(bench, family[2]) == ["created", "deleted"]

    output = delete(bench, family[0], restore=True).output
    assert (output["restored"], output["children"], output["record"]["name"]) == ([family[0]], 2, "company")
    assert left(bench, family) == ["company", "branch", "clerk"]
    assert events(bench, family[2]) == ["created", "deleted", "restored"]


def test_a_child_that_was_deleted_on_its_own_stays_deleted(bench: Bench, family: list[str]) -> None:
    delete(bench, family[2])
    assert delete(bench, family[0], cascade_delete=True).output["children"] == 1
    assert delete(bench, family[0], restore=True).output["children"] == 1
    assert left(bench, family) == ["company", "branch"]


def test_a_child_can_come_back_alone(bench: Bench, family: list[str]) -> None:
    delete(bench, family[0], cascade_delete=True)
    delete(bench, family[1], restore=True)
    assert left(bench, family) == ["branch"]


def test_circles_and_children_that_do_not_cascade(bench: Bench, family: list[str]) -> None:
    belongs(bench, family[0], family[2])
    friend = bench.record("contacts", name="friend")
    belongs(bench, friend, family[0], cascades=False)
    assert delete(bench, family[0], cascade_delete=True).output["children"] == 2
    assert left(bench, [*family, friend]) == ["friend"]


def test_removed_for_good_is_removed_with_its_tasks_and_its_history(bench: Bench) -> None:
    lead = bench.record("leads", name="Ada")
    remind = {"id": "remind", "type": "create_follow_up_task", "config": {"title": "Call Ada"}}
    ran = bench.node("delete_record", {"soft_delete": False}, {"record_id": lead}, nodes=[remind])
    assert ran.output["deleted"] == [lead]
    assert bench.tasks_of(lead) == []
    assert kinds(bench, lead) == ["created", "removed"]
    with bench.database.tenant(bench.tenant) as session:
        assert all(entry.changes == {} for entry in history.of_record(session, lead))
    assert events(bench, lead) == ["created", "deleted"]
    assert f"there is no record {lead}, not even a deleted one" in delete(bench, lead, restore=True).message


def test_removed_for_good_but_archived_keeps_its_last_state(bench: Bench) -> None:
    lead = bench.record("leads", name="Ada")
    delete(bench, lead, soft_delete=False, archive_before_delete=True)
    assert kinds(bench, lead) == ["created", "archived", "removed"]
    assert images(bench, lead) == [{"name": "Ada"}]


def test_what_is_deleted_can_be_removed_with_its_archive(bench: Bench, family: list[str]) -> None:
    delete(bench, family[0], archive_before_delete=True, cascade_delete=True)
    assert delete(bench, family[0], soft_delete=False, cascade_delete=True).output["children"] == 2
    assert [images(bench, one) for one in family] == [[], [], []]
    assert kinds(bench, family[2])[-1] == "removed"


def test_all_that_fit_a_filter_go_up_to_the_limit(bench: Bench) -> None:
    spam = [bench.record("leads", status="spam") for _ in range(3)]
    bench.record("leads", status="new")
    config = {"pipeline_id": "leads", "filters": {"status": "spam"}, "limit": 2}
    output = bench.node("delete_record", config).output
    assert output == {"deleted": spam[:2], "count": 2, "children": 0, "remaining": 1}
    output = bench.node("delete_record", config).output
    assert (output["deleted"], output["remaining"]) == ([spam[2]], 0)
    assert bench.node("delete_record", config).output["count"] == 0
    assert [lead["status"] for lead in bench.all("leads")] == ["new"]


def test_a_child_that_fits_the_filter_itself_goes_once(bench: Bench, family: list[str]) -> None:
    config = {"pipeline_id": "leads", "filters": {"name": {"$exists": True}}, "cascade_delete": True}
    output = bench.node("delete_record", {**config, "soft_delete": False}).output
    assert (output["deleted"], output["children"]) == ([family[0]], 2)
    assert bench.all("leads") == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"record_id": UNKNOWN}, f"there is no record {UNKNOWN}"),
        ({"record_id": "not-an-id"}, "there is no record not-an-id"),
        ({}, "no record_id is given and the execution is about no record"),
        ({"record_id": "{{trigger.id}}"}, "config.record_id came out empty"),
        ({"pipeline_id": "nowhere", "filters": {"a": 1}}, "nowhere"),
        ({"pipeline_id": "leads", "filters": "{{trigger.none}}"}, "at least one condition"),
    ],
)
def test_failures_say_where_and_what(bench: Bench, config: dict[str, Any], message: str) -> None:
    lead = bench.record("leads")
    ran = bench.node("delete_record", config, {"id": None, "none": {}})
    assert message in ran.message
    assert ran.error["type"] == "ConfigError"
    assert bench.get(lead) is not None


def test_a_record_of_another_pipeline_is_left_alone(bench: Bench) -> None:
    deal = bench.record("deals")
    assert f"record {deal} is in pipeline 'deals', not in 'leads'" in delete(bench, deal, **EXAMPLE).message
    assert bench.get(deal) is not None


def test_deleting_twice_and_restoring_what_is_there_are_named(bench: Bench) -> None:
    lead = bench.record("leads")
    assert f"record {lead} is not deleted" in delete(bench, lead, restore=True).message
    delete(bench, lead)
    assert f"record {lead} was deleted already, on 20" in delete(bench, lead).message


def test_an_attempt_after_a_lost_answer_gives_the_kept_result(bench: Bench) -> None:
    lead = bench.record("leads")
    node = {"id": "gone", "type": "delete_record", "config": {"soft_delete": False}}
    state = bench.begin(workflow(node), {"record_id": lead})
    first, second = bench.attempt(state, "gone"), bench.attempt(state, "gone")
    assert (first.status, second.status, second.replayed) == ("success", "success", True)
    assert second.output["deleted"] == [lead]


def test_an_external_id_that_was_taken_meanwhile_keeps_the_record_away(bench: Bench) -> None:
    lead = bench.record("leads", external_id="7")
    delete(bench, lead)
    other = bench.record("leads", external_id="7")
    ran = delete(bench, lead, restore=True)
    assert f"record {lead} cannot come back: record {other} has its external_id '7' now" in ran.message


def test_nothing_comes_back_where_a_child_cannot(bench: Bench) -> None:
    company, contact = bench.record("leads"), bench.record("leads", external_id="9")
    belongs(bench, contact, company)
    delete(bench, company, cascade_delete=True)
    bench.record("leads", external_id="9")
    assert f"record {contact} cannot come back" in delete(bench, company, restore=True).message
    assert (bench.get(company), bench.get(contact)) == (None, None)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"filters": {"a": 1}}, "`filters` needs a `pipeline_id` and no `record_id`"),
        ({"filters": {"a": 1}, "pipeline_id": "leads", "record_id": "x"}, "and no `record_id`"),
        ({"filters": {}, "pipeline_id": "leads"}, "`filters` has at least one condition"),
        ({"filters": {"a": {"$like": 1}}, "pipeline_id": "leads"}, "$like"),
        ({"restore": True, "soft_delete": False}, "`restore` brings back the one soft-deleted record"),
        ({"limit": 0}, "$.nodes[1].config.limit"),
        ({"soft": True}, "unknown option 'soft'"),
    ],
)
def test_saving_checks_the_options(bench: Bench, config: dict[str, Any], message: str) -> None:
    [found] = bench.problems("delete_record", config)
    assert message in found


def test_saving_takes_the_example(bench: Bench) -> None:
    assert bench.problems("delete_record", EXAMPLE) == []
