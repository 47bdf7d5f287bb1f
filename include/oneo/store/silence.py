"""Changes of records that start no workflow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from oneo.store import bulk


@contextmanager
def silenced(session: Session) -> Iterator[None]:
    """What is changed in here starts no workflow; the history knows it as ever."""
    bulk.set_events(session, "silent")
    yield
    bulk.set_events(session, "now")
