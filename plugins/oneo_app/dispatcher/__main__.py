"""`python -m oneo_app.dispatcher`: run one dispatcher until it is told to stop."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from oneo.database import database
from oneo_app.dispatcher.loop import Dispatcher


def main() -> None:
    """Run."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    ready = os.environ.get("ONEO_READY_FILE")
    Dispatcher(database(), Path(ready) if ready else None).run()


if __name__ == "__main__":
    main()
