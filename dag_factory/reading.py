"""From text or a parsed document to a `Workflow`, with every problem of its form."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dag_factory.definition import Edge, ErrorHandling, Node, Settings, Variable, Workflow
from oneo.errors import InvalidDefinitionError, UserError
from oneo.problems import Problem
from oneo.suggest import did_you_mean

MAX_BYTES = 5_000_000
MAX_DEPTH = 64


@dataclass
class Reading:
    """What came of reading a document.

    Attributes:
        document: The document as given.
        workflow: The definition; None where the form has errors.
        dialect: Which dialect it was written in.
        problems: Findings about the form.
        approximations: Where another dialect could not be carried over exactly.
    """

    document: Any
    workflow: Workflow | None
    dialect: str = "catalogue"
    problems: list[Problem] = field(default_factory=list)
    approximations: list[str] = field(default_factory=list)


def read_file(path: Path) -> Any:
    """The JSON document in a file.

    Raises:
        UserError: The file cannot be read or is not JSON; the message names line and column.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror}", hint="give the path of a JSON file"
        ) from None
    return parse_json(raw, str(path))


def parse_json(raw: bytes, source: str) -> Any:
    """Parse JSON strictly: no duplicate keys, no NaN, bounded size and depth.

    Raises:
        UserError: It is not such JSON.
    """
    if len(raw) > MAX_BYTES:
        raise UserError(f"{source} has {len(raw):,} bytes", hint=f"at most {MAX_BYTES:,} are read")
    try:
        document = json.loads(raw, object_pairs_hook=_unique, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{source} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            hint="check quotes, commas and brackets near that place",
        ) from None
    except UnicodeDecodeError as error:
        raise UserError(f"{source} is not UTF-8 text: {error.reason} at byte {error.start}") from None
    except RecursionError:
        raise UserError(f"{source} is nested too deeply", hint=f"at most {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise UserError(f"{source}: {error}") from None
    _check_values(document, source)
    return document


def _check_values(document: Any, source: str) -> None:
    """Refuse what a JSON column or a reader further down could not take, iteratively."""
    level = [("$", document)]
    for _ in range(MAX_DEPTH + 1):
        deeper: list[tuple[str, Any]] = []
        for path, value in level:
            if isinstance(value, dict):
                deeper += [(f"{path}.{key}", item) for key, item in value.items()]
                deeper += [(f"{path}.{key} (key)", key) for key in value if "\x00" in key]
            elif isinstance(value, list):
                deeper += [(f"{path}[{index}]", item) for index, item in enumerate(value)]
            elif isinstance(value, str) and (
                "\x00" in value or (not value.isascii() and _lone_surrogate(value))
            ):
                raise UserError(
                    f"{source}: {path} holds a character that no database stores (NUL or half a pair)"
                )
            elif isinstance(value, float) and not math.isfinite(value):
                raise UserError(f"{source}: {path} is a number too large for JSON")
        level = deeper
        if not level:
            return
    raise UserError(
        f"{source} is nested too deeply at {level[0][0][:80]}", hint=f"at most {MAX_DEPTH} levels"
    )


def _lone_surrogate(value: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"key {key!r} stands twice in one object; one of the two would be lost")
        result[key] = value
    return result


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON value")


def read(document: Any) -> Reading:
    """Read a parsed document into the canonical form."""
    if not isinstance(document, dict):
        problem = Problem("error", None, "$", f"a definition is a JSON object, not {_kind(document)}")
        return Reading(document, None, problems=[problem])
    try:
        return Reading(document, Workflow.model_validate(document))
    except ValidationError as error:
        problems = [_problem(document, details) for details in error.errors(include_url=False)]
        return Reading(document, None, problems=problems)


def read_or_raise(document: Any) -> Workflow:
    """Read a document that was checked before, such as a stored version.

    Raises:
        InvalidDefinitionError: Its form has errors.
    """
    reading = read(document)
    if reading.workflow is None:
        raise InvalidDefinitionError(reading.problems)
    return reading.workflow


_MODELS: dict[str, type[BaseModel]] = {
    "nodes": Node,
    "edges": Edge,
    "variables": Variable,
    "settings": Settings,
    "error_handling": ErrorHandling,
}


def _problem(document: dict[str, Any], details: ErrorDetails) -> Problem:
    location = details["loc"]
    node = None
    if location[:1] == ("nodes",) and len(location) > 1:
        written = document["nodes"][location[1]]
        node = written.get("id") if isinstance(written, dict) and isinstance(written.get("id"), str) else None
    hint = None
    message = details["msg"]
    if details["type"] == "extra_forbidden":
        key = str(location[-1])
        model: type[BaseModel] = Workflow
        if len(location) > 1:
            model = ErrorHandling if "error_handling" in location else _MODELS.get(str(location[0]), Workflow)
        message, hint = f"unknown key {key!r}", did_you_mean(key, model.model_fields)
    elif details["type"] == "missing":
        message, hint = f"{location[-1]!r} is missing", "add it"
    elif details["type"] == "string_pattern_mismatch" and location[-1] in ("id", "source", "target"):
        message = f"{details['input']!r} cannot be an id"
        hint = "letters, digits, _ and -, at most 100 of them"
    return Problem("error", node, json_path(location), message, hint)


def json_path(location: tuple[int | str, ...]) -> str:
    """A pydantic location as a JSON path: `("nodes", 2, "id")` is `$.nodes[2].id`."""
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def _kind(value: Any) -> str:
    names = {list: "an array", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
