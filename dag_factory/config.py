"""A node's config before it runs: templates may stand anywhere, everything else must fit already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dag_factory.catalogue import NodeType
from dag_factory.definition import Node
from oneo.errors import ExpressionError
from oneo.expressions import Reads, compile_condition, compile_template, is_template, templates_in
from oneo.problems import Problem
from oneo.suggest import did_you_mean


@dataclass(frozen=True)
class Expression:
    """One expression of a config, compiled.

    Attributes:
        path: JSON path inside the config, e.g. `.headers.Authorization`.
    """

    path: str
    source: str
    reads: Reads


def expression_sources(node: Node, node_type: type[NodeType]) -> Iterator[tuple[str, str, bool]]:
    """(path inside the config, source, is it a condition) of everything the node will evaluate."""
    raw = node_type.raw_fields()
    for name, value in node.config.items():
        if name not in raw:
            for path, source in templates_in(value, f".{name}"):
                yield path, source, False
    for path, source in node_type.conditions(node.config):
        yield path, source, True


def expressions_of(node: Node, node_type: type[NodeType]) -> list[Expression]:
    """The node's expressions, compiled.

    Raises:
        ExpressionError: One of them cannot be compiled.
    """
    return [
        Expression(path, source, (compile_condition if is_condition else compile_template)(source).reads)
        for path, source, is_condition in expression_sources(node, node_type)
    ]


def expression_problems(
    node: Node, node_type: type[NodeType], at: str
) -> tuple[list[Expression], list[Problem]]:
    """The expressions that compile, and a problem for each that does not.

    Args:
        node: The node.
        node_type: Its type.
        at: JSON path of the node's config.
    """
    good: list[Expression] = []
    problems: list[Problem] = []
    for path, source, is_condition in expression_sources(node, node_type):
        try:
            reads = (compile_condition if is_condition else compile_template)(source).reads
        except ExpressionError as error:
            where = f" at character {error.position + 1}" if error.position is not None else ""
            message = f"{error.message}{where} of {_short(source)}"
            problems.append(Problem("error", node.id, at + path, message, error.hint))
        else:
            good.append(Expression(path, source, reads))
    return good, problems


def config_problems(node: Node, node_type: type[NodeType], at: str) -> list[Problem]:
    """What about the config does not fit its type, values that are templates left aside.

    Args:
        node: The node.
        node_type: Its type.
        at: JSON path of the node's config.
    """
    try:
        node_type.Config.model_validate(node.config)
    except ValidationError as error:
        details = [one for one in error.errors(include_url=False) if not _is_templated(one)]
        return [_problem(node, node_type, at, one) for one in details]
    return []


def _is_templated(details: ErrorDetails) -> bool:
    """Whether the finding is about a value that is only known at run time."""
    return isinstance(details["input"], str) and is_template(details["input"])


def _problem(node: Node, node_type: type[NodeType], at: str, details: ErrorDetails) -> Problem:
    location = list(details["loc"])
    message, hint = details["msg"].removeprefix("Value error, "), None
    if details["type"] == "extra_forbidden":
        key = str(location[-1])
        known = _fields_at(node_type.Config, location[:-1])
        message, hint = f"unknown option {key!r} of {node.type}", did_you_mean(key, known)
    elif details["type"] == "missing":
        message = f"option {location[-1]!r} of {node.type} is missing"
        hint = _description(node_type.Config, location)
    elif details["type"] != "value_error":
        message = f"{message}, got {_short(details['input'])}"
        hint = _description(node_type.Config, location)
    # Union members and validators leave their names in the location; they are not part of the document.
    path = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}"
        for part in _written(node.config, location, details)
    )
    return Problem("error", node.id, at + path, message, hint)


def _written(config: Any, location: list[int | str], details: ErrorDetails) -> list[int | str]:
    """The part of a pydantic location that exists in the document (plus a missing last key)."""
    path: list[int | str] = []
    for part in location:
        here = (isinstance(config, dict) and part in config) or (
            isinstance(config, list) and isinstance(part, int) and part < len(config)
        )
        if here:
            config = config[part]
        elif details["type"] == "missing" and part == location[-1]:
            path.append(part)
            break
        else:
            continue
        path.append(part)
    return path


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _fields_at(model: type[BaseModel], location: list[int | str]) -> list[str]:
    models = [model]
    for part in location:
        deeper = [
            found
            for one in models
            if isinstance(part, str) and part in one.model_fields
            for found in _models_in(one.model_fields[part].annotation)
        ]
        models = deeper or models
    return [name for one in models for name in one.model_fields]


def _description(model: type[BaseModel], location: list[int | str]) -> str | None:
    field = model.model_fields.get(str(location[0])) if location else None
    return field.description if field else None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"


__all__ = ["Expression", "config_problems", "expression_problems", "expressions_of"]
