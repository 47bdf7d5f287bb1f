"""A node's config before it runs: templates may stand anywhere, everything else must fit already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dag_factory.catalogue import NodeType
from dag_factory.definition import Node
from dag_factory.forms import description_at, in_document, in_plain_words, is_object_of_model, keys_at
from dag_factory.json_path import is_inside, json_path
from oneo.errors import ExpressionError
from oneo.expressions import Reads, compile_condition, compile_template, is_template, templates_in
from oneo.problems import Problem, shown
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
            for path, source in templates_in(value, json_path([name], "")):
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
            message = f"{error.message}{where} of {shown(source)}"
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
    rendered = {name: value for name, value in node.config.items() if name not in node_type.raw_fields()}
    problems = list(_templated_keys(node.id, rendered, at))
    try:
        node_type.Config.model_validate(node.config)
    except ValidationError as error:
        templates = dict(templates_in(rendered, at))
        found: dict[str, Problem] = {}
        for details in error.errors(include_url=False):
            if isinstance(details["input"], str) and is_template(details["input"]):
                continue
            problem = _problem(node, node_type, at, details)
            if _may_change(node_type, details, problem, templates):
                hint = "it is checked again when the node runs and its expressions have values"
                problem = replace(problem, severity="warning", hint=hint)
            # Each member of a union says why the value does not fit it.
            first = found.setdefault(problem.path, problem)
            if problem.message not in first.message:
                found[problem.path] = replace(first, message=f"{first.message}; or: {problem.message}")
        problems += found.values()
    return problems


def _may_change(
    node_type: type[NodeType], details: ErrorDetails, problem: Problem, templates: dict[str, str]
) -> bool:
    """Whether a rule was broken that the values of expressions may yet keep."""
    if details["type"] not in ("value_error", "assertion_error"):
        return False
    if is_object_of_model(node_type.Config, details["loc"]):
        # Rules over several options are mostly about which of them are given, and that is known already.
        return any(source in problem.message for source in templates.values())
    return any(is_inside(path, problem.path) for path in templates)


def _templated_keys(node_id: str, config: Any, at: str) -> Iterator[Problem]:
    """Only values are evaluated: a template as a key would end up as a field of that very name."""
    pending = [(at, config)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, list):
            pending += [(f"{path}[{index}]", item) for index, item in enumerate(value)]
        elif isinstance(value, dict):
            for key, item in value.items():
                place = json_path([key], path)
                if is_template(key):
                    message = f"the name {shown(key)} is an expression, and names are not evaluated"
                    hint = "write the name itself; values may be expressions"
                    yield Problem("error", node_id, place, message, hint)
                pending.append((place, item))


def _problem(node: Node, node_type: type[NodeType], at: str, details: ErrorDetails) -> Problem:
    location = list(details["loc"])
    message = in_plain_words(details)
    hint = description_at(node_type.Config, location)
    if details["type"] == "extra_forbidden":
        key = str(location[-1])
        known = keys_at(node_type.Config, location[:-1])
        message, hint = f"unknown option {key!r} of {node.type}", did_you_mean(key, known)
    elif details["type"] == "missing":
        message = f"option {location[-1]!r} of {node.type} is missing"
    elif details["type"] not in ("value_error", "assertion_error"):
        message = f"{message}, got {shown(details['input'])}"
    # Union members and validators leave their names in the location; they are not part of the document.
    return Problem(
        "error",
        node.id,
        json_path(in_document(node.config, location, missing=details["type"] == "missing"), at),
        message,
        hint,
    )
