"""`python -m oneo_app.dispatcher`: run one dispatcher, and a sender beside it, until told to stop."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from threading import Event, Thread

from oneo.database import database
from oneo_app.dispatcher.loop import Dispatcher
from oneo_app.sending.sender import Sender
from oneo_app.server_vault import server_vault

# How long what is being sent may take to be noted; without, nobody knows whether it was sent.
PATIENCE_SECONDS = 3.0


def main() -> None:
    """Run."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    ready = os.environ.get("ONEO_READY_FILE")
    stop = Event()
    # Other systems take their time: what starts workflows does not wait for them.
    sending = Thread(target=Sender(database(), server_vault()).run, args=(stop,), daemon=True)
    sending.start()
    Dispatcher(database(), Path(ready) if ready else None).run()
    stop.set()
    sending.join(PATIENCE_SECONDS)


if __name__ == "__main__":
    main()
