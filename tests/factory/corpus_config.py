"""Mistakes in the options of nodes."""

from __future__ import annotations

from typing import Any

from tests.factory.documents import START, chain, clock, edge, graph, node, notify, route
from tests.factory.mistake import Mistake

TELL_WITHOUT_TITLE = {"recipients": ["a"], "message": "m"}


def _case(name: str, wrong: dict[str, Any], path: str, *says: str) -> Mistake:
    return Mistake(f"config: {name}", chain(wrong), f"$.nodes[1].config{path}", wrong["id"], says)


def unknown_types() -> list[Mistake]:
    """A misspelt type; the nearest one is named."""
    near = {
        "htp_request": "http_request",
        "HTTP-Request": "http_request",
        "send_notify": "task_notify",
        "update_records": "update_record",
        "conditon": "condition",
        "resolve_contacts": "resolve_contact",
        "create_record ": "create_record",
    }
    found = [
        Mistake(
            f"type: {wrong}",
            chain(node("a", wrong)),
            "$.nodes[1].type",
            "a",
            (f"no node type {wrong!r}", f"'{right}'"),
        )
        for wrong, right in near.items()
    ]
    for hostile in ("", "__init__", "../shard", "os.system"):
        says = ("no node type", "known: " if not hostile else "")
        found.append(Mistake(f"type: {hostile!r}", chain(node("a", hostile)), "$.nodes[1].type", "a", says))
    return found


def options() -> list[Mistake]:
    """Unknown, missing and misfit options, at the top and further in."""
    contact = {"match_criteria": {"email": "a@example.com"}}
    return [
        _case("unknown option", notify(tittle="x"), ".tittle", "unknown option 'tittle'", "'title'"),
        _case(
            "unknown option of a call", node("a", "http_request", ur="x"), ".ur", "unknown option", "'url'"
        ),
        _case("hostile option", notify(**{"a.b c": 1}), "['a.b c']", "unknown option"),
        _case("dunder option", notify(__class__="x"), ".__class__", "unknown option"),
        _case(
            "unknown option of a branch",
            route({"if": "true", "lable": "x"}),
            ".conditions[0].lable",
            "unknown option 'lable'",
            "'label'",
        ),
        _case(
            "misspelt if",
            route({"fi": "true"}),
            ".conditions[0].fi",
            "unknown option 'fi'",
            "'elif'",
        ),
        _case("misspelt else", route({"esle": "x"}), ".conditions[0].esle", "unknown option", "'else'"),
        _case(
            "missing title", node("a", "task_notify", **TELL_WITHOUT_TITLE), ".title", "missing", "Headline"
        ),
        _case(
            "missing pipeline",
            node("a", "create_record", record_data={}),
            ".pipeline_id",
            "missing",
            "Pipeline",
        ),
        _case(
            "missing data", node("a", "create_record", pipeline_id="x"), ".record_data", "missing", "values"
        ),
        _case(
            "missing criteria", node("a", "resolve_contact"), ".match_criteria", "missing", "Field to value"
        ),
        _case(
            "no criteria", node("a", "resolve_contact", match_criteria={}), ".match_criteria", "at least 1"
        ),
        _case("recipients is text", notify(recipients="ann"), ".recipients", "valid list", "'ann'", "Users"),
        _case("a recipient is a list", notify(recipients=[[]]), ".recipients[0]", "valid string"),
        _case("nobody", notify(recipients=[]), ".recipients", "at least 1", "Users"),
        _case("unknown channel", notify(channels=["in_app", "pigeon"]), ".channels[1]", "'email'", "pigeon"),
        _case("unknown priority", notify(priority="hot"), ".priority", "'urgent'", "hot"),
        _case("title is empty", notify(title=""), ".title", "at least 1"),
        _case("title is an object", notify(title={}), ".title", "valid string", "Headline"),
        _case("include_link is text", notify(include_link="perhaps"), ".include_link", "boolean", "perhaps"),
        _case("unknown method", node("a", "http_request", method="FETCH"), ".method", "'GET'", "FETCH"),
        _case(
            "timeout of 0", node("a", "http_request", timeout_seconds=0), ".timeout_seconds", "greater than 0"
        ),
        _case("timeout is huge", node("a", "http_request", timeout_seconds=601), ".timeout_seconds", "600"),
        _case(
            "retries beyond 20", node("a", "http_request", retry_count=21), ".retry_count", "20", "Attempts"
        ),
        _case(
            "a header is a list",
            node("a", "http_request", headers={"X-Key": []}),
            ".headers['X-Key']",
            "valid string",
        ),
        _case(
            "a status is text",
            node("a", "http_request", accept_status=["no"]),
            ".accept_status[0]",
            "integer",
        ),
        _case("limit of 0", node("a", "find_records", pipeline_id="x", limit=0), ".limit", "greater than"),
        _case(
            "sort is up",
            node("a", "find_records", pipeline_id="x", sort={"name": "up"}),
            ".sort.name",
            "1 or -1",
            "ascending",
        ),
        _case(
            "confidence of 2",
            node("a", "resolve_contact", **contact, confidence_threshold=2),
            ".confidence_threshold",
            "equal to 1",
        ),
        _case(
            "region in words",
            node("a", "resolve_contact", **contact, default_region="Germany"),
            ".default_region",
            "DE",
        ),
        _case(
            "increment by a word",
            node("a", "update_record", increment_fields={"n": "two"}),
            ".increment_fields.n",
            "valid number",
            "two",
        ),
        _case(
            "append a word",
            node("a", "update_record", append_to_arrays={"n": "x"}),
            ".append_to_arrays.n",
            "valid list",
        ),
        _case(
            "due some day",
            node("a", "create_follow_up_task", title="x", due_date="some day"),
            ".due_date",
            "valid date",
            "some day",
        ),
        _case(
            "a template as a name",
            node("a", "update_record", update_fields={"{{ x }}": 1}),
            ".update_fields['{{ x }}']",
            "names are not evaluated",
            "write the name itself",
        ),
        _case(
            "a template as the number of retries",
            node("a", "http_request", url="https://example.com", retry_count="{{ trigger.n }}"),
            "",
            "retry_count cannot be an expression",
            "write the value itself",
        ),
    ]


def filters() -> list[Mistake]:
    """Filters that no search understands, in triggers and nodes."""
    wrong: dict[str, tuple[Any, tuple[str, ...]]] = {
        "unknown operator": ({"score": {"$gt3": 1}}, ("unknown operator '$gt3'", "$gt")),
        "operator as a field": ({"$gte": 1}, ("not a field name", "inside a field's condition")),
        "no operator": ({"score": {}}, ("has no operator", "$gte")),
        "list for equal": ({"score": [1]}, ("plain value", "list")),
        "$in without a list": ({"stage": {"$in": "a"}}, ("$in needs a list", "str")),
        "$exists with a word": ({"stage": {"$exists": "yes"}}, ("true or false", "str")),
        "hostile field": ({"a'; DROP TABLE record": 1}, ("not a field name",)),
    }
    found = []
    for name, (written, says) in wrong.items():
        trigger = node("new", "trigger_record_created", field_filters=written)
        path = "$.nodes[0].config.field_filters"
        document = {"name": "W", "nodes": [trigger, notify()]}
        found.append(Mistake(f"trigger filter: {name}", document, path, "new", says))
        search = node("a", "find_records", pipeline_id="x", filters=written)
        found.append(Mistake(f"search filter: {name}", chain(search), "$.nodes[1].config.filters", "a", says))
    return found


def clocks() -> list[Mistake]:
    """Schedules that never come round, or that no zone knows."""
    found = []
    for cron in (
        "",
        "every day",
        "* * * *",
        "* * * * * *",
        "61 * * * *",
        "0 9 * * FUNDAY",
        "@reboot",
        "H * * * *",
    ):
        document = {"name": "W", "nodes": [clock(cron), notify()]}
        says = ("not a cron expression", "minute, hour, day, month and weekday", "@daily")
        found.append(Mistake(f"cron: {cron!r}", document, "$.nodes[0].config.cron_expression", "clock", says))
    for cron in ("0 0 30 2 *", "0 0 31 4,6 *"):
        document = {"name": "W", "nodes": [clock(cron), notify()]}
        says = ("never comes", "February")
        found.append(Mistake(f"cron: {cron!r}", document, "$.nodes[0].config", "clock", says))
    for zone in ("", "Mars/Base", "Europe", "../../etc/passwd", "UTC+2", "Europe/Berlin "):
        says = ("no time zone", "Europe/Berlin")
        document = {"name": "W", "nodes": [clock(timezone=zone), notify()]}
        found.append(Mistake(f"clock zone: {zone!r}", document, "$.nodes[0].config.timezone", "clock", says))
        document = chain(notify(), settings={"timezone": zone})
        found.append(Mistake(f"zone: {zone!r}", document, "$.settings.timezone", None, says))
    templated = {"name": "W", "nodes": [clock("{{ variables.x }}"), notify()], "variables": {"x": "@daily"}}
    path, says = "$.nodes[0].config.cron_expression", ("before any execution", "write the value itself")
    found.append(Mistake("cron: a template", templated, path, "clock", says))
    second = {**clock("@weekly"), "id": "second"}
    document = graph([clock(), second, notify()], [edge(one, "tell") for one in ("start", "clock", "second")])
    says = ("one schedule", "'clock'")
    found.append(Mistake("second schedule", document, "$.nodes[2]", "second", says))
    return found


def inputs() -> list[Mistake]:
    """Variables and settings that contradict themselves or the system."""

    def variable(name: str, spec: Any, path: str, *says: str) -> Mistake:
        return Mistake(
            f"variable: {name}", chain(notify(), variables={"a": spec}), f"$.variables.a{path}", None, says
        )

    found = [
        variable(
            "default of another type",
            {"type": "number", "default": "x"},
            ".default",
            "does not fit",
            "number",
        ),
        variable("default not listed", {"enum": ["x"], "default": "y"}, ".default", "does not fit", "'x'"),
        variable(
            "default too small", {"type": "number", "minimum": 5, "default": 1}, ".default", "minimum of 5"
        ),
        variable(
            "pattern is none", {"type": "string", "pattern": "["}, ".pattern", "'regex'", "correct or remove"
        ),
        variable("type alone is misspelt", {"type": "text"}, ".type", "'string'"),
        variable("required is a word", {"required": "perhaps"}, ".required", "boolean", "perhaps"),
    ]
    for tag in ("tenant:other", "version:99"):
        says = ("would pass for", "begins differently")
        document = chain(notify(), settings={"tags": [tag]})
        found.append(Mistake(f"tag: {tag}", document, "$.settings.tags[0]", None, says))
    says = ("system's", "oneo_")
    document = chain(notify(), variables={"oneo_execution": 1})
    found.append(Mistake("variable: the system's", document, "$.variables.oneo_execution", None, says))
    nameless = {"name": "Лиды", "nodes": [START, notify()]}
    found.append(Mistake("no id in the name", nameless, "$.name", None, ("no id", 'add "id"')))
    bare = {"nodes": [START, notify()]}
    found.append(
        Mistake("neither id nor name", bare, "$", None, ("untitled_workflow", 'add "id"'), "warning")
    )
    return found


CLASSES = {
    "unknown types": unknown_types(),
    "options": options(),
    "filters": filters(),
    "schedules": clocks(),
    "variables and settings": inputs(),
}
