"""Mistakes in the form of a definition: keys, types, ids, names, sizes."""

from __future__ import annotations

from tests.factory.documents import START, chain, edge, graph, node, notify
from tests.factory.mistake import Mistake

HOSTILE_IDS = {
    "traversal": "../../etc/passwd",
    "blank": "",
    "space": "a b",
    "dot": "a.b",
    "slash": "a/b",
    "quote": "a'b",
    "newline": "tell\n",
    "template": "{{ x }}",
    "script": "<script>",
    "umlaut": "größe",
    "too long": "x" * 101,
    "right-to-left": "a\u202eb",
}


def unknown_keys() -> list[Mistake]:
    """A misspelt key on every level; the nearest known one is named."""
    tell = notify()
    cases = [
        ("workflow", {**chain(tell), "nodess": []}, "$.nodess", None, "nodes"),
        ("workflow settings", {**chain(tell), "setings": {}}, "$.setings", None, "settings"),
        ("node", chain({**tell, "confg": {}}), "$.nodes[1].confg", "tell", "config"),
        ("node name", chain({**tell, "nam": "x"}), "$.nodes[1].nam", "tell", "name"),
        (
            "node errors",
            chain({**tell, "error_handling": {"retry_cnt": 1}}),
            "$.nodes[1].error_handling.retry_cnt",
            "tell",
            "retry_count",
        ),
        (
            "edge",
            graph([tell], [edge("start", "tell", conditon="x")]),
            "$.edges[0].conditon",
            None,
            "condition",
        ),
        ("settings", chain(tell, settings={"time_zone": "UTC"}), "$.settings.time_zone", None, "timezone"),
        (
            "workflow errors",
            chain(tell, error_handling={"onerror": "fail"}),
            "$.error_handling.onerror",
            None,
            "on_error",
        ),
        (
            "variable",
            chain(tell, variables={"limit": {"type": "number", "defalt": 1}}),
            "$.variables.limit.defalt",
            None,
            "default",
        ),
        (
            "variable called like a section",
            chain(tell, variables={"error_handling": {"type": "number", "titel": "x"}}),
            "$.variables.error_handling.titel",
            None,
            "title",
        ),
    ]
    return [
        Mistake(f"unknown key: {name}", document, path, node_id, ("unknown key", f"'{right}'"))
        for name, document, path, node_id, right in cases
    ]


def ids() -> list[Mistake]:
    """Ids that could break out of a path, a task id or a page."""
    remedy = ("cannot be an id", "letters, digits, _ and -")
    found = []
    for name, bad in HOSTILE_IDS.items():
        found.append(
            Mistake(f"node id: {name}", chain({**notify(), "id": bad}), "$.nodes[1].id", bad, remedy)
        )
        found.append(
            Mistake(
                f"edge target: {name}",
                graph([notify()], [edge("start", "tell"), edge("tell", bad)]),
                "$.edges[1].target",
                None,
                remedy,
            )
        )
        if name != "too long":
            found.append(
                Mistake(f"workflow id: {name}", {**chain(notify()), "id": bad}, "$.id", None, remedy)
            )
    leading = {**chain(notify()), "id": "-w"}
    found.append(Mistake("workflow id: begins with a hyphen", leading, "$.id", None, remedy))
    long = {**chain(notify()), "id": "x" * 151}
    found.append(Mistake("workflow id: too long", long, "$.id", None, ("cannot be an id", "150")))
    return found


def wrong_types() -> list[Mistake]:
    """A value of the wrong JSON type or out of bounds."""
    tell = notify()
    number, text, limit = "valid integer", "valid string", "valid list"
    cases = [
        ("name is a number", {**chain(tell), "name": 7}, "$.name", None, (text, "7")),
        ("name is empty", {**chain(tell), "name": ""}, "$.name", None, ("at least 1 character",)),
        ("name is too long", {**chain(tell), "name": "x" * 201}, "$.name", None, ("at most 200",)),
        ("description is a list", {**chain(tell), "description": []}, "$.description", None, (text,)),
        ("nodes is an object", {"name": "W", "nodes": {}}, "$.nodes", None, (limit,)),
        ("nodes is null", {"name": "W", "nodes": None}, "$.nodes", None, (limit,)),
        ("nodes is missing", {"name": "W"}, "$.nodes", None, ("'nodes' is missing", "add it")),
        ("nodes is empty", {"name": "W", "nodes": []}, "$.nodes", None, ("at least 1 item",)),
        ("a node is text", chain("tell"), "$.nodes[1]", None, ("an object", "tell")),  # type: ignore[arg-type]
        ("a node without id", chain({"type": "task_notify"}), "$.nodes[1].id", None, ("'id' is missing",)),
        (
            "a node without type",
            chain({"id": "a"}),
            "$.nodes[1].type",
            "a",
            ("'type' is missing", "oneo nodes"),
        ),
        ("type is null", chain({"id": "a", "type": None}), "$.nodes[1].type", "a", (text,)),
        ("config is a list", chain({**tell, "config": []}), "$.nodes[1].config", "tell", ("an object",)),
        (
            "node name is too long",
            chain({**tell, "name": "x" * 201}),
            "$.nodes[1].name",
            "tell",
            ("at most 200",),
        ),
        ("edges is an object", {**chain(tell), "edges": {}}, "$.edges", None, (limit,)),
        (
            "an edge without target",
            graph([tell], [{"source": "start"}]),
            "$.edges[0].target",
            None,
            ("missing",),
        ),
        (
            "an edge's source is a number",
            graph([tell], [edge(1, "tell")]),
            "$.edges[0].source",
            None,
            (text, "1"),
        ),  # type: ignore[arg-type]
        (
            "an edge's condition is a number",
            graph([tell], [{**edge("start", "tell"), "condition": 3}]),
            "$.edges[0].condition",
            None,
            (text, "error"),
        ),
        (
            "max_active_runs is text",
            chain(tell, settings={"max_active_runs": "many"}),
            "$.settings.max_active_runs",
            None,
            (number, "many"),
        ),
        (
            "max_active_runs is 0",
            chain(tell, settings={"max_active_runs": 0}),
            "$.settings.max_active_runs",
            None,
            ("greater than or equal to 1",),
        ),
        (
            "timeout beyond any calendar",
            chain(tell, settings={"timeout_minutes": 10**15}),
            "$.settings.timeout_minutes",
            None,
            ("less than or equal to 527040", "a year"),
        ),
        (
            "a tag is too long",
            chain(tell, settings={"tags": ["x" * 101]}),
            "$.settings.tags[0]",
            None,
            ("at most 100",),
        ),
        ("a tag is empty", chain(tell, settings={"tags": [""]}), "$.settings.tags[0]", None, ("at least 1",)),
        (
            "negative retries",
            chain({**tell, "error_handling": {"retry_count": -1}}),
            "$.nodes[1].error_handling.retry_count",
            "tell",
            ("greater than or equal to 0", "-1"),
        ),
        (
            "unknown backoff",
            chain({**tell, "error_handling": {"retry_backoff": "linear"}}),
            "$.nodes[1].error_handling.retry_backoff",
            "tell",
            ("'fixed' or 'exponential'", "linear"),
        ),
        (
            "unknown on_error",
            chain(tell, error_handling={"on_error": "explode"}),
            "$.error_handling.on_error",
            None,
            ("'fail', 'continue', 'retry' or 'route'", "explode"),
        ),
        (
            "unknown variable type",
            chain(tell, variables={"a": {"type": "int"}}),
            "$.variables.a.type",
            None,
            ("'integer'", "int"),
        ),
        ("variable without a name", chain(tell, variables={"": 1}), "$.variables['']", None, ("at least 1",)),
        ("not an object", [START], "$", None, ("JSON object", "not an array", '"nodes"')),
        ("null", None, "$", None, ("JSON object", "not null")),
        ("1001 nodes", {"name": "W", "nodes": [START] * 1001}, "$.nodes", None, ("at most 1000", "1001")),
    ]
    return [
        Mistake(f"form: {name}", document, path, node_id, says)
        for name, document, path, node_id, says in cases
    ]


def unstorable() -> list[Mistake]:
    """Values that a parsed document can hold and no database takes."""
    deep: dict[str, object] = {}
    innermost = deep
    for _ in range(70):
        innermost["a"] = innermost = {}  # type: ignore[assignment]
    cases = [
        ("NUL in a text", chain({**notify(), "name": "a\0b"}), "$.nodes[1].name", ("NUL", "remove it")),
        ("half a pair", {**chain(notify()), "name": "a\ud800"}, "$.name", ("half", "remove it")),
        (
            "half a pair as a key",
            chain(notify(), variables={"\ud800": 1}),
            "$.variables",
            ("half", "remove it"),
        ),
        ("infinite number", chain(notify(), variables={"a": float("inf")}), "$.variables.a", ("too large",)),
        (
            "too deep",
            chain(node("a", "http_request", body=deep)),
            "$.nodes[1].config.body" + ".a" * 60,
            ("64 levels",),
        ),
    ]
    return [Mistake(f"value: {name}", document, path, None, says) for name, document, path, says in cases]


CLASSES = {
    "unknown keys": unknown_keys(),
    "hostile ids": ids(),
    "values of the wrong type": wrong_types(),
    "values no database takes": unstorable(),
}
