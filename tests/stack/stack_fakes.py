"""Cheap stand-ins for components, and waiting for conditions."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

from oneo_app.stack.component import Component
from oneo_app.stack.health import file_touched
from oneo_app.stack.layout import Layout

SERVER = """
import pathlib, signal, sys, threading
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
pathlib.Path(sys.argv[1]).touch()
stop.wait()
"""

# Its own child stays behind in the session when the parent is killed.
PARENT = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path(sys.argv[1] + ".child").write_text(str(child.pid))
pathlib.Path(sys.argv[1]).touch()
time.sleep(600)
"""

STUBBORN = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
time.sleep(600)
"""

BROKEN = "import sys; sys.exit('the disk is upside down')"


def fake(where: Layout, name: str, script: str = SERVER, *, rank: int = 0, grace: float = 5) -> Component:
    ready = where.run / f"{name}.ready"
    return Component(
        name=name,
        command=[sys.executable, "-S", "-c", script, str(ready)],
        is_ready=file_touched(ready),
        before_start=lambda: ready.unlink(missing_ok=True),
        stop_rank=rank,
        grace=grace,
    )


def child_of(where: Layout, name: str) -> int:
    return int((where.run / f"{name}.ready.child").read_text())


async def until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        await asyncio.sleep(0.01)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.02)


def layout_in(folder: Path) -> Layout:
    where = Layout(folder)
    where.create()
    return where
