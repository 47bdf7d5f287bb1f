"""The supervisor with cheap components: order, restarts, failures, stopping, adoption, and its own sudden death."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys

import psutil
import pytest

from oneo.errors import InfrastructureError
from oneo_app.stack import leftovers, state
from oneo_app.stack.component import Backoff, Stage
from oneo_app.stack.processes import Identity, kill
from oneo_app.stack.supervisor import Supervisor, new_state
from tests.stack.stack_fakes import (
    BROKEN,
    PARENT,
    SERVER,
    STUBBORN,
    child_of,
    fake,
    layout_in,
    until,
    wait_until,
)

FAST = Backoff(first=0.01, longest=0.05)


@pytest.fixture
def where(tmp_path):
    return layout_in(tmp_path / "home")


@contextlib.asynccontextmanager
async def running(where, *stages, observer=None):
    supervisor = Supervisor(where, stages, new_state(), observer=observer, backoff=FAST)
    task = asyncio.create_task(supervisor.run())
    try:
        await until(lambda: supervisor.state.phase == "ready" or task.done(), "ready")
        yield supervisor
    finally:
        supervisor.stop()
        await task


def alive(pid):
    return (identity := Identity.of(pid)) is not None and identity.is_alive()


def test_stages_come_up_in_order_and_everything_ends(where):
    seen = []

    def observe(current):
        seen.append({entry.name: entry.state for entry in current.components})

    async def act():
        seen.append("act")

    async def scenario():
        first = Stage(components=[fake(where, "first")], action=act, action_name="act")
        second = Stage(components=[fake(where, "second"), fake(where, "third", PARENT, grace=0.2)])
        async with running(where, first, second, observer=observe) as supervisor:
            pids = [entry.pid for entry in supervisor.state.components] + [child_of(where, "third")]
            assert all(map(alive, pids))
            assert state.running(where).phase == "ready"
            return pids

    pids = asyncio.run(scenario())
    assert not any(map(alive, pids))
    before_action = seen[: seen.index("act")]
    assert before_action[-1]["first"] == "ready"
    assert {one["second"] for one in before_action} == {"waiting"}


def test_a_killed_component_is_started_again_and_counted(where):
    async def scenario():
        async with running(where, Stage(components=[fake(where, "one", PARENT, grace=0.2)])) as supervisor:
            entry = supervisor.state.component("one")
            for count in (1, 2):
                pid, child = entry.pid, child_of(where, "one")
                os.kill(pid, signal.SIGKILL)
                await until(lambda: entry.restarts == count, "restart counted")  # noqa: B023
                assert supervisor.state.phase == "degraded"
                assert entry.detail == "was ended by SIGKILL"
                await until(lambda: supervisor.state.phase == "ready", "ready again")
                assert entry.pid != pid
                assert not alive(child), "what the killed one left is gone before it starts again"
            assert state.running(where).component("one").restarts == 2

    asyncio.run(scenario())


def test_a_component_that_never_comes_up_fails_the_start_and_stops_the_rest(where):
    async def scenario():
        stage = Stage(components=[fake(where, "good"), fake(where, "bad", BROKEN)])
        supervisor = Supervisor(where, [stage], new_state(), backoff=FAST)
        failure = await supervisor.run()
        assert (failure.component, failure.message) == ("bad", "ended with exit code 1, 3 times in a row")
        assert failure.last_lines == ["the disk is upside down"] * 3
        assert [entry.pid for entry in supervisor.state.components] == [None, None]
        assert [entry.state for entry in supervisor.state.components] == ["stopped", "failed"]

    asyncio.run(scenario())


def test_a_component_that_is_never_ready_is_named(where):
    async def scenario():
        silent = fake(where, "silent", "import time; time.sleep(600)")
        failure = await Supervisor(where, [Stage(components=[silent], timeout=0.3)], new_state()).run()
        assert (failure.component, failure.message) == ("silent", "not ready after 0 s")

    asyncio.run(scenario())


def test_a_failed_action_is_named(where):
    async def act():
        raise InfrastructureError("no such database")

    async def scenario():
        stage = Stage(components=[fake(where, "one")], action=act, action_name="migrate")
        failure = await Supervisor(where, [stage], new_state()).run()
        assert (failure.component, failure.message) == ("migrate", "no such database")

    asyncio.run(scenario())


def test_a_command_that_does_not_exist_is_named(where):
    async def scenario():
        import dataclasses

        missing = dataclasses.replace(fake(where, "missing"), command=["/no/such/program"])
        failure = await Supervisor(where, [Stage(components=[missing])], new_state(), backoff=FAST).run()
        assert failure.component == "missing"
        assert "/no/such/program cannot be started" in failure.message

    asyncio.run(scenario())


def test_it_can_be_stopped_on_the_way_up(where):
    async def never():
        await asyncio.Event().wait()

    async def scenario():
        stage = Stage(components=[fake(where, "one")], action=never, action_name="wait")
        supervisor = Supervisor(where, [stage], new_state())
        task = asyncio.create_task(supervisor.run())
        await until(lambda: supervisor.state.step("wait").state == "running", "action begun")
        pid = supervisor.state.component("one").pid
        supervisor.stop()
        assert await task is None
        assert not alive(pid)

    asyncio.run(scenario())


def test_ranks_stop_one_after_the_other_and_the_stubborn_are_killed(where):
    stopped = []

    def observe(current):
        for entry in current.components:
            if entry.state == "stopped" and entry.name not in stopped:
                stopped.append(entry.name)

    async def scenario():
        components = [
            fake(where, "database", rank=2),
            fake(where, "worker", STUBBORN, rank=1, grace=0.2),
            fake(where, "source", rank=0),
        ]
        async with running(where, Stage(components=components), observer=observe):
            pass

    asyncio.run(scenario())
    assert stopped == ["source", "worker", "database"]


def test_a_process_that_runs_already_is_adopted_watched_and_stopped(where):
    import dataclasses

    ready = where.run / "one.ready"
    earlier = subprocess.Popen([sys.executable, "-S", "-c", SERVER, str(ready)], start_new_session=True)
    found = Identity.of(earlier.pid)

    async def scenario():
        wait_until(ready.exists, "started")
        component = dataclasses.replace(
            fake(where, "one"),
            before_start=lambda: None,
            find_running=lambda: found if found.is_alive() else None,
        )
        async with running(where, Stage(components=[component])) as supervisor:
            entry = supervisor.state.component("one")
            assert entry.pid == earlier.pid
            earlier.kill()
            await until(lambda: entry.restarts == 1 and entry.state == "ready", "one of our own")
            assert entry.pid != earlier.pid

    asyncio.run(scenario())
    earlier.wait()


CRASHING = """
import asyncio, sys
from pathlib import Path
from tests.stack.stack_fakes import PARENT, fake, layout_in
from oneo_app.stack import serve
from oneo_app.stack.component import Stage
from oneo_app.stack.supervisor import new_state
where = layout_in(Path(sys.argv[1]))
serve.run(where, [Stage(components=[fake(where, "one", PARENT), fake(where, "two")])], new_state())
"""


def test_what_a_killed_supervisor_leaves_is_found_and_stopped(where):
    supervisor = subprocess.Popen([sys.executable, "-c", CRASHING, str(where.home)])
    wait_until(lambda: (now := state.running(where)) is not None and now.phase == "ready", "ready")
    supervisor.kill()
    supervisor.wait()
    entries = state.read(where).components
    os.kill(entries[0].pid, signal.SIGKILL)  # its child stays behind without a parent
    left = [child_of(where, "one"), entries[1].pid]
    assert all(map(alive, left))
    assert state.running(where) is None
    assert leftovers.find(where) == [f"one (pid {entries[0].pid})", f"two (pid {entries[1].pid})"]
    leftovers.stop(where)
    assert not any(map(alive, left))
    assert leftovers.find(where) == []
    assert not where.state_file.exists()


def test_a_stranger_with_the_number_of_a_component_is_left_alone(where):
    stranger = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    try:
        old = new_state()
        old.supervisor_created -= 3600
        old.components = [
            state.ComponentState(
                name="scheduler", pid=stranger.pid, created=psutil.Process(stranger.pid).create_time() - 60
            )
        ]
        old.write(where)
        assert leftovers.stop(where) == []
        assert stranger.poll() is None
    finally:
        kill([psutil.Process(stranger.pid)])
        stranger.wait()
