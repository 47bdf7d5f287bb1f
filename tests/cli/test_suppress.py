"""`oneo suppress`: who stands on a list, by command and by file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from oneo.database import Database
from tests.factory.conftest import bundle_home, make_bundle, store
from tests.tenants.conftest import oneo

__all__ = ["bundle_home", "make_bundle", "oneo", "store"]

Oneo = Callable[..., Any]


def shown(oneo: Oneo, tenant: str, *arguments: str) -> Any:
    return json.loads(oneo("suppress", *arguments, "--tenant", tenant, "--json").stdout)


def test_entries_are_kept_in_one_spelling_once(oneo: Oneo, store: Database, tenant: str) -> None:
    first = shown(
        oneo, tenant, "add", "stop", "Ann@Example.com", "ann@example.com ", "@Example.org", "+49 30/90 18 20"
    )
    assert first == {"tenant": tenant, "list": "stop", "added": 3, "known": 0}
    assert shown(oneo, tenant, "add", "stop", "ANN@example.com")["known"] == 1
    held = [(one["kind"], one["value"]) for one in shown(oneo, tenant, "list", "stop")]
    assert held == [("domain", "example.org"), ("email", "ann@example.com"), ("phone", "+4930901820")]
    assert shown(oneo, tenant, "remove", "stop", "example.ORG", "no@where.org")["removed"] == 1
    assert len(shown(oneo, tenant, "list")) == 2


def test_a_file_is_taken_as_a_whole_or_not_at_all(
    oneo: Oneo, store: Database, tenant: str, tmp_path: Path
) -> None:
    file = tmp_path / "gone.csv"
    file.write_text("ann@example.com,Ann\n\nnobody\nexample.org\n!!\n")
    refused = oneo("suppress", "import", "stop", str(file), "--tenant", tenant)
    said = " ".join((refused.stdout + refused.stderr).split())
    assert refused.exit_code != 0
    assert "gone.csv:3: 'nobody' is no e-mail address" in said
    assert "gone.csv:5: '!!'" in said
    assert shown(oneo, tenant, "list") == []
    file.write_text("ann@example.com,Ann\n\nexample.org\n")
    assert shown(oneo, tenant, "import", "stop", str(file))["added"] == 2


def test_what_a_value_is_can_be_said(oneo: Oneo, store: Database, tenant: str) -> None:
    assert (
        oneo("suppress", "add", "stop", "example.org", "--kind", "email", "--tenant", tenant).exit_code != 0
    )
    unknown = oneo("suppress", "add", "stop", "a@b.de", "--kind", "mail", "--tenant", tenant)
    assert "there is no kind 'mail'" in unknown.stdout + unknown.stderr
    named = oneo("suppress", "add", "my list", "a@b.de", "--tenant", tenant)
    assert "'my list' is no name of a list" in named.stdout + named.stderr
