"""From text or a parsed document to a `Workflow`, with every problem of its form."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count, islice, takewhile
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dag_factory.definition import Workflow
from dag_factory.dialects import Converted, to_canonical
from dag_factory.forms import description_at, in_document, in_plain_words, keys_at
from dag_factory.json_path import json_path
from oneo.errors import InvalidDefinitionError, UserError
from oneo.problems import Problem, shown
from oneo.suggest import did_you_mean

MAX_BYTES = 5_000_000
MAX_DEPTH = 64
_MAX_VALUE_PROBLEMS = 20


@dataclass
class Reading:
    """What came of reading a document.

    Attributes:
        document: The document as its author wrote it.
        workflow: The definition; None where the form has errors.
        rest: Where it has some: what is left of the definition without them, for the checks; None where too little is.
        problems: Findings about the form; their paths lead into the document as written.
        converted: The canonical form; without it, nothing was read.
    """

    document: Any
    workflow: Workflow | None
    rest: Workflow | None = None
    problems: list[Problem] = field(default_factory=list)
    converted: Converted = field(default_factory=lambda: Converted("catalogue", {}))


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
    """Parse JSON strictly: UTF-8, no duplicate keys, no NaN, bounded size and depth.

    Raises:
        UserError: It is not such JSON.
    """
    if len(raw) > MAX_BYTES:
        raise UserError(f"{source} has {len(raw):,} bytes", hint=f"at most {MAX_BYTES:,} are read")
    try:
        # Editors on Windows begin a file with a byte order mark.
        text = raw.decode("utf-8-sig")
        document = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{source} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            hint="check quotes, commas and brackets near that place",
        ) from None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{source} is not UTF-8 text: {error.reason} at byte {error.start}", hint="save it as UTF-8"
        ) from None
    except RecursionError:
        raise UserError(f"{source} is nested too deeply", hint=f"at most {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise UserError(f"{source}: {error}") from None
    problem = next(_value_problems(document), None)
    if problem is not None:
        raise UserError(f"{source}: {problem.path[:200]}: {problem.message}", problem.hint)
    return document


def _value_problems(document: Any) -> Iterator[Problem]:
    """What a JSON column or a reader further down could not take; iteratively, since depth is checked here."""
    level = [("$", document)]
    for depth in count():
        deeper: list[tuple[str, Any]] = []
        for path, value in level:
            if depth == MAX_DEPTH and isinstance(value, dict | list):
                hint = f"at most {MAX_DEPTH} levels"
                yield Problem("error", None, path, "the document is nested too deeply", hint)
                return
            if isinstance(value, dict):
                for key, item in value.items():
                    if not _storable(key):
                        yield Problem(
                            "error", None, path, f"the key {key!r} holds {_UNSTORABLE}", _PLAIN_TEXT
                        )
                    else:
                        deeper.append((json_path([key], path), item))
            elif isinstance(value, list):
                deeper += [(f"{path}[{index}]", item) for index, item in enumerate(value)]
            elif isinstance(value, str) and not _storable(value):
                yield Problem("error", None, path, f"the text holds {_UNSTORABLE}", _PLAIN_TEXT)
            elif isinstance(value, float) and not math.isfinite(value):
                yield Problem(
                    "error", None, path, "the number is too large for JSON", "at most about 1.8e308"
                )
        level = deeper
        if not level:
            return


_UNSTORABLE = "a character that no database stores: NUL, or half of a surrogate pair"
_PLAIN_TEXT = "remove it"


def _storable(text: str) -> bool:
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"key {key!r} stands twice in one object; one of the two would be lost")
        result[key] = value
    return result


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON value")


# Parts of a definition, and of a node, that may lack something without more mistakes following from that.
_DETAILS = frozenset({"settings", "variables", "outputs", "error_handling"})
_DETAILS_OF_NODES = frozenset({"name", "position", "error_handling"})
# What rows and exports have beside a definition.
_OF_THE_STORE = frozenset(
    {
        "version", "status", "tenant", "tenant_id", "created_by", "created_at", "updated_by", "updated_at", "enabled",
        "metadata", "is_active", "active",
    }
)  # fmt: skip


def read(document: Any) -> Reading:
    """Read a parsed document into the canonical form."""
    if not isinstance(document, dict):
        message = f"a definition is a JSON object, not {_kind(document)}"
        problem = Problem("error", None, "$", message, 'write {"name": …, "nodes": […]}')
        return Reading(document, None, problems=[problem])
    problems = list(islice(_value_problems(document), _MAX_VALUE_PROBLEMS))
    if problems:
        return Reading(document, None, problems=problems)
    converted = to_canonical(document)
    workflow = rest = None
    found: list[Problem] = []
    try:
        workflow = Workflow.model_validate(converted.document)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        found = [_problem(converted.document, details) for details in errors]
        rest = _without(converted.document, errors)
    problems = [*converted.problems, *converted.in_words_of_author(found)]
    return Reading(document, workflow, rest, problems, converted)


def _without(document: dict[str, Any], errors: Sequence[ErrorDetails]) -> Workflow | None:
    """The definition without what has the wrong form; None where more than details would be missing from it."""
    rest = deepcopy(document)
    for details in errors:
        place = in_document(document, details["loc"])
        if place and place[0] in _DETAILS:
            # Of a list that holds something wrong, nothing is left.
            place = list(takewhile(lambda key: isinstance(key, str), place))
        if not _is_detail(place, details["type"]):
            return None
        owner: Any = rest
        for key in place[:-1]:
            owner = owner.get(key, {}) if isinstance(owner, dict) else owner[key]
        owner.pop(place[-1], None)
    try:
        return Workflow.model_validate(rest)
    except ValidationError:
        return None


def _is_detail(place: Sequence[int | str], kind: str) -> bool:
    """Whether everything else means the same without what stands at a place."""
    if not place or isinstance(place[-1], int):
        return False
    if kind == "extra_forbidden":
        return True
    return (len(place) > 1 and place[0] in _DETAILS) or (
        len(place) > 2 and place[0] == "nodes" and place[2] in _DETAILS_OF_NODES
    )


def read_or_raise(document: Any) -> Workflow:
    """Read a document that was checked before, such as a stored version.

    Raises:
        InvalidDefinitionError: Its form has errors.
    """
    reading = read(document)
    if reading.workflow is None:
        raise InvalidDefinitionError(reading.problems)
    return reading.workflow


def _problem(document: dict[str, Any], details: ErrorDetails) -> Problem:
    location, given, kind = details["loc"], details["input"], details["type"]
    if location[-1:] == ("[key]",):
        location = location[:-1]
    node = None
    if location[:1] == ("nodes",) and len(location) > 1:
        written = document["nodes"][location[1]]
        node = written.get("id") if isinstance(written, dict) and isinstance(written.get("id"), str) else None
    key = location[-1] if location else ""
    hint = description_at(Workflow, location)
    message = in_plain_words(details)
    if kind == "extra_forbidden":
        message, hint = f"unknown key {key!r}", did_you_mean(str(key), keys_at(Workflow, location[:-1]))
        if len(location) == 1 and key in _OF_THE_STORE:
            hint = "remove it: the store keeps that beside each version"
    elif kind == "missing":
        message, hint = f"{key!r} is missing", f"add it: {hint}" if hint else "add it"
    elif kind == "string_pattern_mismatch":
        longest = 150 if location == ("id",) else 100
        message = f"{shown(given)} cannot be an id"
        hint = f"letters, digits, _ and -, at most {longest} of them"
    elif isinstance(given, str | int | float | None):
        message = f"{message}, got {shown(given)}"
    return Problem("error", node, json_path(location), message, hint)


def _kind(value: Any) -> str:
    names = {list: "an array", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
