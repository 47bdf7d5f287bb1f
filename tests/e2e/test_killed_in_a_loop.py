"""A task that is killed in the middle of a loop: it runs again, and repeats nothing it had done."""

from __future__ import annotations

import os
import signal

import pytest

from tests.e2e.processes import caller_of
from tests.e2e.waiting import wait_until
from tests.http.server import Answer, RecordingServer

pytestmark = pytest.mark.stack

ITEMS = 5


@pytest.mark.timeout(400)
@pytest.mark.parametrize("granularity", ["node", "fused"])
def test_each_record_is_touched_once(stack, tenant_id, publish, pipelines, granularity):
    with RecordingServer() as server:
        # The fourth call never ends; after the kill it is made again, and answered.
        server.on("GET", "/call", *[Answer(body="{}")] * 3, Answer(body="late", delay=300), Answer(body="{}"))
        publish(
            {
                "id": "touch",
                "name": "Touch",
                "settings": {"granularity": granularity},
                "nodes": [
                    {"id": "start", "type": "trigger_manual"},
                    {"id": "each", "type": "for_each", "config": {"items_source": ITEMS}},
                    {"id": "count", "type": "set_variable", "config": {"variables": {"n": "{{ item }}"}}},
                    {
                        "id": "make",
                        "type": "create_record",
                        "config": {
                            "pipeline_id": "contacts",
                            "record_data": {
                                "name": "Contact {{ variables.n }}",
                                "email": "c{{ item }}@example.com",
                            },
                        },
                    },
                    {
                        "id": "call",
                        "type": "http_request",
                        "config": {"url": server.url("/call"), "timeout_seconds": 360},
                    },
                ],
                "edges": [
                    {"source": "start", "target": "each"},
                    {"source": "each", "target": "count", "loop": True},
                    {"source": "count", "target": "make"},
                    {"source": "make", "target": "call"},
                    {"source": "call", "target": "each", "loop_back": True},
                ],
            }
        )
        begun = stack.json("run", "touch", "--tenant", tenant_id)["execution"]
        server.wait_for(4, timeout=90)
        os.kill(caller_of(server), signal.SIGKILL)

        def ended():
            run = stack.json("runs", "show", begun, "--tenant", tenant_id)
            return run if run["status"] in ("success", "failed") else None

        run = wait_until(ended, "the run to end", timeout=240)
        calls = len(server.requests)
    assert run["status"] == "success", run["error"]
    assert run["nodes"]["each"]["output"]["success_count"] == ITEMS
    # One call more than items: the one that was cut off.
    assert calls == ITEMS + 1
    assert run["nodes"]["call[3]"]["attempts"] == 2
    made = [run["nodes"][f"make[{index}]"] for index in range(ITEMS)]
    assert [node["attempts"] for node in made] == [1] * ITEMS
    assert len({node["output"]["record_id"] for node in made}) == ITEMS
