"""`python -m oneo_app.capture`: read the changes of tables that hold records, until told to stop."""

from __future__ import annotations

import logging
import os
import signal
from pathlib import Path
from threading import Event

from oneo.database import database
from oneo_app.capture.watching import watch_all
from oneo_app.server_vault import server_vault


def main() -> None:
    """Run."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    ready = os.environ.get("ONEO_READY_FILE")
    if ready:
        Path(ready).touch()
    watch_all(database(), server_vault(), stop)


if __name__ == "__main__":
    main()
