"""`python -m oneo_app.mail`: watch the mailboxes of ONEO_MAILBOXES until told to stop."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from threading import Event, Thread

from oneo.database import database
from oneo.errors import OneoError, UserError
from oneo.settings import settings
from oneo.store.tenants import check_id
from oneo_app.mail.access import access
from oneo_app.mail.watching import watch
from oneo_app.server_vault import server_vault

logger = logging.getLogger(__name__)

# A connection that is made or mended while the stack runs counts after this long.
LOOK_AGAIN_SECONDS = 60.0


def main() -> None:
    """Run."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    threads = [Thread(target=_watch, args=(*one, stop)) for one in wanted(settings().mailboxes)]
    for thread in threads:
        thread.start()
    ready = os.environ.get("ONEO_READY_FILE")
    if ready:
        Path(ready).touch()
    for thread in threads:
        thread.join()


def wanted(text: str) -> list[tuple[str, str]]:
    """The (tenant, connection) pairs of a setting.

    Raises:
        UserError: An entry is none.
    """
    found = []
    for entry in filter(None, map(str.strip, text.split(","))):
        tenant_id, slash, connection = entry.partition("/")
        if not (slash and connection):
            raise UserError(
                f"ONEO_MAILBOXES: {entry!r} names no connection", hint="write e.g. acme/oneo_imap"
            )
        found.append((check_id(tenant_id), connection))
    return list(dict.fromkeys(found))


def _watch(tenant_id: str, connection: str, stop: Event) -> None:
    while not stop.is_set():
        try:
            box = access(server_vault(), tenant_id, connection)
        except OneoError as error:
            logger.warning("tenant %s, mailbox %s is not watched: %s", tenant_id, connection, error)
            stop.wait(LOOK_AGAIN_SECONDS)
            continue
        watch(database(), box, stop)


if __name__ == "__main__":
    main()
