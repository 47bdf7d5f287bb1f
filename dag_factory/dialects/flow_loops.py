"""Loops of the React Flow dialect: a path to the items, and how many rounds run side by side."""

from __future__ import annotations

from typing import Any, Final

from dag_factory.dialects.converted import Converted, Location
from dag_factory.dialects.flow_values import Values

_AT_ONCE: Final = 5


def goes_through_a_path(node: Any) -> bool:
    """Whether a node is a loop as this dialect writes it."""
    data = node.get("data") if isinstance(node, dict) else None
    inner = data.get("config") if isinstance(data, dict) else None
    return any(isinstance(one, dict) and "items_path" in one for one in (data, inner))


def options(
    result: Converted,
    node_id: str | None,
    given: dict[str, Any],
    values: Values,
    places: tuple[Location, Location],
) -> dict[str, Any]:
    """The options of a loop that names its items by a path.

    Args:
        result: Takes reports, and where the options were written.
        node_id: The loop node.
        given: Its options, under the names they have there.
        values: Reads paths.
        places: Where its options stand: in the canonical document, and in the author's.
    """
    place, at = places
    path = given["items_path"]
    renamed = {"items_path": "items_source", "max_concurrency": "batch_size"}
    for theirs, ours in renamed.items():
        result.place([*place, ours], [*at, theirs])
    is_path = isinstance(path, str) and bool(path.strip()) and "{{" not in path
    options = {renamed.get(name, name): value for name, value in given.items()}
    options["items_source"] = f"{{{{ {values.path(path)} }}}}" if is_path else path
    result.note(
        f"loop {node_id!r}: what its rounds gave is read as nodes.{node_id}.results, which is a list of what the last "
        "node of each gave"
    )
    defaults = {"item_variable": "current_item", "parallel_processing": True, "batch_size": _AT_ONCE}
    return {**defaults, **options}
