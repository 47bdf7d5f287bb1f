"""How the control-flow cases are written: a workflow in a few lines, and what is to come of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dag_factory.definition import slug

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KINDS = {"loop": "loop", "back": "loop_back", "done": "loop_complete", "parallel": "parallel"}


@dataclass(frozen=True)
class Case:
    """One workflow and what is to come of it.

    Attributes:
        name: Unique; also the workflow's id.
        nodes: Nodes by id, without the trigger `start`, which every case has.
        edges: `"start > a; a > b : label; each > body loop; body > each back; each > end done"`; None for the listed
            order.
        ran: How often each node succeeded or was handled, rounds of loops counted together; nodes left out did not.
        status: How the execution ends.
        outputs: Outputs by node id, or by node id and round: `work[0]`.
        error: Words of the execution's error.
        data: What the run is given.
        more: Further keys of the definition.
        others: Definitions that are published before.
    """

    name: str
    nodes: Mapping[str, Mapping[str, Any]]
    edges: str | None
    ran: Mapping[str, int]
    status: str = "success"
    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    others: Sequence[Mapping[str, Any]] = ()

    def __str__(self) -> str:
        return self.name

    @property
    def document(self) -> dict[str, Any]:
        """The definition."""
        nodes = [{"id": "start", "type": "trigger_manual"}]
        nodes += [{"id": node_id, **node} for node_id, node in self.nodes.items()]
        document = {"id": slug(self.name), "name": self.name, "nodes": nodes, **self.more}
        return document if self.edges is None else {**document, "edges": edges(self.edges)}

    def check(self, report: Mapping[str, Any]) -> None:
        """That an execution's report is what is expected.

        Raises:
            AssertionError: It is not.
        """
        problem = report["error"]
        assert report["status"] == self.status, problem
        assert ran(report) == {"start": 1, **self.ran}, report["nodes"]
        for place, expected in self.outputs.items():
            assert report["nodes"][place]["output"] == expected, place
        if self.error:
            assert self.error in problem["message"]


def ran(report: Mapping[str, Any]) -> dict[str, int]:
    """How often each node ended with a way out, by node id."""
    found: Counter[str] = Counter()
    for place, node in report["nodes"].items():
        if node["status"] == "success" or (node["status"] == "failed" and node["routes"]):
            found[place.partition("[")[0]] += 1
    return dict(found)


def trace(report: Mapping[str, Any]) -> dict[str, Any]:
    """What must be the same however the workflow was run: for each node and round its end, ways out and output."""
    return {
        "status": report["status"],
        "error": (report["error"] or {}).get("message"),
        "output": report["output"],
        "nodes": {
            place: (
                node["type"],
                node["status"],
                node["attempts"],
                node["routes"],
                _without_ids(node["output"]),
            )
            for place, node in sorted(report["nodes"].items())
        },
    }


def _without_ids(value: Any) -> Any:
    """A value without what differs from run to run: ids of executions, records and moments."""
    if isinstance(value, str):
        return _UUID.sub("ID", value)
    if isinstance(value, dict):
        return {key: _without_ids(item) for key, item in value.items() if not _is_of_this_run(key)}
    return [_without_ids(item) for item in value] if isinstance(value, list) else value


def _is_of_this_run(key: str) -> bool:
    return key == "id" or key.endswith(("_id", "_at", "_ms"))


def edges(text: str) -> list[dict[str, Any]]:
    """Edges as the cases write them."""
    found = []
    for one in filter(None, (part.strip() for part in text.replace("\n", ";").split(";"))):
        ends, _, label = one.partition(":")
        source, _, rest = ends.partition(">")
        target, *kinds = rest.split()
        edge: dict[str, Any] = {"source": source.strip(), "target": target}
        edge |= {_KINDS[kind]: True for kind in kinds}
        if label:
            edge["condition"] = label.strip()
        found.append(edge)
    return found


def put(**variables: Any) -> dict[str, Any]:
    """A node that sets variables."""
    return {"type": "set_variable", "config": {"variables": variables}}


def add(**steps: float) -> dict[str, Any]:
    """A node that adds to variables."""
    return {"type": "set_variable", "config": {"increment": steps}}


def append(**items: Any) -> dict[str, Any]:
    """A node that appends to variables."""
    return {"type": "set_variable", "config": {"append": items}}


def unset(*names: str) -> dict[str, Any]:
    """A node that removes variables."""
    return {"type": "set_variable", "config": {"unset": list(names)}}


def show(**values: Any) -> dict[str, Any]:
    """A node whose output tells what it saw."""
    sources = [{"source": "static", "data": values}]
    return {"type": "merge_data", "config": {"merge_sources": sources}}


def fail(message: str = "boom", **handling: Any) -> dict[str, Any]:
    """A node that fails for good."""
    node = put(x=f"{{{{ nothing_called_{message} }}}}")
    return {**node, "error_handling": {"retry_count": 0, **handling}}


def when(*branches: tuple[str, str], otherwise: str | None = None, every: bool = False) -> dict[str, Any]:
    """A condition: (condition, label) for each branch."""
    listed: list[dict[str, Any]] = [
        {"if" if index == 0 else "elif": source, "label": label}
        for index, (source, label) in enumerate(branches)
    ]
    if otherwise is not None:
        listed.append({"else": otherwise, "label": otherwise})
    mode = "all_match" if every else "first_match"
    return {"type": "condition", "config": {"conditions": listed, "evaluation_mode": mode}}


def choose(*branches: tuple[str, str], otherwise: str | None = None) -> dict[str, Any]:
    """A condition that names where it leads itself: (condition, node) for each branch."""
    listed: list[dict[str, Any]] = [
        {"if" if index == 0 else "elif": source, "then": target}
        for index, (source, target) in enumerate(branches)
    ]
    if otherwise is not None:
        listed.append({"else": otherwise})
    return {"type": "condition", "config": {"conditions": listed}}


def split() -> dict[str, Any]:
    """Where branches begin."""
    return {"type": "parallel", "config": {"mode": "split"}}


def merge() -> dict[str, Any]:
    """Where branches end."""
    return {"type": "parallel", "config": {"mode": "merge"}}


def gather(*sources: str) -> dict[str, Any]:
    """A node that merges the outputs of others, those that did not run left out."""
    return {"type": "merge_data", "config": {"merge_sources": [{"source": one} for one in sources]}}


def each(items: Any, **options: Any) -> dict[str, Any]:
    """A loop over items."""
    return {"type": "for_each", "config": {"items_source": items, **options}}


def again(**options: Any) -> dict[str, Any]:
    """A loop controller."""
    return {"type": "workflow_loop_controller", "config": options}


def leave(condition: str | None = None, reason: str = "enough", **options: Any) -> dict[str, Any]:
    """A loop breaker."""
    conditions = [] if condition is None else [{"condition": condition, "reason": reason}]
    return {"type": "workflow_loop_breaker", "config": {"break_conditions": conditions, **options}}
