"""Files are replaced in one step; locks belong to processes, not to files."""

from __future__ import annotations

import json
import stat
import subprocess
import sys

from oneo_app.stack.files import FileLock, read_json, tail, write_atomically

HOLDER = """
import sys
from pathlib import Path
from oneo_app.stack.files import FileLock
FileLock(Path(sys.argv[1])).acquire(shared=len(sys.argv) > 2)
print("held", flush=True)
sys.stdin.read()
"""


def hold(path, *arguments):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "held\n"
    return holder


def end(holder):
    holder.kill()
    holder.communicate()


def test_a_file_is_replaced_whole_and_is_private(tmp_path):
    path = tmp_path / "state.json"
    write_atomically(path, json.dumps({"a": 1}))
    write_atomically(path, json.dumps({"a": 2}))
    assert read_json(path) == {"a": 2}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_file_is_as_good_as_none(tmp_path):
    path = tmp_path / "state.json"
    path.write_text('{"a":')
    assert read_json(path) is None


def test_a_lock_excludes_others_until_its_holder_is_killed(tmp_path):
    path = tmp_path / "a.lock"
    holder = hold(path)
    assert not FileLock(path).acquire(wait=False)
    end(holder)
    lock = FileLock(path)
    assert lock.acquire(wait=False)
    lock.release(remove=True)
    assert not path.exists()


def test_the_last_of_several_sharing_a_lock_is_known(tmp_path):
    path = tmp_path / "a.lock"
    other = hold(path, "shared")
    mine = FileLock(path)
    assert mine.acquire(shared=True, wait=False)
    assert not mine.acquire(wait=False), "not alone"
    end(other)
    assert mine.acquire(wait=False), "alone"
    mine.release()


def test_a_lock_on_a_removed_file_is_not_taken_for_the_lock(tmp_path):
    path = tmp_path / "a.lock"
    first = FileLock(path)
    assert first.acquire()
    path.unlink()
    second = FileLock(path)
    assert second.acquire(wait=False)
    assert not FileLock(path).acquire(wait=False)
    second.release(remove=True)
    first.release()


def test_the_tail_of_a_log(tmp_path):
    path = tmp_path / "a.log"
    assert tail(path) == []
    path.write_text("".join(f"{n}\n" for n in range(10_000)))
    assert tail(path, 2) == ["9998", "9999"]
