"""A running component: a child of ours, or an adopted process."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from oneo.errors import InfrastructureError
from oneo_app.stack.component import Component
from oneo_app.stack.environ import child_environment
from oneo_app.stack.processes import Identity, kill

_LOG_LIMIT = 20_000_000
_POLL = 0.2


class Child:
    """A process and the way to await its end.

    Args:
        identity: The process.
        process: Its handle where it is a child of ours.
    """

    def __init__(self, identity: Identity, process: asyncio.subprocess.Process | None) -> None:
        self.identity = identity
        self._process = process

    @classmethod
    async def start(cls, component: Component, log: Path) -> Child:
        """Start the component, or adopt the process it has already."""
        if (found := component.find_running()) is not None:
            return cls(found, None)
        with _open_log(log) as stream:
            try:
                process = await asyncio.create_subprocess_exec(
                    *component.command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    env=child_environment(dict(component.environment)),
                    cwd="/",  # no folder is kept busy, and no stray module of it is imported
                    start_new_session=True,
                    **component.run_as,
                )
            except OSError as error:
                raise InfrastructureError(f"{component.command[0]} cannot be started: {error}") from error
        identity = Identity.of(process.pid)
        # A child that ended at once still has its number until we ask for its exit code.
        return cls(identity or Identity(process.pid, 0.0), process)

    async def wait(self) -> str:
        """Wait for the end; how it ended, in words."""
        if self._process is None:
            while self.identity.is_alive():  # noqa: ASYNC110 - not our child: nobody tells us
                await asyncio.sleep(_POLL)
            return "ended"
        code = await self._process.wait()
        if code < 0:
            with suppress(ValueError):
                return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    async def stop(self, component: Component) -> str:
        """Ask the process to end, then kill what is left of its family.

        Returns:
            How it ended.
        """
        family = self.identity.family()
        self.identity.signal(component.stop_signal)
        try:
            async with asyncio.timeout(component.grace):
                message = await self.wait()
        except TimeoutError:
            message = f"was killed after {component.grace:.0f} s"
        await self.kill_family()
        await asyncio.to_thread(kill, family)  # what has left the session since
        return message

    async def kill_family(self) -> None:
        """Kill everything that belongs to the component."""
        await asyncio.to_thread(lambda: kill(self.identity.family()))


def _open_log(path: Path) -> BinaryIO:
    if path.exists() and path.stat().st_size > _LOG_LIMIT:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")
