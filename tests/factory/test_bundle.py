"""The store as a DAG bundle: which files Airflow finds, and which of them a publish touches."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dag_factory.bundle import SHARDS, shard_of
from oneo.store import workflows
from tests.factory.documents import chain, notify


def files(folder: Path) -> dict[str, tuple[int, int]]:
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.glob("shard_*.py")}


def named(index: int, message: str = "Hi") -> dict[str, object]:
    return {**chain(notify(message=message)), "id": f"w{index}"}


def file_of(tenant: str, workflow: str) -> str:
    return f"shard_{shard_of(f'{tenant}--{workflow}'):02}.py"


def test_a_publish_rewrites_its_own_shard_and_no_other(make_bundle, publish_to, tenant):
    for index in range(6):
        publish_to(named(index))
    bundle = make_bundle()
    bundle.initialize()
    before = files(bundle.path)

    publish_to(named(0, "changed"))
    bundle.refresh()

    after = files(bundle.path)
    assert {name for name in after if after[name] != before[name]} == {file_of(tenant, "w0")}


def test_a_refresh_without_news_touches_nothing(make_bundle, publish_to):
    publish_to(named(0))
    bundle = make_bundle()
    bundle.initialize()
    before = files(bundle.path)
    bundle.refresh()
    assert files(bundle.path) == before


def test_a_change_that_airflow_overlooked_is_shown_again_until_it_is_live(
    make_bundle, publish_to, store, tenant, monkeypatch
):
    monkeypatch.setattr("dag_factory.bundle.OVERDUE_SECONDS", 0)
    publish_to(named(0))
    bundle = make_bundle()
    bundle.initialize()
    file = bundle.path / file_of(tenant, "w0")

    def age_and_refresh() -> bool:
        os.utime(file, (1, 1))
        bundle.refresh()
        return file.stat().st_mtime > 1

    assert age_and_refresh()
    with store.system() as session:
        workflows.mark_live(session, tenant, "w0", 1)
    # Others of the same shard may still be waiting: the test database is shared.
    with store.system() as session:
        waiting = {file_of(*dag_id.split("--", 1)) for dag_id in workflows.overdue(session, 0)}
    assert age_and_refresh() == (file.name in waiting)


def test_a_shard_names_its_revision_and_holds_no_definition(make_bundle, publish_to, tenant):
    published = publish_to(named(0, "secret message"))
    bundle = make_bundle()
    bundle.initialize()
    text = (bundle.path / file_of(tenant, "w0")).read_text()
    assert f"revision={published.revision})" in text
    assert "secret message" not in text
    compile(text, "shard", "exec")


def test_the_file_of_a_shard_disappears_with_its_last_workflow(make_bundle, publish_to, store, tenant):
    bundle = make_bundle()
    bundle.initialize()
    taken = files(bundle.path)
    index = next(index for index in range(10_000) if file_of(tenant, f"w{index}") not in taken)
    publish_to(named(index))
    bundle.refresh()
    assert file_of(tenant, f"w{index}") in files(bundle.path)

    with store.tenant(tenant) as session:
        workflows.withdraw(session, tenant, f"w{index}")
    bundle.refresh()

    assert files(bundle.path) == taken


def test_a_missing_file_comes_back_with_the_next_change(make_bundle, publish_to, tenant):
    publish_to(named(0))
    bundle = make_bundle()
    bundle.initialize()
    (bundle.path / file_of(tenant, "w0")).unlink()
    other = next(i for i in range(1, 1000) if file_of(tenant, f"w{i}") != file_of(tenant, "w0"))
    publish_to(named(other))
    bundle.refresh()
    assert file_of(tenant, "w0") in files(bundle.path)


def test_the_current_version_is_the_revision_that_was_read_last(make_bundle, publish_to):
    bundle = make_bundle()
    first = publish_to(named(0))
    bundle.initialize()
    assert bundle.get_current_version().version == str(first.revision)
    second = publish_to(named(1))
    assert bundle.get_current_version().version == str(first.revision)
    bundle.refresh()
    assert bundle.get_current_version().version == str(second.revision)


def test_a_store_that_went_back_in_time_replaces_everything(make_bundle, publish_to):
    publish_to(named(0))
    bundle = make_bundle()
    bundle.initialize()
    current = bundle.get_current_version().version
    (bundle.path / "shard_99.py").touch()
    (bundle.path / ".revision").write_text("999999999")
    before = files(bundle.path)

    bundle.refresh()

    assert bundle.get_current_version().version == current
    after = files(bundle.path)
    assert all(after[name] != before[name] for name in after if name != "shard_99.py")


@pytest.mark.parametrize("content", ["", "not a number"])
def test_a_damaged_note_of_the_revision_is_read_again_from_the_store(
    make_bundle, publish_to, tenant, content
):
    published = publish_to(named(0))
    bundle = make_bundle()
    bundle.initialize()
    (bundle.path / ".revision").write_text(content)
    bundle.refresh()
    assert bundle.get_current_version().version == str(published.revision)
    assert file_of(tenant, "w0") in files(bundle.path)


def test_a_version_is_made_once_and_never_changes(make_bundle, publish_to):
    published = publish_to(named(0))
    version = make_bundle(str(published.revision))
    version.initialize()
    before = files(version.path)
    assert len(before) == SHARDS
    assert version.get_current_version().version == str(published.revision)

    publish_to(named(0, "changed"))
    again = make_bundle(str(published.revision))
    again.initialize()
    again.refresh()

    assert files(again.path) == before


def test_workers_that_need_a_version_at_the_same_moment_all_get_it(make_bundle, publish_to):
    revision = str(publish_to(named(0)).revision)
    bundles = [make_bundle(revision) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda bundle: bundle.initialize(), bundles))
    assert len(files(bundles[0].path)) == SHARDS
    assert [path.name for path in bundles[0].versions_dir.iterdir()] == [revision]


def test_processes_that_start_at_the_same_moment_share_one_folder(
    make_bundle, publish_to, bundle_home, tenant
):
    published = publish_to(named(0))
    bundle = make_bundle()
    program = (
        "import sys; from dag_factory.bundle import WorkflowBundle;"
        "WorkflowBundle(name=sys.argv[1]).initialize();"
        "WorkflowBundle(name=sys.argv[1], version=sys.argv[2]).initialize()"
    )
    command = [sys.executable, "-c", program, bundle.name, str(published.revision)]
    running = [subprocess.Popen(command, env=dict(os.environ)) for _ in range(2)]
    assert [process.wait(60) for process in running] == [0, 0]
    assert file_of(tenant, "w0") in files(bundle.path)
    assert bundle.get_current_version().version == str(published.revision)
    assert len(files(make_bundle(str(published.revision)).path)) == SHARDS


@pytest.mark.parametrize("version", ["../../etc", "1; import os", "1/../../2"])
def test_a_version_that_is_no_revision_reaches_no_path(make_bundle, version):
    with pytest.raises(ValueError, match="invalid literal"):
        make_bundle(version).initialize()
