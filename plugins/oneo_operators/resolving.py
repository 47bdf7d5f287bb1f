"""A node's config: its expressions evaluated, then checked against the node's `Config`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from dag_factory.forms import in_document, in_plain_words
from dag_factory.json_path import json_path
from oneo.errors import ConfigError, ExpressionError
from oneo.expressions import Scope, resolve, templates_in
from oneo.problems import shown
from oneo_operators.redact import pieces_in, redact

if TYPE_CHECKING:
    from oneo_operators.base import NodeOperator


def evaluated(operator_type: type[NodeOperator], config: Mapping[str, Any], scope: Scope) -> dict[str, Any]:
    """The config with its expressions evaluated, but for those the node evaluates itself.

    Raises:
        ConfigError: An expression fails.
    """
    raw = operator_type.raw_fields()
    values: dict[str, Any] = {}
    for name, value in config.items():
        try:
            values[name] = value if name in raw else resolve(value, scope, path=f"config.{name}")
            if name not in raw and scope.revealed and _reads_secrets(value):
                scope.reveal(list(pieces_in(values[name], scope.revealed)))
        except ExpressionError as error:
            raise ConfigError(error.message, error.hint) from error
    return values


def _reads_secrets(value: Any) -> bool:
    return any("secrets" in source for _, source in templates_in(value))


def as_input(values: Mapping[str, Any], secrets: Collection[str]) -> Any:
    """An evaluated config as kept in the log.

    Raises:
        ConfigError: It holds what JSON does not know.
    """
    try:
        return redact(values, secrets)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"config cannot be kept as JSON: {error}", "give texts, numbers or dates"
        ) from error


def checked(
    operator_type: type[NodeOperator], values: Mapping[str, Any], secrets: Collection[str]
) -> BaseModel:
    """The evaluated config as the node's `Config`.

    Raises:
        ConfigError: It does not fit; every reason is named.
    """
    try:
        return operator_type.Config.model_validate(values)
    except ValidationError as error:
        reasons: dict[str, list[str]] = {}
        for one in error.errors(include_url=False):
            place = json_path(in_document(values, one["loc"], missing=one["type"] == "missing"), "config")
            message = f"{in_plain_words(one)}, got {shown(redact(one['input'], secrets))}"
            reasons.setdefault(place, []).append(message)
        # Each member of a union says why the value does not fit it.
        found = [f"{place}: {'; or: '.join(dict.fromkeys(why))}" for place, why in reasons.items()]
        raise ConfigError(
            "; ".join(found), "the values came out of expressions: see the node's input"
        ) from error
