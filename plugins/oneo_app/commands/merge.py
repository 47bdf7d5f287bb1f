"""`oneo records merge`: two records that are one."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from oneo_app.console import Json, Tenant, answer, out, plain_errors


class Policy(StrEnum):
    """What the record that stays takes from the duplicate."""

    fill = "fill"
    newest = "newest"
    keep = "keep"


def merge_records(
    kept: Annotated[str, typer.Argument(help="Id of the record that stays.", metavar="KEPT")],
    duplicate: Annotated[
        str, typer.Argument(help="Id of the record that goes into it.", metavar="DUPLICATE")
    ],
    policy: Annotated[
        Policy,
        typer.Option(
            "--policy",
            help="What the one that stays takes: fill (what it lacks), newest (what was changed last), keep (nothing).",
        ),
    ] = Policy.fill,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Fold a record into another, with its tasks and relations; the history of the one that stays shows both."""
    from oneo.errors import NotFoundError  # noqa: PLC0415
    from oneo.store import merging, records  # noqa: PLC0415
    from oneo.store.locks import lock_records  # noqa: PLC0415
    from oneo_app import connect  # noqa: PLC0415

    with plain_errors(as_json):
        tenant_id = connect.tenant_or_default(tenant)
        with connect.store() as found, found.tenant(tenant_id) as session:
            ids = [records.get(session, one).id for one in (kept, duplicate)]
            rows = lock_records(session, ids)
            gone = [one for one in ids if one not in rows]
            if gone:
                raise NotFoundError(f"record {gone[0]} was deleted meanwhile", hint="look again")
            merging.merge(session, rows[ids[0]], [rows[ids[1]]], policy.value)
            result = {
                "kept": str(ids[0]),
                "merged": str(ids[1]),
                "record": records.view(rows[ids[0]]),
            }
        answer(result, as_json, lambda: out.print(f"{result['merged']} is part of {result['kept']} now"))
