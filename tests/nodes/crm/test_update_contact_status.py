"""update_contact_status: what may follow what, and who hears of it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from oneo.store import history, records, relations
from oneo.store.models import RecordEvent
from oneo.store.pipelines import PipelineField, PipelineSpec, PipelineStage, apply
from tests.nodes.bench import EXAMPLES, Bench, workflow

EXAMPLE = EXAMPLES["update_contact_status"]
WHO = {"id": "who", "type": "resolve_contact", "config": {"match_criteria": {"email": "ada@example.com"}}}


def status(bench: Bench, config: dict[str, Any], contact: str) -> Any:
    return bench.node("update_contact_status", config, {"record_id": contact}).output


def relate(bench: Bench, parent: str, child: str, kind: str) -> None:
    with bench.database.tenant(bench.tenant) as session:
        relations.relate(session, records.get(session, parent), records.get(session, child), kind)


def events_of(bench: Bench, record_id: str) -> list[str]:
    with bench.database.tenant(bench.tenant) as session:
        query = select(RecordEvent).where(RecordEvent.record_id == records.get(session, record_id).id)
        return [one.kind for one in session.scalars(query.order_by(RecordEvent.id))]


def test_the_example_makes_a_lead_a_customer_and_tells_the_sales_team(bench: Bench) -> None:
    ada = bench.record("contacts", email="ada@example.com", name="Ada", status="lead")
    deal, company = bench.record("deals"), bench.record("leads")
    relate(bench, ada, deal, "deal")
    relate(bench, company, ada, "employee")
    ran = bench.node("update_contact_status", EXAMPLE, nodes=[WHO])
    assert (ran.output["previous_status"], ran.output["status"], ran.output["changed"]) == (
        "lead",
        "customer",
        True,
    )
    kept = bench.get(ada) or {}
    assert kept["status"] == "customer"
    assert kept["status_changed_at"][:10] == f"{kept['updated_at']:%Y-%m-%d}"
    assert sorted(ran.output["related"]) == sorted((deal, company))
    assert [(bench.get(one) or {})["contact_status"] for one in (deal, company)] == ["customer"] * 2
    assert events_of(bench, ada) == ["created", "updated"]
    [note] = bench.notifications_of(ran.execution)
    assert [str(note.id)] == ran.output["notifications"]
    assert (note.recipient, note.channel, note.status) == ("sales_team", "in_app", "unread")
    assert (note.title, note.message) == ("Ada is now customer", "status was lead.")


def test_by_default_only_the_contact_changes_and_nobody_is_told(bench: Bench) -> None:
    ada, deal = bench.record("contacts"), bench.record("deals")
    relate(bench, ada, deal, "deal")
    ran = bench.node("update_contact_status", {"new_status": "lead"}, {"record_id": ada})
    assert (ran.output["related"], ran.output["notifications"]) == ([], [])
    assert "contact_status" not in (bench.get(deal) or {})
    assert ran.output["previous_status"] is None


def test_the_time_can_be_left_out_and_the_reason_is_kept(bench: Bench) -> None:
    ada = bench.record("contacts", status="lead")
    config = {"new_status": "lost", "update_timestamp": False, "reason": "no {{trigger.what}}"}
    ran = bench.node(
        "update_contact_status",
        {**config, "notification_list": ["eva"]},
        {"record_id": ada, "what": "budget"},
    )
    kept = bench.get(ada) or {}
    assert (kept["status_reason"], "status_changed_at" in kept) == ("no budget", False)
    assert [one.message for one in bench.notifications_of(ran.execution)] == ["status was lead. no budget"]
    with bench.database.tenant(bench.tenant) as session:
        last = history.view(history.of_record(session, ada)[-1])
    assert last["changes"]["status"] == {"before": "lead", "after": "lost"}
    assert last["changes"]["status_reason"]["after"] == "no budget"
    assert last["execution"] == ran.execution
    status(bench, {"new_status": "qualified"}, ada)
    assert (bench.get(ada) or {})["status_reason"] is None


def test_workflows_on_the_status_can_be_left_alone(bench: Bench) -> None:
    ada, deal = bench.record("contacts", status="lead"), bench.record("deals")
    relate(bench, ada, deal, "deal")
    config = {"new_status": "qualified", "trigger_status_workflows": False, "update_related_records": True}
    later = {"id": "later", "type": "update_record", "config": {"update_fields": {"seen": True}}}
    node = {"id": "node", "type": "update_contact_status", "config": config}
    bench.run(workflow(node), {"record_id": ada})
    assert (events_of(bench, ada), events_of(bench, deal)) == (["created"], ["created"])
    assert (bench.get(ada) or {})["status"] == "qualified"
    bench.run(workflow(node, later), {"record_id": ada})
    assert events_of(bench, ada) == ["created", "updated"]


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        (None, "customer", True),
        ("new", "qualified", True),
        ("vip", "lead", True),
        ("", "lead", True),
        (["vip"], "lead", True),
        ("lost", "qualified", True),
        ("customer", "inactive", True),
        ("customer", "lead", False),
        ("lead", "vip", False),
        (None, "vip", False),
    ],
)
def test_the_usual_lifecycle_goes_forward(bench: Bench, before: Any, after: str, allowed: bool) -> None:
    ada = bench.record("contacts", status=before)
    ran = bench.node("update_contact_status", {"new_status": after}, {"record_id": ada})
    assert ran.node["status"] == ("success" if allowed else "failed")
    assert (bench.get(ada) or {})["status"] == (after if allowed else before)


def test_a_refusal_names_what_may_follow(bench: Bench) -> None:
    ada = bench.record("contacts", status="trial")
    table = {"trial": ["paying", "gone"], "gone": []}
    config = {"new_status": "vip", "allowed_transitions": table, "notification_list": ["eva"]}
    ran = bench.node("update_contact_status", config, {"record_id": ada})
    assert ran.message == "a record with status 'trial' cannot become 'vip' (allowed: paying, gone)"
    assert ran.error["type"] == "PermanentNodeError"
    assert bench.notifications_of(ran.execution) == []
    status(bench, {**config, "new_status": "gone"}, ada)
    ran = bench.node("update_contact_status", {**config, "new_status": "paying"}, {"record_id": ada})
    assert "nothing may follow; name it in allowed_transitions" in ran.message
    fresh = bench.record("contacts")
    ran = bench.node("update_contact_status", config, {"record_id": fresh})
    assert ran.message == "a record with no status cannot become 'vip' (allowed: trial, gone, paying)"


@pytest.mark.parametrize("table", [{"*": ["vip"]}, {"lead": ["*"]}])
def test_a_star_stands_for_any(bench: Bench, table: dict[str, list[str]]) -> None:
    ada = bench.record("contacts", status="lead")
    assert status(bench, {"new_status": "vip", "allowed_transitions": table}, ada)["changed"] is True


def test_the_pipelines_own_words_count(bench: Bench) -> None:
    spec = PipelineSpec(
        id="contacts",
        fields=[PipelineField(id="phase", type="select", options=["cold", "warm"])],
        stages=[PipelineStage(id="in"), PipelineStage(id="out")],
    )
    with bench.database.tenant(bench.tenant) as session:
        apply(session, bench.tenant, spec)
    ada = bench.record("contacts", phase="warm")
    assert status(bench, {"new_status": "cold", "status_field": "phase"}, ada)["previous_status"] == "warm"
    status(bench, {"new_status": "out", "status_field": "stage"}, ada)
    kept = bench.get(ada) or {}
    assert (kept["phase"], kept["stage"]) == ("cold", "out")
    assert {"phase_changed_at", "stage_changed_at"} <= kept.keys()
    ran = bench.node(
        "update_contact_status", {"new_status": "hot", "status_field": "phase"}, {"record_id": ada}
    )
    assert "(allowed: cold, warm)" in ran.message


def test_related_records_of_one_kind_change_as_told(bench: Bench) -> None:
    ada, deal, company = bench.record("contacts", status="lead"), bench.record("deals"), bench.record("leads")
    relate(bench, ada, deal, "deal")
    relate(bench, company, ada, "employee")
    config = {
        "new_status": "customer",
        "update_related_records": True,
        "related_kind": "deal",
        "related_fields": {"stage": "won", "won_by": "{{record.id}}"},
    }
    assert status(bench, config, ada)["related"] == [deal]
    kept = bench.get(deal) or {}
    assert (kept["stage"], kept["won_by"]) == ("won", ada)
    assert (bench.get(company) or {})["version"] == 1


def test_the_same_status_again_changes_and_tells_nothing(bench: Bench) -> None:
    ada = bench.record("contacts", status="customer")
    ran = bench.node("update_contact_status", {**EXAMPLE, "record_id": ada})
    assert (ran.output["changed"], ran.output["notifications"]) == (False, [])
    assert (bench.get(ada) or {})["version"] == 1
    assert bench.notifications_of(ran.execution) == []


def test_of_several_at_the_same_time_each_sees_the_one_before(bench: Bench) -> None:
    ada = bench.record("contacts", status="lead")
    with ThreadPoolExecutor(4) as pool:
        outputs = list(pool.map(lambda _: status(bench, {"new_status": "customer"}, ada), range(4)))
    assert sum(output["changed"] for output in outputs) == 1


def test_an_attempt_that_is_repeated_tells_nobody_again(bench: Bench) -> None:
    ada = bench.record("contacts", status="lead")
    node = {"id": "node", "type": "update_contact_status", "config": {**EXAMPLE, "record_id": ada}}
    state = bench.begin(workflow(node))
    first, second = bench.attempt(state, "node"), bench.attempt(state, "node")
    assert (first.output, first.output["changed"]) == (second.output, True)
    assert len(bench.notifications_of(str(state.id))) == 1
    assert (bench.get(ada) or {})["version"] == 2


def test_people_are_told_once_and_gaps_are_left_out(bench: Bench) -> None:
    ada = bench.record("contacts", owner="eva")
    people = ["{{record.owner}}", "eva", "{{trigger.none | default('')}}"]
    config = {"new_status": "lead", "notification_list": people}
    ran = bench.node("update_contact_status", config, {"record_id": ada})
    assert [one.recipient for one in bench.notifications_of(ran.execution)] == ["eva"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"new_status": ""}, "at least 1 character"),
        ({"allowed_transitions": {"lead": "customer"}}, "valid list"),
        ({"status_field": "a b"}, "status_field"),
        ({"notify": ["eva"]}, "notify"),
    ],
)
def test_saving_checks_the_options(bench: Bench, change: dict[str, Any], message: str) -> None:
    document = workflow(WHO, {"id": "node", "type": "update_contact_status", "config": {**EXAMPLE, **change}})
    assert message in json.dumps([str(one) for one in bench_problems(bench, document)])


def bench_problems(bench: Bench, document: dict[str, Any]) -> list[Any]:
    from dag_factory.examine import examine

    return list(examine(document, bench.catalogue).problems)


@pytest.mark.parametrize(
    ("data", "message"), [({}, "no record_id is given"), ({"record_id": None}, "no record_id")]
)
def test_without_a_record_it_fails(bench: Bench, data: dict[str, Any], message: str) -> None:
    ran = bench.node("update_contact_status", {"new_status": "lead"}, data)
    assert message in ran.message
