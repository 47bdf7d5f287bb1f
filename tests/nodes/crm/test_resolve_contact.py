"""resolve_contact: who is meant, who is created, who is folded into whom."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from oneo.store import tenants
from tests.nodes.bench import EXAMPLES, Bench, workflow

EXAMPLE = EXAMPLES["resolve_contact"]
ADA = {"email": "Ada@Example.com ", "phone": "+49 170 1234567"}


def resolve(bench: Bench, config: dict[str, Any], data: dict[str, Any] | None = None) -> Any:
    return bench.node("resolve_contact", config, data).output


def test_the_example_creates_the_contact_in_normal_spelling(bench: Bench) -> None:
    output = resolve(bench, EXAMPLE, ADA)
    [contact] = bench.all("contacts")
    assert (contact["email"], contact["phone"]) == ("ada@example.com", "+491701234567")
    assert (output["found"], output["created"], output["confidence"]) == (True, True, 1.0)
    assert output["contact_id"] == contact["id"] == output["contact"]["id"]


def test_the_example_finds_updates_and_merges(bench: Bench) -> None:
    by_mail = bench.record("contacts", email="ada@example.com", name="Ada")
    by_phone = bench.record("contacts", phone="+49 (170) 1234-567", city="London")
    bench.record("contacts", email="bob@example.com")
    call = bench.node("create_follow_up_task", {"title": "Call", "related_record": by_phone}).output
    output = resolve(bench, EXAMPLE, ADA)
    assert (output["contact_id"], output["created"], output["merged"]) == (by_mail, False, [by_phone])
    assert output["matched_by"] == ["email"]
    kept = bench.get(by_mail) or {}
    assert (kept["phone"], kept["city"], kept["name"]) == ("+491701234567", "London", "Ada")
    assert bench.get(by_phone) == kept
    assert [task["task_id"] for task in bench.tasks_of(by_mail)] == [call["task_id"]]


def test_by_default_the_contact_found_is_not_changed(bench: Bench) -> None:
    known = bench.record("contacts", email="ada@example.com")
    other = bench.record("contacts", email="ada@example.com", name="Twin")
    config = {"match_criteria": {"email": "ADA@example.com"}, "contact_data": {"city": "Rome"}}
    output = resolve(bench, config)
    assert (output["contact_id"], output["merged"]) == (known, [])
    assert "city" not in (bench.get(known) or {})
    assert bench.get(other) is not None


def test_contact_data_goes_into_a_new_contact_and_an_updated_one(bench: Bench) -> None:
    config = {
        "match_criteria": {"email": "ada@example.com"},
        "update_existing": True,
        "contact_data": {"since": "{{today}}", "stage": "{{trigger.stage}}"},
    }
    assert resolve(bench, config, {"stage": "lead"})["created"] is True
    assert resolve(bench, config, {"stage": "client"})["created"] is False
    [contact] = bench.all("contacts")
    assert contact["stage"] == "client"
    assert len(contact["since"]) == 10


def test_any_is_satisfied_by_one_criterion_all_by_none_less(bench: Bench) -> None:
    known = bench.record("contacts", email="ada@example.com", phone="+4930111111")
    criteria = {"email": "ada@example.com", "phone": "+4930222222"}
    asked = {"match_criteria": criteria, "create_if_not_found": False}
    assert resolve(bench, {**asked, "match_strategy": "any"})["contact_id"] == known
    missed = resolve(bench, {**asked, "match_strategy": "all"})
    assert missed == {
        "found": False,
        "contact_id": None,
        "contact": None,
        "created": False,
        "confidence": 0.0,
        "matched_by": [],
        "merged": [],
        "candidates": [],
    }
    assert len(bench.all("contacts")) == 1


@pytest.mark.parametrize(("threshold", "found"), [(0.7, True), (0.99, False)])
def test_names_match_by_similarity_down_to_the_threshold(bench: Bench, threshold: float, found: bool) -> None:
    bench.record("contacts", name="Jonathan Smith")
    config = {
        "match_criteria": {"name": "Smith Jonathon"},
        "confidence_threshold": threshold,
        "create_if_not_found": False,
    }
    output = resolve(bench, config)
    assert output["found"] is found
    if found:
        assert 0.7 <= output["confidence"] < 0.99
        assert output["matched_by"] == ["name"]


def test_local_phone_numbers_need_a_region(bench: Bench) -> None:
    known = bench.record("contacts", phone="+49 30 1234567")
    config = {"match_criteria": {"phone": "030 1234567"}, "create_if_not_found": False}
    assert resolve(bench, {**config, "default_region": "DE"})["contact_id"] == known
    assert resolve(bench, {**config, "default_region": "US"})["found"] is False


def test_the_tenants_country_is_the_default_region(bench: Bench) -> None:
    known = bench.record("contacts", phone="+49 30 1234567")
    with bench.database.system() as session:
        tenants.set_setting(session, bench.tenant, "country", "DE-BY")
    config = {"match_criteria": {"phone": "030 1234567"}, "create_if_not_found": False}
    assert resolve(bench, config)["contact_id"] == known


def test_weights_add_up_to_the_confidence(bench: Bench) -> None:
    known = bench.record("contacts", email="ada@example.com", name="Ada Byron", phone="+4930111111")
    criteria = {"email": "ada@example.com", "name": "Ada Byron", "phone": "+4930222222"}
    config = {"match_criteria": criteria, "match_strategy": "weighted", "create_if_not_found": False}
    assert resolve(bench, config)["found"] is False
    output = resolve(bench, {**config, "match_weights": {"email": 3, "phone": 0.5}})
    assert (output["contact_id"], output["confidence"]) == (known, 0.889)
    assert output["matched_by"] == ["email", "name"]


def test_candidates_are_listed_with_those_that_are_not_sure(bench: Bench) -> None:
    near = bench.record("contacts", name="Jonathan Smith")
    far = bench.record("contacts", name="Smithers John")
    config = {"match_criteria": {"name": "Jonathon Smith"}, "confidence_threshold": 0.9}
    output = resolve(bench, config)
    assert [one["contact_id"] for one in output["candidates"]] == [near, far]
    best, other = output["candidates"]
    assert (output["contact_id"], output["confidence"]) == (near, best["confidence"])
    assert (best["matched_by"], other["matched_by"]) == (["name"], [])
    assert 0 < other["confidence"] < 0.9 <= best["confidence"] < 1


def test_tags_of_addresses_count_unless_they_are_ignored(bench: Bench) -> None:
    known = bench.record("contacts", email="ada@example.com")
    config = {"match_criteria": {"email": "Ada+News@example.com"}}
    assert resolve(bench, {**config, "ignore_email_tags": True})["contact_id"] == known
    output = resolve(bench, config)
    assert (output["created"], output["contact"]["email"]) == (True, "ada+news@example.com")


def test_similar_names_are_not_folded_unless_that_is_asked_for(bench: Bench) -> None:
    ada = bench.record("contacts", name="Ada Byron")
    ida = bench.record("contacts", name="Ida Byron", city="Rome")
    config = {"match_criteria": {"name": "Ada Byron"}, "merge_duplicates": True}
    assert resolve(bench, config)["merged"] == []
    output = resolve(bench, {**config, "merge_threshold": 0.8, "merge_policy": "keep"})
    assert (output["contact_id"], output["merged"]) == (ada, [ida])
    assert "city" not in output["contact"]


def test_what_was_about_the_duplicate_is_about_the_contact(bench: Bench) -> None:
    kept = bench.record("contacts", email="ada@example.com")
    double = bench.record("contacts", email="ADA@example.com")
    resolve(bench, EXAMPLE, ADA)
    ran = bench.node("update_record", {"update_fields": {"seen": True}}, {"record_id": double})
    assert ran.output["record_id"] == kept
    assert (bench.get(kept) or {})["seen"] is True


def test_duplicates_folded_at_the_same_time_end_in_one(bench: Bench) -> None:
    ids = [bench.record("contacts", email="ada@example.com", phone=ADA["phone"]) for _ in range(4)]
    configs = [
        {"match_criteria": {name: ADA[name]}, "merge_duplicates": True} for name in ("email", "phone")
    ] * 2
    with ThreadPoolExecutor(4) as pool:
        outputs = list(pool.map(lambda config: resolve(bench, config), configs))
    assert {output["contact_id"] for output in outputs} == {ids[0]}
    assert [one["id"] for one in bench.all("contacts")] == [ids[0]]
    assert sorted(one for output in outputs for one in output["merged"]) == sorted(ids[1:])


def test_contacts_may_live_in_another_pipeline(bench: Bench) -> None:
    resolve(bench, {"match_criteria": {"email": "a@b.de"}, "pipeline_id": "leads"})
    assert len(bench.all("leads")) == 1
    ran = bench.node("resolve_contact", {"match_criteria": {"email": "a@b.de"}, "pipeline_id": "lead"})
    assert "there is no pipeline 'lead' (did you mean 'leads'?)" in ran.message


def test_empty_criteria_are_left_out(bench: Bench) -> None:
    bench.record("contacts", email="", phone="unknown", name="Nobody")
    output = resolve(bench, EXAMPLE, {"email": "ada@example.com", "phone": None})
    assert output["created"] is True
    assert "phone" not in output["contact"]


@pytest.mark.parametrize("nothing", [None, "", "   "])
def test_no_criterion_at_all_is_an_error_for_the_author(bench: Bench, nothing: Any) -> None:
    bench.record("contacts", email="", phone="unknown")
    ran = bench.node("resolve_contact", EXAMPLE, {"email": nothing, "phone": nothing})
    assert ran.error["type"] == "ConfigError"
    assert "every value of match_criteria is empty" in ran.message
    assert "put a condition before this node" in ran.message


def test_a_phone_number_without_digits_means_nobody(bench: Bench) -> None:
    bench.record("contacts", phone="unknown")
    ran = bench.node("resolve_contact", {"match_criteria": {"phone": "n/a"}})
    assert "every value of match_criteria is empty" in ran.message


def test_nodes_after_it_know_the_contact(bench: Bench) -> None:
    report = bench.run(
        workflow(
            {"id": "who", "type": "resolve_contact", "config": EXAMPLE},
            {
                "id": "mark",
                "type": "update_record",
                "config": {
                    "record_id": "{{context.contact_id}}",
                    "update_fields": {"greeting": "Hello {{context.contact.email}}"},
                },
            },
        ),
        ADA,
    )
    assert report["status"] == "success"
    assert bench.all("contacts")[0]["greeting"] == "Hello ada@example.com"


def test_executions_at_the_same_time_create_one_contact(bench: Bench) -> None:
    with ThreadPoolExecutor(5) as pool:
        outputs = list(pool.map(lambda _: resolve(bench, EXAMPLE, ADA), range(5)))
    assert sum(output["created"] for output in outputs) == 1
    assert len({output["contact_id"] for output in outputs}) == len(bench.all("contacts")) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"match_criteria": {}}, "at least 1 item"),
        ({"match_strategy": "most"}, "'any', 'all' or 'weighted'"),
        ({"confidence_threshold": 1.5}, "less than or equal to 1"),
        ({"default_region": "Germany"}, "default_region"),
        ({"match_weights": {"email": 2}}, "match_weights is for match_strategy weighted, not any"),
        ({"match_strategy": "weighted", "match_weights": {"mail": 2}}, "match_weights names mail"),
        ({"match_strategy": "weighted", "match_weights": {"email": -1}}, "greater than or equal to 0"),
        (
            {"match_strategy": "weighted", "match_weights": {"email": 0, "phone": 0}},
            "leaves no criterion any weight",
        ),
        ({"merge_policy": "all"}, "'fill', 'newest' or 'keep'"),
    ],
)
def test_saving_checks_the_options(bench: Bench, change: dict[str, Any], message: str) -> None:
    assert bench.problems("resolve_contact", EXAMPLE) == []
    assert message in " ".join(bench.problems("resolve_contact", {**EXAMPLE, **change}))
