"""Checks for secrets that stand in a definition in plain text, where every reader of the workflow sees them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from dag_factory.checked import Checked
from dag_factory.definition import Workflow
from dag_factory.json_path import json_path
from oneo.expressions import is_template
from oneo.problems import Problem

# As whole names, or behind other words: `smtp_password`, `X-Api-Key`.
_NAMES: Final = re.compile(
    r"(?:.*_)?(?:password|passwd|pwd|passphrase|secret|secret_key|client_secret|api_?key|access_key|private_key|"
    r"authorization|credentials?|bearer|access_token|refresh_token|auth_token|api_token|bot_token)|token"
)
_VALUES: Final = {
    "a bearer token": re.compile(r"\bBearer\s+(?=\S*\d)[A-Za-z0-9._~+/=-]{8,}"),
    "a user name with a password": re.compile(
        r"\bBasic\s+(?=\S*[\d=])[A-Za-z0-9+/]{8,}={0,2}(?:\s|$)|://[^/\s:@{}]+:[^/\s@{}]+@"
    ),
    "an API key": re.compile(
        r"\b(?:sk|rk|pk)[-_](?=\S{0,100}\d)[A-Za-z0-9_-]{16,}|\bAIza[A-Za-z0-9_-]{35}|\bgh[pousr]_[A-Za-z0-9]{30,}"
        r"|[?&](?:api_?key|access_token|token)=[A-Za-z0-9._~-]{8,}"
    ),
    "a Slack token": re.compile(r"\bxox[a-z]-[A-Za-z0-9-]{10,}"),
    "an AWS key": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "a signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,500}\.eyJ[A-Za-z0-9_-]{8,500}\.[A-Za-z0-9_-]{8,}"),
}


def secret_problems(workflow: Workflow, nodes: Sequence[Checked]) -> list[Problem]:
    """Warnings about texts that hold a secret, or look as if they did; they are not repeated."""
    problems = []
    for one in nodes:
        for path, name, what in _secrets(one.node.config, one.config_path):
            hint = f"store it as a secret and write {{{{ secrets.{name} }}}}"
            if "connection_id" in one.type.Config.model_fields:
                hint += ", or put it into a connection and name that in connection_id"
            problems.append(Problem("warning", one.node.id, path, f"{what} stands here in plain text", hint))
    for variable, spec in workflow.variables.items():
        for path, name, what in _secrets(
            spec.default, json_path(["variables", variable, "default"]), variable
        ):
            message = f"{what} stands here in plain text, and whoever starts the workflow sees it"
            hint = f"store it as a secret and read {{{{ secrets.{name} }}}} where it is needed"
            problems.append(Problem("warning", None, path, message, hint))
    written = [("$.description", workflow.description)]
    written += [
        (json_path(["outputs", name, "value"]), output.value) for name, output in workflow.outputs.items()
    ]
    for at, value in written:
        for path, _, what in _secrets(value, at):
            message = f"{what} stands here in plain text, where every reader of the workflow sees it"
            problems.append(
                Problem("warning", None, path, message, "take it out; nodes read {{ secrets.NAME }}")
            )
    return problems


def _secrets(value: Any, at: str, name: str = "") -> Iterator[tuple[str, str, str]]:
    """(JSON path, a name for the secret, what it is) of every secret in a value."""
    pending: list[tuple[str, str, Any]] = [(at, name, value)]
    while pending:
        path, name, inner = pending.pop()
        if isinstance(inner, dict):
            pending += [(json_path([key], path), key, item) for key, item in reversed(inner.items())]
        elif isinstance(inner, list):
            pending += [(f"{path}[{index}]", name, item) for index, item in reversed(list(enumerate(inner)))]
        elif isinstance(inner, str) and inner:
            what = _what(name, inner)
            if what is not None:
                yield path, _plain(name) or "name", what


def _what(name: str, text: str) -> str | None:
    known = next((what for what, looks in _VALUES.items() if looks.search(text)), None)
    if known is None and _NAMES.fullmatch(_plain(name)) and not is_template(text):
        return f"the value of {name!r}"
    return known


def _plain(name: str) -> str:
    """`X-Api-Key` and `clientSecret` as `x_api_key` and `client_secret`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+", "_", words, flags=re.ASCII).strip("_").lower()
