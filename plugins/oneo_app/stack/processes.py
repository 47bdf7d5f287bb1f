"""Processes by identity, and whole families of them.

A component is started in a session of its own, so its family is: its descendants, and whatever still belongs to
its session although its parent has died (a killed scheduler leaves forked workers that no tree walk finds).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import psutil

# psutil derives the time a process was created from the system clock, which may be stepped a little.
_CLOCK_TOLERANCE = 2.0


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, not just its number: numbers are used again.

    Attributes:
        pid: Process number.
        created: When it was created, seconds since the epoch.
    """

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """The identity of a running process."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    def process(self) -> psutil.Process | None:
        """The process, or None where it has ended (a zombie has) or its number belongs to another one now."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.created) > _CLOCK_TOLERANCE:
                return None
            return process if is_running(process) else None
        except psutil.NoSuchProcess:
            return None

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return self.process() is not None

    def signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if (process := self.process()) is not None:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def family(self) -> list[psutil.Process]:
        """The process, its descendants and the members of its session, dead leader or not; never this process."""
        members: dict[int, psutil.Process] = {}
        leader = self.process()
        if leader is not None:
            with suppress(psutil.NoSuchProcess):
                members = {child.pid: child for child in leader.children(recursive=True)}
            members[leader.pid] = leader
        elif self._number_is_reused():
            return []  # a number is free only once its session has ended
        for pid in psutil.pids():
            with suppress(psutil.NoSuchProcess, ProcessLookupError, PermissionError):
                if os.getsid(pid) == self.pid and pid not in members:
                    member = psutil.Process(pid)
                    if member.create_time() >= self.created - _CLOCK_TOLERANCE:
                        members[pid] = member
        members.pop(os.getpid(), None)
        return [member for member in members.values() if is_running(member)]

    def _number_is_reused(self) -> bool:
        try:
            return abs(psutil.Process(self.pid).create_time() - self.created) > _CLOCK_TOLERANCE
        except psutil.NoSuchProcess:
            return False


def is_running(process: psutil.Process) -> bool:
    """Whether a process still does anything; a zombie does not, and where nobody reaps it stays for ever."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def kill(processes: Iterable[psutil.Process], *, timeout: float = 5) -> list[psutil.Process]:
    """Kill at once and wait for the end.

    Returns:
        Those that were still running.
    """
    running = [process for process in processes if is_running(process)]
    for process in running:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    end = time.monotonic() + timeout
    while any(is_running(process) for process in running) and time.monotonic() < end:
        time.sleep(0.01)
    return running
