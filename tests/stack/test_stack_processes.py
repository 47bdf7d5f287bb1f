"""A process is its number and the time it was created; a family outlives its head."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest

from oneo_app.stack.processes import Identity, kill
from tests.stack.stack_fakes import wait_until

FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def family():
    head = subprocess.Popen(
        [sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    child = psutil.Process(int(head.stdout.readline()))
    yield head, child
    kill([psutil.Process(head.pid)] if psutil.pid_exists(head.pid) else [])
    kill([child])
    head.communicate()


def test_a_family_is_found_through_its_head(family):
    head, child = family
    assert {member.pid for member in Identity.of(head.pid).family()} == {head.pid, child.pid}


def test_a_child_is_found_after_its_parent_was_killed(family):
    head, child = family
    identity = Identity.of(head.pid)
    head.kill()
    head.wait()
    assert [member.pid for member in identity.family()] == [child.pid]
    assert kill(identity.family()) == [child]
    assert identity.family() == []


def test_a_number_that_is_used_again_is_left_alone(family):
    head, _ = family
    earlier = Identity(head.pid, psutil.Process(head.pid).create_time() - 60)
    assert not earlier.is_alive()
    assert earlier.family() == []
    earlier.signal(signal.SIGKILL)
    assert head.poll() is None


def test_a_zombie_has_ended(family):
    head, _ = family
    identity = Identity.of(head.pid)
    head.kill()
    wait_until(lambda: psutil.Process(head.pid).status() == psutil.STATUS_ZOMBIE, "zombie")
    assert not identity.is_alive()


def test_a_family_never_contains_the_one_who_asks():
    assert os.getpid() not in {member.pid for member in Identity.of(os.getpid()).family()}
