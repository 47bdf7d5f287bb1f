"""Abbreviated nodes: options that quoted workflows leave out or call by a shorter name, read as most would expect."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dag_factory.dialects.converted import Converted, Place
from dag_factory.dialects.neighbours import Neighbours, is_node
from dag_factory.dialects.type_names import CATALOGUED
from dag_factory.json_path import json_path

# Who is told where no record has an owner.
_FALLBACK: Final = "'admin'"
# Characters; a longer message is no headline.
_HEADLINE: Final = 200
# What a way for all else is called.
_ELSE: Final = frozenset({"else", "otherwise", "default", "standard", "no", "false"})


@dataclass(frozen=True)
class Option:
    """One option as it is read.

    Attributes:
        name: Our name of it.
        value: Its value.
        written: What its author calls it; None where it was left out.
        remedy: What its author may have meant to write instead.
    """

    name: str
    value: Any
    written: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Abbreviated:
    """A node that may be abbreviated, and what stands around it.

    Attributes:
        name: What people call it, where it has a name.
        config: Its options.
        before: The nodes before it, the nearest first.
        after: (target, branch) of each way on.
    """

    name: str | None
    config: dict[str, Any]
    before: Iterator[dict[str, Any]]
    after: Sequence[tuple[str, str | None]]


def read_abbreviations(result: Converted, nodes: Sequence[Any]) -> list[Any]:
    """The nodes with their abbreviations read, each reported; what does not look like one stays as it is.

    Args:
        result: Takes the reports and the places, and knows the edges.
        nodes: With the names of types that we know.
    """
    neighbours = Neighbours(nodes, result.document.get("edges"))
    places: list[Place] = []
    read = [_node(result, places, node, index, neighbours) for index, node in enumerate(nodes)]
    result.paths += places
    return read


def _node(result: Converted, places: list[Place], node: Any, index: int, neighbours: Neighbours) -> Any:
    reader = _READERS.get(node["type"]) if is_node(node) else None
    config = node.get("config", {}) if reader else None
    if reader is None or not isinstance(config, dict):
        return node
    name, node_id = node.get("name"), node["id"]
    known = name if isinstance(name, str) and name else None
    options = reader(Abbreviated(known, config, neighbours.before(node_id), neighbours.after(node_id)))
    if not options:
        return node
    places += [_report(result, node, index, option) for option in options]
    replaced = {option.written for option in options}
    kept = {key: value for key, value in config.items() if key not in replaced}
    return {**node, "config": {**kept, **{option.name: option.value for option in options}}}


def _report(result: Converted, node: dict[str, Any], index: int, option: Option) -> Place:
    """Note how an option is read; its place."""
    at: list[int | str] = ["nodes", index, *(["config"] if "config" in node else [])]
    original = result.original_path(json_path([*at, option.written] if option.written else at))
    if option.written is None:
        said = f"{option.name} is missing and is read as {_json(option.value)}"
    else:
        given = _json(node["config"][option.written])
        said = f"{option.written} {given} is read as {option.name} {_json(option.value)}"
    result.note(f"node {node['id']!r}: {said}" + (f"; {option.remedy}" if option.remedy else ""))
    return Place(json_path(["nodes", index, "config", option.name]), original, alike=False)


def _task(node: Abbreviated) -> list[Option]:
    """`type` is the kind of task, which also says what is to be done."""
    kind = node.config.get("type")
    if not isinstance(kind, str) or not kind or "task_type" in node.config:
        return []
    title = [] if "title" in node.config else [Option("title", node.name or _words(kind))]
    return [Option("task_type", kind, "type"), *title]


def _status(node: Abbreviated) -> list[Option]:
    """`status` is the one that follows."""
    status = node.config.get("status")
    return (
        []
        if "new_status" in node.config or not isinstance(status, str)
        else [Option("new_status", status, "status")]
    )


def _notification(node: Abbreviated) -> list[Option]:
    """Without recipients and title it tells the record's owner what its other options say."""
    config, message = node.config, node.config.get("message")
    urgent = config.get("urgent") is True and "priority" not in config
    options = [Option("priority", "high", "urgent")] if urgent else []
    short = isinstance(message, str) and len(message) <= _HEADLINE
    title = node.name or (message if short else None) or ("Urgent" if urgent else None)
    if title is None or "recipients" in config or "title" in config:
        return options
    owner = _FALLBACK
    created = next((one["id"] for one in node.before if one["type"] == "create_record"), None)
    if created is not None:
        owner = f"default({_output(created)}.record.owner, {owner})"
    options += [Option("recipients", [f"{{{{ default(record.owner, {owner}) }}}}"]), Option("title", title)]
    return options if "message" in config else [*options, Option("message", "")]


def _new_record(node: Abbreviated) -> list[Option]:
    pipeline = node.config.get("pipeline")
    if not isinstance(pipeline, str) or not pipeline or "pipeline_id" in node.config:
        return []
    data = [] if "record_data" in node.config else [Option("record_data", {})]
    return [Option("pipeline_id", pipeline, "pipeline"), *data]


def _search(node: Abbreviated) -> list[Option]:
    """With options of its own, a search that lacks the pipeline is a mistake."""
    return [] if node.config else [Option("pipeline_id", "{{ record.pipeline_id }}")]


def _loop(node: Abbreviated) -> list[Option]:
    found = next(node.before, None)
    if found is None or found["type"] != "find_records" or {"items_source", "items"} & node.config.keys():
        return []
    return [Option("items_source", f"{{{{ {_output(found['id'])}.records }}}}")]


def _condition(node: Abbreviated) -> list[Option]:
    """What is compared is in the output of the nearest node before that is to give it."""
    if not node.config:
        return _undecided(node.after)
    shorthand, value = next(iter(node.config.items()), (None, None))
    number = isinstance(value, int | float) and not isinstance(value, bool)
    branches = _branches(node.after)
    if len(node.config) != 1 or not branches:
        return []
    if shorthand == "threshold" and number:
        judge = _giving(node.before, lambda word: word.startswith("score") or word.endswith("scoring"))
        compared = f"score >= {_json(value)}"
    elif shorthand == "check" and isinstance(value, str) and value.isidentifier():
        judge = _giving(node.before, value.__eq__)
        compared = f"{value} in ['high', 'urgent', true]"
    else:
        return []
    if judge is None:
        return []
    branches[0] = {"if": f"{_output(judge)}.{compared}", **branches[0]}
    return [Option("conditions", branches, shorthand)]


def _undecided(after: Sequence[tuple[str, str | None]]) -> list[Option]:
    """Where nothing is compared nothing holds: of the ways with names, the one for all else is taken."""
    named = [(target, label) for target, label in after if label is not None]
    if not named:
        return []
    last = next((one for one in named if one[1].lower() in _ELSE), named[-1])
    branches: list[dict[str, Any]] = [
        {"if": "false", "then": target, "label": label} for target, label in named if (target, label) != last
    ]
    branches.append({"else": last[0], "label": last[1]})
    remedy = 'write what it compares, such as "record.amount >= 1000"'
    return [Option("conditions", branches, remedy=remedy)]


def _giving(before: Iterator[dict[str, Any]], asked: Callable[[str], bool]) -> str | None:
    """The nearest node whose options ask it to give something, and whose output is what they ask for."""
    for node in before:
        gives = CATALOGUED.get(node["type"]) == "ai" or node["type"] == "merge_data"
        if gives and any(map(asked, _named(node.get("config")))):
            return str(node["id"])
    return None


def _named(value: Any) -> Iterator[str]:
    """All keys and texts inside a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _named(inner)


def _branches(after: Sequence[tuple[str, str | None]]) -> list[dict[str, Any]]:
    """The ways on as branches, the first for where the condition holds; none where nothing tells them apart."""
    if len(after) == 1:
        return [{"then": after[0][0], "label": after[0][1] or "yes"}]
    if len(after) == 2 and all(label for _, label in after):
        (yes, first), (no, second) = after
        return [{"then": yes, "label": first}, {"else": no, "label": second}]
    return []


def _output(node_id: str) -> str:
    return f"nodes[{node_id!r}]"


def _words(kind: str) -> str:
    """`follow_up` as `Follow up`."""
    text = kind.replace("_", " ")
    return text[:1].upper() + text[1:]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


_READERS: Final[dict[str, Callable[[Abbreviated], list[Option]]]] = {
    "condition": _condition,
    "create_follow_up_task": _task,
    "create_record": _new_record,
    "find_records": _search,
    "for_each": _loop,
    "task_notify": _notification,
    "update_contact_status": _status,
}
