"""`oneo hooks`, and `oneo.emit`, as a tenant's people use them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import oneo as product
from oneo.store import hook_refusals, inbox
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm

__all__ = ["crm"]
HOOK = {"path": "orders", "secret_key": "{{ secrets.shop }}", "filters": {"a": 1}}


def test_hooks_are_listed(oneo: Callable[..., Any], crm: Crm) -> None:
    crm.watch("trigger_webhook", **HOOK)
    (hook,) = json.loads(oneo("hooks", "list", "--tenant", crm.tenant, "--json").stdout)
    assert (hook["path"], hook["workflow"], hook["signature"]) == ("orders", "watch", "standard")
    assert f"/oneo/hooks/{crm.tenant}/orders" in oneo("hooks", "list", "--tenant", crm.tenant).stdout


def test_what_came_in_is_shown_with_the_reason(oneo: Callable[..., Any], crm: Crm) -> None:
    crm.watch("trigger_webhook", **HOOK)
    with crm.database.tenant(crm.tenant) as session:
        for number in (1, 2):
            inbox.put(session, crm.tenant, "webhook", "orders", {"payload": {"a": number}}, key=f"[{number}]")
        hook_refusals.note(session, crm.tenant, "orders", "signature", "the signature is wrong", 7)
    crm.round()
    shown = oneo("hooks", "show", "orders", "--tenant", crm.tenant)
    assert shown.exit_code == 0
    for text in ("started", "does not fit the filter", "[2]", "signature", "7"):
        assert text in shown.stdout


def test_a_hook_that_is_not_there(oneo: Callable[..., Any], crm: Crm) -> None:
    crm.watch("trigger_webhook", **HOOK)
    done = oneo("hooks", "show", "order", "--tenant", crm.tenant)
    assert (done.exit_code, "orders" in done.output) == (1, True)


def test_emit_starts_the_workflows_of_a_name(store: Any, crm: Crm) -> None:
    crm.watch("trigger_event", event="paid")
    ids = [product.emit("paid", {"amount": 7}, key="invoice-7", tenant=crm.tenant) for _ in range(2)]
    crm.round()
    assert [row.event_id for row in crm.started] == [ids[0]]
    assert ids[1] is None
