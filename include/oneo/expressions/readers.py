"""Closures that read names, fields, items and slices, and build objects."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes

from oneo.errors import ExpressionError
from oneo.expressions.calls import Evaluate
from oneo.expressions.lookup import Key, Path, refuse_name, root, show_path, step
from oneo.expressions.run import Run
from oneo.expressions.values import QUICK_TYPES, admitted, kind


def path_reader(path: Path, positions: list[int]) -> Evaluate:
    """Reads a constant path; the common case is a dict in a dict."""
    name, keys = str(path[0]), path[1:]
    secret = name == "secrets"

    def slowly(run: Run) -> Any:
        value = root(run.scope, name, positions[0])
        for index, key in enumerate(keys):
            value = step(value, key, show_path(path[: index + 1]), positions[index + 1])
        if secret:
            run.scope.reveal(value)
        return admitted(value)

    def read(run: Run) -> Any:
        value: Any = run.scope.names
        for key in path:
            if value.__class__ is not dict or key not in value:
                return slowly(run)
            value = value[key]
        return value if value.__class__ in QUICK_TYPES else slowly(run)

    return slowly if secret else read


def field_reader(base: Evaluate, key: Evaluate, position: int) -> Evaluate:
    """Reads a field or item whose key is computed, or of a value that is."""

    def read(run: Run) -> Any:
        value, found = base(run), key(run)
        if isinstance(found, bool) or not isinstance(found, str | int):
            raise ExpressionError(f"a field's name or a position is needed, not {kind(found)}", position)
        if isinstance(found, str):
            refuse_name(found, position)
        return admitted(step(value, found, "the value", position))

    return read


def slice_reader(base: Evaluate, bounds: list[Evaluate | None], position: int) -> Evaluate:
    """Reads a part of a list or a text."""

    def sliced(run: Run) -> Any:
        value = base(run)
        ends = [None if bound is None else bound(run) for bound in bounds]
        if not isinstance(value, str | list | tuple):
            raise ExpressionError(f"[…:…] needs a list or a text, not {kind(value)}", position)
        if any(end is not None and type(end) is not int for end in ends) or ends[2] == 0:
            raise ExpressionError("[…:…] needs whole numbers, and no step of 0", position)
        made = value[slice(*ends)]
        (run.fits_text if isinstance(made, str) else run.fits_items)(len(made))
        return list(made) if isinstance(made, tuple) else made

    return sliced


def object_builder(pairs: list[tuple[Evaluate, Evaluate, int]]) -> Evaluate:
    """Builds an object from the names and values of its fields."""

    def built(run: Run) -> dict[str, Any]:
        made = {}
        for key, value, position in pairs:
            name = key(run)
            if not isinstance(name, str):
                raise ExpressionError(f"the names of fields are text, not {kind(name)}", position)
            refuse_name(name, position)
            made[name] = value(run)
        return made

    return built


def constant_key(node: nodes.Node) -> Key | None:
    """The key that a subscript is, where it is a constant."""
    if isinstance(node, nodes.Const) and type(node.value) in (str, int):
        return node.value  # type: ignore[no-any-return]
    if isinstance(node, nodes.Neg) and isinstance(node.node, nodes.Const) and type(node.node.value) is int:
        return -node.node.value
    return None


def joined_constants(node: nodes.Node) -> str | None:
    """The text that constants joined with ~ or + make, or None."""
    if isinstance(node, nodes.Const):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, nodes.Concat):
        parts = [joined_constants(part) for part in node.nodes]
    elif isinstance(node, nodes.Add):
        parts = [joined_constants(node.left), joined_constants(node.right)]
    else:
        return None
    return None if None in parts else "".join(part or "" for part in parts)
