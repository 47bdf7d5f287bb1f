"""The React Flow dialect: nodes with data and position, edges with handles."""

from __future__ import annotations

from typing import Any

from dag_factory.dialects import flow_conditions, flow_loops, flow_nodes, flow_row
from dag_factory.dialects.converted import Converted
from dag_factory.dialects.flow_values import Values
from dag_factory.dialects.sub_nodes import expand
from dag_factory.dialects.type_names import ALIASES

NAME = "reactflow"
Path = list[int | str]

_LOOP_HANDLES = {
    "loop": "loop",
    "body": "loop",
    "loop_back": "loop_back",
    "loop_complete": "loop_complete",
    "done": "loop_complete",
}
_LOOPS = ("for_each", "workflow_loop_controller")
_OF_A_NODE = {"id", "type", "name", "position", "error_handling"}
_PLAIN_HANDLES = {None, "", "source", "output", "out", "default", "success", "right", "bottom", "a", "b"}


def recognises(document: dict[str, Any]) -> bool:
    """Whether a document is a row with a drawn definition, or its nodes carry `data`, or its edges handles."""
    if isinstance(document.get("workflow_definition"), dict):
        return True
    nodes, edges = document.get("nodes"), document.get("edges")
    if isinstance(nodes, list) and any(isinstance(node, dict) and "config" in node for node in nodes):
        return False
    drawn = isinstance(nodes, list) and any(isinstance(node, dict) and "data" in node for node in nodes)
    handles = ("sourceHandle", "targetHandle")
    return drawn or (
        isinstance(edges, list)
        and any(isinstance(edge, dict) and any(key in edge for key in handles) for edge in edges)
    )


def convert(document: dict[str, Any]) -> Converted:
    """Read a drawn document."""
    return _Reader(document).read()


class _Reader:
    def __init__(self, document: dict[str, Any]) -> None:
        self._result = Converted(NAME, {})
        self._row = document
        drawn = document.get("workflow_definition")
        self._root: Path = ["workflow_definition"] if isinstance(drawn, dict) else []
        self._drawn: dict[str, Any] = drawn if isinstance(drawn, dict) else document

    def read(self) -> Converted:
        result, row, drawn = self._result, self._row, self._drawn
        out: dict[str, Any] = {key: row[key] for key in row if key in flow_row.CARRIED}
        out.update({key: drawn[key] for key in drawn if key in flow_row.CARRIED})
        if self._root:
            for key in drawn:
                result.place([key], [*self._root, key])
        nodes, edges = drawn.get("nodes"), drawn.get("edges", [])
        self._edges: list[Any] = edges if isinstance(edges, list) else []
        self._types: dict[str, Any] = {
            node["id"]: ALIASES.get(str(_kind(node)), _kind(node))
            for node in (nodes if isinstance(nodes, list) else [])
            if isinstance(node, dict) and isinstance(node.get("id"), str)
        }
        self._in_loops = isinstance(nodes, list) and any(map(flow_loops.goes_through_a_path, nodes))
        if isinstance(nodes, list):
            out["nodes"] = [
                self._node(node, ["nodes", index], [*self._root, "nodes", index])
                for index, node in enumerate(nodes)
            ]
        elif "nodes" in drawn:
            out["nodes"] = nodes
        if "edges" in drawn and isinstance(edges, list):
            out["edges"] = [self._edge(edge, index) for index, edge in enumerate(edges)]
        result.document = out
        flow_row.read_row(result, row, self._types)
        flow_row.other_keys(result, row, drawn, self._root)
        expand(result)
        return result

    def _node(self, node: Any, canonical: Path, original: Path) -> Any:
        if not isinstance(node, dict):
            return node
        self._result.place(canonical, original)
        data, data_at = node.get("data", {}), [*original, "data"]
        if "sub_nodes" in canonical and "data" not in node:
            # In a loop's list, options may stand beside the type.
            data, data_at = {key: value for key, value in node.items() if key not in _OF_A_NODE}, original
        if not isinstance(data, dict):
            at = [*canonical, "config"]
            self._result.refuse(data_at, "`data` is an object", 'write "data": {…}', node=_id(node), at=at)
            data = {}
        written = _kind(node)
        if written != node.get("type"):
            data = {key: value for key, value in data.items() if key != "type"}
            self._result.place([*canonical, "type"], [*original, "data", "type"])
        out: dict[str, Any] = {key: node[key] for key in ("id", "error_handling") if key in node}
        if written is not None:
            out["type"] = self._type(written, _id(node))
        label = data.get("label", data.get("name", node.get("name")))
        if isinstance(label, str) and label:
            out["name"] = label
            called = "label" if "label" in data else "name"
            self._result.place([*canonical, "name"], [*(data_at if called in data else original), called])
        position = node.get("position")
        if isinstance(position, dict):
            out["position"] = position
        out["config"] = self._config(out, data, [*canonical, "config"], data_at)
        if written == "merge":
            out["config"].setdefault("mode", "merge")
        return out

    def _type(self, written: Any, node_id: str | None) -> Any:
        if isinstance(written, str) and written in ALIASES:
            self._result.note(f"node {node_id!r}: type {written!r} is read as {ALIASES[written]!r}")
            return ALIASES[written]
        return written

    def _config(self, node: dict[str, Any], data: dict[str, Any], place: Path, at: Path) -> dict[str, Any]:
        node_id, node_type = _id(node), str(node.get("type"))
        if isinstance(data.get("config"), dict):
            at = [*at, "config"]
            rest = {key: data[key] for key in data if key == "input_mapping"}
            data = {**data["config"], **rest}
            unseen: frozenset[str] = frozenset()
        else:
            unseen = flow_nodes.of_the_canvas(data)
        self._result.place(place, at, alike=False)
        mapping = data.get("input_mapping", {})
        inputs = (
            {key: path for key, path in mapping.items() if isinstance(path, str)}
            if isinstance(mapping, dict)
            else {}
        )
        values = Values(inputs, in_loops=self._in_loops)
        given = {key: data[key] for key in data if key not in unseen and key != "input_mapping"}
        if node_type == "condition" and isinstance(given.get("conditions"), list):
            config = self._conditions(node, given, values, (place, at))
        else:
            config = {}
            for name, value, inside, alike in flow_nodes.options(node_type, given):
                self._result.place([*place, name], [*at, *inside], alike=alike)
                if node_type == "for_each" and name == "sub_nodes" and isinstance(value, list):
                    config[name] = [
                        self._node(one, [*place, name, index], [*at, *inside, index])
                        for index, one in enumerate(value)
                    ]
                else:
                    config[name] = values.read(value)
            if node_type == "for_each" and "items_path" in given:
                config = flow_loops.options(self._result, node_id, config, values, (place, at))
        for name in sorted(inputs.keys() - values.used):
            self._result.note(
                f"node {node_id!r}: input {name!r} of its input_mapping is named in none of its options, "
                "so it is left out"
            )
        for text in values.unreadable:
            message = f"the format {text} has no counterpart"
            hint = "write {{ name }}, with a filter such as {{ name | round(1) }}"
            self._result.refuse(at, message, hint, node=node_id)
        return config

    def _conditions(
        self, node: dict[str, Any], data: dict[str, Any], values: Values, places: tuple[Path, Path]
    ) -> dict[str, Any]:
        place, at = places
        tests = []
        if any(isinstance(one, dict) and ("if" in one or "else" in one) for one in data["conditions"]):
            return dict(data)
        for index, written in enumerate(data["conditions"]):
            here = [*at, "conditions", index]
            test = flow_conditions.test_of(written, index, values) if isinstance(written, dict) else None
            if test is None:
                sign = written.get("operator") if isinstance(written, dict) else written
                hint = "one of " + ", ".join(flow_conditions.OPERATORS)
                self._result.refuse(here, f"there is no operator {sign!r}", hint, node=_id(node), at=place)
                # The way out is there all the same: edges from it are no further mistakes.
                test = flow_conditions.undecided(written, index)
            tests.append(test)
        default = data.get("default_output", "false")
        targets: dict[str, str] = {}
        for edge in self._edges:
            if (
                isinstance(edge, dict)
                and edge.get("source") == node.get("id")
                and isinstance(edge.get("target"), str)
            ):
                targets.setdefault(str(edge.get("sourceHandle")), edge["target"])
        if not isinstance(default, str):
            default = str(default).lower()
        found = flow_conditions.branches(tests, default, targets)
        for index, (_, origin) in enumerate(found):
            inside: Path = ["default_output"] if origin is None else ["conditions", origin]
            self._result.place([*place, "conditions", index], [*at, *inside], alike=False)
        rest = {key: value for key, value in data.items() if key not in ("conditions", "default_output")}
        for key in rest:
            self._result.place([*place, key], [*at, key])
        return {**rest, "conditions": [branch for branch, _ in found]}

    def _edge(self, edge: Any, index: int) -> Any:
        if not isinstance(edge, dict):
            return edge
        original: Path = [*self._root, "edges", index]
        canonical: Path = ["edges", index]
        self._result.place(canonical, original)
        out = {
            key: edge[key]
            for key in ("source", "target", "condition", "parallel", "loop", "loop_back", "loop_complete")
            if key in edge
        }
        handle = edge.get("sourceHandle") if isinstance(edge.get("sourceHandle"), str) else None
        source_type = self._types.get(str(edge.get("source")))
        if source_type == "condition" and isinstance(handle, str) and handle:
            out.setdefault("condition", handle)
            self._result.place([*canonical, "condition"], [*original, "sourceHandle"])
        elif handle == "error":
            out.setdefault("condition", "error")
        elif source_type in _LOOPS and handle in _LOOP_HANDLES:
            out[_LOOP_HANDLES[handle]] = True
        elif isinstance(handle, str) and handle not in _PLAIN_HANDLES:
            self._result.note(
                f"edge {edge.get('source')!r} → {edge.get('target')!r}: the handle {handle!r} decides nothing here"
            )
        if self._types.get(str(edge.get("target"))) in _LOOPS and edge.get("targetHandle") == "loop_back":
            out["loop_back"] = True
        return out


def _kind(node: dict[str, Any]) -> Any:
    """A node's type; where the canvas has none of its own for it, it stands in the data."""
    written, data = node.get("type"), node.get("data")
    of_the_canvas = written in (None, "default", "input", "output", "custom")
    inner = data.get("type") if of_the_canvas and isinstance(data, dict) else None
    return inner if isinstance(inner, str) else written


def _id(node: dict[str, Any]) -> str | None:
    found = node.get("id")
    return found if isinstance(found, str) else None
