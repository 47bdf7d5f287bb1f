"""`oneo tokens`: keys come, are shown once, and go."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from oneo.database import Database
from oneo.store import api_tokens


def test_a_key_is_shown_once_and_opens_until_it_is_revoked(
    oneo: Callable[..., Any], database: Database, tenant: str
) -> None:
    made = json.loads(
        oneo("tokens", "create", "shop", "--scope", "hooks", "--tenant", tenant, "--json").stdout
    )
    with database.system() as session:
        bearer = api_tokens.bearer(session, made["token"])
    assert (bearer.tenant_id, bearer.scopes) == (tenant, {"hooks"})
    listed = oneo("tokens", "list", "--tenant", tenant, "--json").stdout
    assert ("shop" in listed, made["token"] in listed) == (True, False)
    assert oneo("tokens", "revoke", made["id"], "--tenant", tenant).exit_code == 0
    with database.system() as session:
        assert api_tokens.bearer(session, made["token"]) is None


def test_a_key_of_another_tenant_cannot_be_revoked(
    oneo: Callable[..., Any], tenant: str, other_tenant: str
) -> None:
    made = json.loads(oneo("tokens", "create", "shop", "--tenant", tenant, "--json").stdout)
    assert oneo("tokens", "revoke", made["id"], "--tenant", other_tenant).exit_code == 1


def test_a_scope_that_is_none(oneo: Callable[..., Any], tenant: str) -> None:
    done = oneo("tokens", "create", "shop", "--scope", "event", "--tenant", tenant)
    assert (done.exit_code, "events" in done.output) == (1, True)
