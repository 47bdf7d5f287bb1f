"""Secrets are planted and used wherever they can be; afterwards they are found nowhere that anybody can look."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.e2e.looking import answers, files, tables
from tests.http.server import Answer, Recorded, RecordingServer

pytestmark = pytest.mark.stack

START = {"id": "start", "type": "trigger_manual"}


class Canary:
    """A secret that nothing else looks like."""

    def __init__(self) -> None:
        self.core = uuid4().hex
        self.text = f"Canary/{self.core}+'q\"Z"

    def sings_in(self, text: str) -> bool:
        """Whether it can be told from a text, in whatever case or within Base64."""
        inside = [b64encode(bytes(before) + self.core.encode()).decode()[4:-4].lower() for before in range(3)]
        return any(one in text.lower() for one in (self.core, self.core.encode().hex(), *inside))


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    """The other side, which repeats all it is told."""
    with RecordingServer() as running:
        running.on("POST", "/echo", echo).on("GET", "/echo", echo).on("POST", "/refuse", refuse)
        yield running


@pytest.fixture
def canaries(stack, tenant_id, server) -> dict[str, Canary]:
    """Planted as people do it: over the UI's own REST API."""
    found = {name: Canary() for name in ("own", "shared", "password", "header")}
    shared = f"canary_{uuid4().hex[:6]}"
    with stack.airflow() as airflow:
        for key, name in ((f"oneo__{tenant_id}__own", "own"), (f"oneo__shared__{shared}", "shared")):
            made = airflow.post("/api/v2/variables", json={"key": key, "value": found[name].text})
            assert made.status_code == 201, made.text
        connection = {
            "connection_id": f"oneo__{tenant_id}__billing",
            "conn_type": "http",
            "host": server.url(),
            "login": "eva",
            "password": found["password"].text,
            # A header holds no quotes.
            "extra": json.dumps({"X-Any-Name": found["header"].core}),
        }
        made = airflow.post("/api/v2/connections", json=connection)
        assert made.status_code == 201, made.text
    found["shared"].name = shared
    return found


def echo(request: Recorded) -> Answer:
    """Gives back all it was told, in headers and body."""
    told = {"target": request.target, "headers": request.headers, "body": request.body.decode()}
    return Answer(body=told, headers={"X-Echo": request.headers.get("x-key", "none")})


def refuse(request: Recorded) -> Answer:
    return Answer(status=400, body=f"what is {request.target} with {request.body.decode()}?")


def call(node_id: str, url: str, **config: object) -> dict:
    return {"id": node_id, "type": "http_request", "config": {"url": url, "retry_count": 1, **config}}


def using(server: RecordingServer, shared: str) -> dict:
    """A workflow in which secrets go through every kind of hands, and come back."""
    own, other = "{{ secrets.own }}", f"{{{{ secrets.{shared} }}}}"
    many = {
        "plain": own,
        "loud": "{{ secrets.own | upper }}",
        "deep": [{"k": other, "u": "{{ secrets.own | url_encode }}"}],
    }
    nodes = [
        START,
        {
            "id": "keep",
            "type": "set_variable",
            "config": {"variables": {"x": own, "y": f"<{other}>", "z": many}},
        },
        call(
            "send",
            server.url("/echo") + "?k={{ secrets.own | url_encode }}",
            method="POST",
            body=many,
            headers={"X-Key": "{{ secrets.own | replace('\"', '') }}"},
        ),
        call("billing", "/echo", connection_id="billing"),
        {
            "id": "test",
            "type": "condition",
            "config": {
                "conditions": [
                    {"if": f"secrets.own == secrets.{shared}", "then": "never", "label": "same"},
                    {"else": "each", "label": "other"},
                ]
            },
        },
        {"id": "never", "type": "set_variable", "config": {"variables": {"a": 1}}},
        {
            "id": "each",
            "type": "for_each",
            "config": {
                "items_source": f"{{{{ [secrets.own, 'x' ~ secrets.{shared}] }}}}",
                "continue_on_error": True,
            },
        },
        {
            "id": "inside",
            "type": "set_variable",
            "config": {"variables": {"item": "{{ item }}", "said": own}},
        },
        {
            "id": "lost",
            "type": "find_records",
            "config": {"pipeline_id": f"no {own}"},
            "error_handling": {"on_error": "continue"},
        },
        call(
            "refused", server.url("/refuse") + "?k={{ secrets.own | url_encode }}", method="POST", body=many
        ),
    ]
    edges = [
        {"source": "start", "target": "keep"}, {"source": "keep", "target": "send"},
        {"source": "send", "target": "billing"}, {"source": "billing", "target": "test"},
        {"source": "test", "target": "never", "condition": "same"},
        {"source": "test", "target": "each", "condition": "other"},
        {"source": "each", "target": "inside", "loop": True},
        {"source": "inside", "target": "each", "loop_back": True},
        {"source": "each", "target": "lost", "loop_complete": True},
        {"source": "lost", "target": "refused"},
    ]  # fmt: skip
    return {"id": "uses", "name": "Uses", "nodes": nodes, "edges": edges}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("granularity", ["node", "fused"])
def test_no_canary_sings(stack, tenant_id, publish, server, canaries, granularity):
    document = using(server, canaries["shared"].name)
    dag_id = publish({**document, "settings": {"granularity": granularity}})["dag_id"]
    done = stack.oneo("run", "uses", "--wait", "--tenant", tenant_id, check=False)
    local = stack.oneo("run", "uses", "--local", "--tenant", tenant_id, "--json", check=False)
    heard = json.dumps([[one.target, one.headers, one.body.decode()] for one in server.requests])
    (run, _) = sorted(stack.json("runs", "list", "--tenant", tenant_id), key=lambda one: one["created_at"])
    shown = stack.oneo("runs", "show", run["execution"], "--tenant", tenant_id, "--json", check=False)

    # They were really used: the other side heard them, and the workflow went its way to the refusal.
    for name in canaries:
        assert canaries[name].sings_in(heard), f"{name} was never sent: {run['nodes']}"
    assert (run["status"], run["error"]["node"]) == ("failed", "refused")
    assert run["nodes"]["inside[1]"]["status"] == "success"
    assert "***" in run["error"]["message"]

    places = {
        **tables(stack),
        **files(stack),
        **answers(stack, [dag_id]),
        "runs show": shown.stdout + shown.stderr,
        "run": done.stdout + done.stderr,
        "run --local": local.stdout + local.stderr,
    }
    assert len(places) > 100
    leaks = [
        f"{name} in {place}: …{_around(text, canary)}…"
        for place, text in places.items()
        for name, canary in canaries.items()
        if canary.sings_in(text)
    ]
    assert leaks == []


def _around(text: str, canary: Canary) -> str:
    at = text.lower().find(canary.core)
    return text[max(at - 200, 0) : at + 60]


def test_a_canary_that_is_put_in_the_open_is_found(stack, tenant_id, publish):
    """The net is not torn: what nobody has called a secret is found where it must be."""
    canary = Canary()
    variables = {"x": canary.text}
    show = {"id": "show", "type": "set_variable", "config": {"variables": variables}}
    publish({"id": "open", "name": "Open", "nodes": [START, show]})
    stack.oneo("run", "open", "--wait", "--tenant", tenant_id)
    places = {**tables(stack), **answers(stack, [f"{tenant_id}--open"])}
    found = {place for place, text in places.items() if canary.sings_in(text)}
    assert {"oneo.execution_log", "oneo.workflow_versions", "airflow.xcom"} <= found
    assert any("xcomEntries" in place for place in found)
