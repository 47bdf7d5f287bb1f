"""Starts components in order, keeps them running, stops them in order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any

from oneo.errors import OneoError
from oneo_app.stack.child import Child
from oneo_app.stack.component import Backoff, Component, Stage
from oneo_app.stack.files import tail
from oneo_app.stack.layout import Layout
from oneo_app.stack.processes import Identity
from oneo_app.stack.state import ComponentState, Failure, StackState, StepState

log = logging.getLogger("oneo.stack")
Observer = Callable[[StackState], None]
_PROBE_INTERVAL = 0.2


class StartError(Exception):
    """The stack did not come up.

    Args:
        failure: What failed and why.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.component}: {failure.message}")
        self.failure = failure


class Supervisor:
    """One run of the stack. The caller holds the stack's lock.

    Args:
        where: Its folder.
        stages: What to start, in which order.
        state: The state to keep up to date, with ports and notes filled in.
        observer: Told of every change.
        backoff: How restarts are spaced.
    """

    def __init__(
        self,
        where: Layout,
        stages: Sequence[Stage],
        state: StackState,
        *,
        observer: Observer | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.state = state
        self._where = where
        self._stages = stages
        self._observer = observer
        self._backoff = backoff or Backoff()
        self._children: dict[str, Child] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()
        self._failure: Failure | None = None
        self._came_up = False
        for component in (one for stage in stages for one in stage.components):
            path = str(where.log(component.name))
            state.components.append(ComponentState(name=component.name, url=component.url, log=path))
        state.steps = [StepState(name=stage.action_name) for stage in stages if stage.action]

    async def run(self) -> Failure | None:
        """Run until SIGTERM, SIGINT or `stop`.

        Returns:
            Why the start failed, or None where it did not.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        stopped = asyncio.create_task(self._stop.wait())
        up = asyncio.create_task(self._bring_up())
        try:
            await asyncio.wait({up, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if up.done():
                up.result()
                await stopped
        except StartError as error:
            self._failure = error.failure
            log.error("start failed: %s", error)
        finally:
            await _cancel(up, stopped)
            await self._stop_all()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
        return self._failure

    def stop(self) -> None:
        """End the run."""
        self._stop.set()

    async def _bring_up(self) -> None:
        self._publish()
        for stage in self._stages:
            for component in stage.components:
                self._tasks.append(asyncio.create_task(self._supervise(component)))
            await self._within(stage.timeout, self._all_ready(stage), stage)
            if stage.action is not None:
                await self._perform(stage.action_name, stage.action, stage.timeout)
        self._came_up = True
        self.state.ready_seconds = round(time.time() - self.state.started_at, 2)
        self._publish()
        log.info("ready after %.1f s", self.state.ready_seconds)

    async def _all_ready(self, stage: Stage) -> None:
        entries = [self.state.component(component.name) for component in stage.components]
        while not all(entry.state == "ready" for entry in entries):
            await self._next_change()

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise StartError(self._failure)

    async def _within(self, seconds: float, work: Coroutine[Any, Any, None], stage: Stage) -> None:
        try:
            async with asyncio.timeout(seconds):
                await work
        except TimeoutError:
            late = [
                component.name
                for component in stage.components
                if self.state.component(component.name).state != "ready"
            ]
            raise StartError(self._failed(late[0], f"not ready after {seconds:.0f} s")) from None

    async def _perform(self, name: str, action: Callable[[], Awaitable[None]], seconds: float) -> None:
        step = self.state.step(name)
        step.state, began = "running", time.time()
        self._publish()
        log.info("%s", name)
        work = asyncio.ensure_future(action())
        watch = asyncio.ensure_future(self._watch_for_failure())
        try:
            async with asyncio.timeout(seconds):
                await asyncio.wait({work, watch}, return_when=asyncio.FIRST_COMPLETED)
            self._raise_failure()
            await work
        except (OneoError, TimeoutError) as error:
            step.state = "failed"
            message = str(error) or f"not done after {seconds:.0f} s"
            raise StartError(Failure(component=name, message=message)) from error
        finally:
            await _cancel(work, watch)
        step.state, step.seconds = "done", round(time.time() - began, 2)
        self._publish()

    async def _watch_for_failure(self) -> None:
        with suppress(StartError):
            while True:
                await self._next_change()

    async def _supervise(self, component: Component) -> None:
        """Keep one component running until the stack stops."""
        entry = self.state.component(component.name)
        failures = 0
        while True:
            began = time.time()
            message = await self._live(component, entry)
            was_ready = entry.state == "ready"
            failures = 1 if time.time() - began > self._backoff.forgiven_after else failures + 1
            entry.pid, entry.state = None, "restarting"
            entry.detail = message
            if not self._came_up and not was_ready and failures >= self._backoff.attempts:
                entry.state = "failed"
                self._failure = self._failed(component.name, f"{message}, {failures} times in a row")
                self._publish()
                return
            delay = self._backoff.delay(failures)
            entry.restarts += 1
            log.warning("%s %s; restart %d in %.1f s", component.name, message, entry.restarts, delay)
            self._publish()
            await asyncio.sleep(delay)

    async def _live(self, component: Component, entry: ComponentState) -> str:
        """One life of a component.

        Returns:
            How it ended.
        """
        entry.state = "starting"
        began = time.time()
        try:
            await asyncio.to_thread(component.before_start)
            child = await self._start(component)
        except OneoError as error:
            return str(error)
        entry.pid, entry.created = child.identity.pid, child.identity.created
        log.info("%s started, pid %d", component.name, entry.pid)
        self._publish()
        probe = asyncio.create_task(self._probe(component, entry, began))
        try:
            message = await child.wait()
        finally:
            await _cancel(probe)
        await child.kill_family()
        return message

    async def _start(self, component: Component) -> Child:
        starting = asyncio.ensure_future(Child.start(component, self._where.log(component.name)))
        try:
            # A process that is being created while the stack stops must not be forgotten.
            child = await asyncio.shield(starting)
        except asyncio.CancelledError:
            self._children[component.name] = await starting
            raise
        self._children[component.name] = child
        return child

    async def _probe(self, component: Component, entry: ComponentState, began: float) -> None:
        while not await component.is_ready(began):  # noqa: ASYNC110 - it cannot tell us
            await asyncio.sleep(_PROBE_INTERVAL)
        entry.state, entry.detail = "ready", None
        entry.ready_seconds = round(time.time() - began, 2)
        log.info("%s ready after %.1f s", component.name, entry.ready_seconds)
        self._publish()

    async def _stop_all(self) -> None:
        self.state.phase = "stopping"
        self._publish()
        log.info("stopping")
        await _cancel(*self._tasks)
        ranked = sorted(
            (component for stage in self._stages for component in stage.components),
            key=lambda one: one.stop_rank,
        )
        for _, group in groupby(ranked, key=lambda one: one.stop_rank):
            await asyncio.gather(*(self._stop_one(component) for component in group))
        log.info("stopped")

    async def _stop_one(self, component: Component) -> None:
        entry = self.state.component(component.name)
        if (child := self._children.get(component.name)) is not None:
            log.info("%s %s", component.name, await child.stop(component))
        entry.pid = None
        if entry.state != "failed":
            entry.state = "stopped"
        self._publish()

    def _failed(self, name: str, message: str) -> Failure:
        path = self._where.log(name)
        return Failure(component=name, message=message, log=str(path), last_lines=tail(path))

    def _publish(self) -> None:
        if self._came_up and self.state.phase != "stopping":
            ready = all(entry.state == "ready" for entry in self.state.components)
            self.state.phase = "ready" if ready else "degraded"
        self.state.write(self._where)
        self._changed.set()
        if self._observer is not None:
            self._observer(self.state)


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def new_state() -> StackState:
    """The state of a supervisor that is this process."""
    identity = Identity.of(os.getpid())
    assert identity is not None  # noqa: S101 - we run
    return StackState(supervisor=identity.pid, supervisor_created=identity.created, started_at=time.time())
