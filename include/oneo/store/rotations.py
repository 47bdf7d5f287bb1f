"""Rotations: people take turns, whoever asks."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.store.models import Rotation


def whose_turn(session: Session, tenant_id: str, rotation_id: str, people: Sequence[str]) -> str:
    """Whose turn it is, in the order of the list; whoever stands in it twice has two turns in a round.

    The next to ask waits until the transaction ends: a turn that is taken back is nobody's.
    """
    first = insert(Rotation).values(tenant_id=tenant_id, id=rotation_id, turns=1)
    key = ["tenant_id", "id"]
    taken = first.on_conflict_do_update(index_elements=key, set_={"turns": Rotation.turns + 1})
    turns = session.scalars(taken.returning(Rotation.turns)).one()
    return people[(turns - 1) % len(people)]
