"""A shard file: every workflow on its own feet, the newest version that can be rendered."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager

from dag_factory.bundle import shard_of
from oneo.store import revisions, workflows
from oneo_operators.shard import dags
from tests.factory.documents import chain, edge, graph, notify


@pytest.fixture
def shard(tenant: str) -> Any:
    """Loads the tenant's DAGs of the shard that one workflow lives in, as of a revision."""

    def load(published: Any) -> dict[str, Any]:
        number = shard_of(f"{tenant}--{published.workflow_id}")
        found = dags(shard=number, revision=published.revision)
        return {key: dag for key, dag in found.items() if key.startswith(f"{tenant}--")}

    return load


def neighbours(tenant: str, count: int) -> list[str]:
    """Ids of workflows that share a shard."""
    first = shard_of(f"{tenant}--w0")
    return [f"w{i}" for i in range(10_000) if shard_of(f"{tenant}--w{i}") == first][:count]


def called(workflow_id: str, message: str = "Hi") -> dict[str, Any]:
    return {**chain(notify(message=message)), "id": workflow_id}


def render_error(store: Any, tenant: str, workflow_id: str) -> str | None:
    with store.tenant(tenant) as session:
        return workflows.get(session, workflow_id).render_error


def test_a_shard_holds_its_own_workflows_only(shard, publish_to, tenant):
    one, two = neighbours(tenant, 2)
    elsewhere = next(f"w{i}" for i in range(1000) if shard_of(f"{tenant}--w{i}") != shard_of(f"{tenant}--w0"))
    publish_to(called(one))
    publish_to(called(elsewhere))
    last = publish_to(called(two))
    assert set(shard(last)) == {f"{tenant}--{one}", f"{tenant}--{two}"}


def test_a_broken_definition_does_not_take_its_neighbours_down(
    shard, publish_to, publish_broken, store, tenant
):
    fine, broken = neighbours(tenant, 2)
    publish_to(called(fine))
    last = publish_broken(called(broken))

    assert set(shard(last)) == {f"{tenant}--{fine}"}

    assert "'uninstalled_type'" in (render_error(store, tenant, broken) or "")
    assert render_error(store, tenant, fine) is None


def test_the_last_good_version_stands_in_and_says_so(shard, publish_to, publish_broken, tenant):
    publish_to(called("w0", "first"))
    publish_to(called("w0", "second"))
    publish_broken(called("w0"))
    dag = shard(publish_broken(called("w0")))[f"{tenant}--w0"]
    assert "version:2" in dag.tags
    assert dag.doc_md.startswith("> **Version 4 cannot be rendered: ")
    assert "Version 2 runs instead.**" in dag.doc_md
    assert dag.get_task("tell").node_config["message"] == "second"


def test_the_reason_is_forgotten_once_the_version_can_be_rendered(
    shard, publish_to, publish_broken, store, tenant
):
    broken = publish_broken(called("w0"))
    shard(broken)
    assert render_error(store, tenant, "w0") is not None
    with store.system() as session:
        for stored in revisions.at_revision(session, broken.revision, f"{tenant}--w0"):
            workflows.note_render_error(session, stored.row, "an older reason")
    assert render_error(store, tenant, "w0") == "an older reason"
    shard(publish_to(called("w0")))
    assert render_error(store, tenant, "w0") is None


def test_a_reason_goes_away_without_a_publish_where_the_node_type_is_back(shard, publish_to, store, tenant):
    published = publish_to(called("w0"))
    with store.system() as session:
        for stored in revisions.at_revision(session, published.revision, f"{tenant}--w0"):
            workflows.note_render_error(session, stored.row, "no such node type")
    shard(published)
    assert render_error(store, tenant, "w0") is None


def test_an_older_revision_gives_the_older_version(shard, publish_to, store, tenant):
    first = publish_to(called("w0", "first"))
    second = publish_to(called("w0", "second"))
    with store.tenant(tenant) as session:
        gone = workflows.withdraw(session, tenant, "w0")
    messages = [
        shard(published)[f"{tenant}--w0"].get_task("tell").node_config["message"]
        for published in (first, second)
    ]
    assert messages == ["first", "second"]
    assert shard(gone) == {}


def test_an_older_revision_is_no_reason_to_note_anything_about_the_newest(
    shard, publish_to, publish_broken, store, tenant
):
    broken = publish_broken(called("w0"))
    publish_to(called("w0"))
    shard(broken)
    assert render_error(store, tenant, "w0") is None


def test_later_versions_keep_the_first_start_date(shard, publish_to, tenant):
    first = shard(publish_to(called("w0", "first")))[f"{tenant}--w0"]
    second = shard(publish_to(called("w0", "second")))[f"{tenant}--w0"]
    assert first.start_date == second.start_date


def test_a_task_loads_its_own_dag_and_task_only(shard, publish_to, publish_broken, store, tenant):
    one, two = neighbours(tenant, 2)
    publish_broken(called(two))
    last = publish_to(
        {**graph([notify("a"), notify("b")], [edge("start", "a"), edge("start", "b")]), "id": one}
    )
    with _airflow_parsing_context_manager(dag_id=f"{tenant}--{one}", task_id="b"):
        found = shard(last)
    assert [(key, dag.task_ids) for key, dag in found.items()] == [(f"{tenant}--{one}", ["b"])]
    # Only the DAG processor keeps reasons: tasks come by the hundred.
    assert render_error(store, tenant, two) is None


def test_a_task_of_a_broken_version_finds_the_good_one_too(shard, publish_to, publish_broken, tenant):
    publish_to(called("w0", "first"))
    broken = publish_broken(called("w0"))
    with _airflow_parsing_context_manager(dag_id=f"{tenant}--w0", task_id="tell"):
        found = shard(broken)
    assert found[f"{tenant}--w0"].get_task("tell").node_config["message"] == "first"


def test_an_unknown_dag_is_no_error(shard, publish_to, tenant):
    last = publish_to(called("w0"))
    with _airflow_parsing_context_manager(dag_id="someone--else"):
        assert shard(last) == {}
