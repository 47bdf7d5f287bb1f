"""A tenant's quota of storage: what it keeps is counted by kind, and above it nothing more is taken in."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from oneo.database import Database
from oneo.errors import QuotaError
from oneo.forms.answers import Taken
from oneo.forms.spec import parse_form
from oneo.importing import ImportOptions, import_file
from oneo.store import form_files, forms, inbox, mail_files, storage
from oneo.store.storage import MB
from oneo_app.dispatcher.measuring import Measuring, measure_due
from tests.nodes.bench import Bench, workflow
from tests.nodes.conftest import bench

__all__ = ["bench"]

# Nothing can make it smaller.
NOISE = "".join(uuid4().hex for _ in range(20_000))
SHOW = {"id": "show", "type": "set_variable", "config": {"variables": {"big": "{{ trigger.big }}"}}}


@pytest.fixture
def limit(oneo: Callable[..., Any], tenant: str) -> Callable[[int | str], None]:
    def to(most: int | str) -> None:
        done = oneo("tenants", "set", tenant, f"max_storage_mb={most}")
        assert done.exit_code == 0, done.output

    return to


@pytest.fixture
def keep(database: Database, tenant: str) -> Callable[[str, int], None]:
    """Keeps a file of a form or of a mail."""
    form = {"id": "contact", "name": "Contact", "schema": {"properties": {"name": {"type": "string"}}}}
    with database.tenant(tenant) as session:
        forms.apply(session, tenant, parse_form(form, "form"))
        mail_id = inbox.put(session, tenant, "email", "support", {})
    assert mail_id is not None

    def one(kind: str, size: int) -> None:
        with database.tenant(tenant) as session:
            content = NOISE[:size].encode()
            if kind == "form":
                cv = Taken("cv", "cv.pdf", "application/pdf", content)
                form_files.keep(session, tenant, "contact", uuid4(), cv, None)
            else:
                about = {"name": "cv.pdf", "content_type": "application/pdf"}
                mail_files.keep(session, tenant, mail_id, uuid4(), content=content, **about)

    return one


def kept(database: Database, tenant: str) -> dict[str, int]:
    with database.tenant(tenant) as session:
        return dict(storage.kept(session, tenant).by_kind)


def shown(oneo: Callable[..., Any], tenant: str) -> dict[str, Any]:
    return json.loads(oneo("tenants", "show", tenant, "--json").stdout)


def test_everything_that_is_kept_is_counted_by_kind(
    oneo: Callable[..., Any], bench: Bench, keep: Callable[[str, int], None]
) -> None:
    assert shown(oneo, bench.tenant)["storage"]["large_results"] == 0
    before = shown(oneo, bench.tenant)["storage"]
    bench.record("leads", note=NOISE[:300_000])
    with_record = shown(oneo, bench.tenant)["storage"]
    # The record and its history; the event of its creation.
    assert 600_000 * 0.5 < with_record["records"] - before["records"] < 650_000
    assert 300_000 * 0.5 < with_record["events"] - before["events"] < 350_000

    keep("form", 200_000)
    keep("mail", 100_000)
    bench.run(workflow(SHOW), {"big": NOISE[:600_000]})
    after = shown(oneo, bench.tenant)["storage"]

    assert 300_000 * 0.5 < after["files"] - with_record["files"] < 310_000
    assert after["large_results"] > 600_000 * 0.4
    assert after["executions"] > with_record["executions"]


def test_how_much_is_used_stands_beside_each_quota(
    oneo: Callable[..., Any], bench: Bench, limit: Callable[[int], None]
) -> None:
    limit(50)
    bench.record("leads", name="Ann")
    bench.run(workflow(SHOW), {"big": 1})
    said = shown(oneo, bench.tenant)
    used = said["used"]
    assert said["settings"] == {"max_storage_mb": 50}
    names = ("max_executions_per_hour", "max_active_executions", "max_records")
    assert [used[name] for name in names] == [1, 0, 1]
    assert used["max_storage_mb"] == sum(said["storage"].values()) / MB > 0
    table = oneo("tenants", "show", bench.tenant).stdout
    assert ["max_storage_mb", "50"] in [line.replace("│", " ").split()[:2] for line in table.splitlines()]
    assert "large results" in table


def test_nobody_is_shown_a_tenant_that_is_not_there(oneo: Callable[..., Any]) -> None:
    done = oneo("tenants", "show", "nobody-here")
    assert (done.exit_code, "there is no tenant 'nobody-here'" in done.output) == (1, True)


@pytest.mark.parametrize("kind", ["form", "mail"])
def test_a_file_without_room_is_refused_with_what_is_kept(
    database: Database,
    tenant: str,
    kind: str,
    keep: Callable[[str, int], None],
    limit: Callable[[int], None],
) -> None:
    limit(1)
    keep(kind, 600_000)
    with pytest.raises(QuotaError) as refused:
        keep(kind, 500_000)
    assert f"max_storage_mb of tenant '{tenant}' is 1, and it keeps 600." in refused.value.message
    assert "files 600." in refused.value.message
    assert refused.value.message.endswith("no room for file 'cv.pdf' of 500.0 kB")
    assert f"oneo tenants set {tenant} max_storage_mb=" in str(refused.value.hint)
    keep(kind, 300_000)


def test_what_was_removed_makes_room_once_it_is_counted_anew(
    oneo: Callable[..., Any],
    database: Database,
    tenant: str,
    keep: Callable[[str, int], None],
    limit: Callable[[int], None],
) -> None:
    limit(1)
    keep("form", 900_000)
    with database.removal(tenant) as session:
        session.execute(text("DELETE FROM form_files"))
    with pytest.raises(QuotaError):
        keep("form", 900_000)
    assert shown(oneo, tenant)["storage"]["files"] == 0
    keep("form", 900_000)


def test_new_records_are_refused_while_executions_go_on(
    database: Database, bench: Bench, limit: Callable[[int], None]
) -> None:
    limit(1)
    first = bench.record("leads", name="Ann", note=NOISE[:250_000])
    with pytest.raises(QuotaError, match="no room for a record of"):
        bench.record("leads", name="Bob", note=NOISE[:250_000])
    with database.removal(bench.tenant) as session:
        storage.measure(session, bench.tenant)

    big = {"pipeline_id": "leads", "record_data": {"note": NOISE[:600_000]}}
    change = {"record_id": first, "update_fields": {"more": NOISE[:600_000]}}
    assert "max_storage_mb" in bench.node("create_record", big).message
    # What runs may still change what is there, and keep what it has found out.
    bench.node("update_record", change)
    report = bench.run(workflow(SHOW), {"big": NOISE[:600_000]})
    assert report["status"] == "success"


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_import_rejects_the_rows_without_room(
    database: Database, bench: Bench, limit: Callable[[int], None], tmp_path: Path, dry_run: bool
) -> None:
    bench.record("leads", name="one", external_id="1")
    limit(1)
    file = tmp_path / "people.csv"
    rows = [f"{number},{NOISE[number : number + 1000]}\n" for number in range(1, 1001)]
    file.write_text("external_id,note\n" + "".join(rows))
    options = ImportOptions(tmp_path / "rejects.csv", events="silent", dry_run=dry_run)
    result = import_file(database, bench.tenant, "leads", file, options)
    assert (result.updated, result.created + result.rejected) == (1, 999)
    # Each row stands in its record, its history and its event.
    assert 300 < result.created < 340
    assert (tmp_path / "rejects.csv").read_text().count("max_storage_mb") == result.rejected
    assert (kept(database, bench.tenant)["records"] > 900_000) is not dry_run


def test_what_is_added_between_two_counts_is_counted_once(
    database: Database, tenant: str, keep: Callable[[str, int], None], limit: Callable[[int], None]
) -> None:
    limit(100)
    before = kept(database, tenant)["files"]
    keep("form", 250_000)
    assert kept(database, tenant)["files"] - before == 250_000
    with database.removal(tenant) as session:
        storage.measure(session, tenant)
        # Somebody adds a file after the count and before its end.
        keep("form", 250_000)
    assert kept(database, tenant)["files"] == pytest.approx(before + 500_000, rel=0.01)


def test_the_dispatcher_counts_what_tenants_with_a_quota_keep(
    database: Database, tenant: str, other_tenant: str, bench: Bench, limit: Callable[[int], None]
) -> None:
    limit(100)
    bench.record("leads", note=NOISE[:200_000])
    measure_due(database)
    assert measure_due(database) == 0
    with database.system() as session:
        old = text("UPDATE tenants SET storage_measured_at = now() - interval '1 hour' WHERE id = :tenant")
        session.execute(old, {"tenant": tenant})
        assert storage.due(session, timedelta(minutes=10)) == tenant
    counting = Measuring(database)
    counting.begin()
    assert counting._thread is not None
    counting._thread.join(30)
    with database.tenant(tenant) as session:
        figure = storage.kept(session, tenant)
    assert figure.measured_at is not None
    assert figure.by_kind["events"] > 100_000
    with database.system() as session:
        assert storage.due(session, timedelta(minutes=10)) is None
    assert kept(database, other_tenant) == {}


def test_without_the_quota_nothing_is_noted(
    database: Database, bench: Bench, keep: Callable[[str, int], None], limit: Callable[[str], None]
) -> None:
    limit("")
    keep("form", 100_000)
    UUID(bench.record("leads", note="x"))
    with database.tenant(bench.tenant) as session:
        assert session.scalar(text("SELECT count(*) FROM storage_written")) == 0
