"""Conditions of the React Flow dialect: left, operator, right and the output they lead to, as branches."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from dag_factory.dialects.flow_values import Values

_COMPARED: Final = ("==", "!=", ">", ">=", "<", "<=")


def _contains(left: str, right: str) -> str:
    return f"contains(lower(string({left})), lower(string({right})))"


_IN_TEXT: Final[dict[str, Callable[[str, str], str]]] = {
    "contains": _contains,
    "not_contains": lambda left, right: f"not {_contains(left, right)}",
    "starts_with": lambda left, right: f"startswith(string({left}), string({right}))",
    "ends_with": lambda left, right: f"endswith(string({left}), string({right}))",
}
OPERATORS: Final = (*_COMPARED, *_IN_TEXT)


@dataclass(frozen=True)
class Test:
    """One condition.

    Attributes:
        source: As an expression.
        output: The way out it leads to.
        index: Its place in the list.
    """

    source: str
    output: str
    index: int


def test_of(written: dict[str, Any], index: int, values: Values) -> Test | None:
    """One condition of the list; None where its operator is none."""
    sign = written.get("operator", "==")
    left, right = (_side(written.get(side), values) for side in ("left", "right"))
    if not isinstance(sign, str):
        return None
    if sign in _COMPARED:
        source = f"{left} {sign} {right}"
    elif sign in _IN_TEXT:
        source = _IN_TEXT[sign](left, right)
    else:
        return None
    return Test(source, _name(written.get("output", "true")), index)


def undecided(written: Any, index: int) -> Test:
    """What stands in for a condition that cannot be read: it never holds."""
    output = written.get("output", "true") if isinstance(written, dict) else "true"
    return Test("false", _name(output), index)


def branches(
    tests: list[Test], default: str, targets: dict[str, str]
) -> list[tuple[dict[str, Any], int | None]]:
    """Our branches, each with the place of the condition it comes from; None for the default.

    There, several conditions may lead to one output. Here an output is one branch, so they are joined; what would have
    been decided by a condition in between is left out of the later ones.

    Args:
        tests: The conditions in order.
        default: The output where none holds.
        targets: For each output, a node that an edge leads to from it.
    """
    joined: dict[str, list[str]] = {}
    places: dict[str, int] = {}
    for position, test in enumerate(tests):
        before = [other.source for other in tests[:position] if other.output != test.output]
        again = test.output in joined or default in {other.output for other in tests[:position]}
        parts = (
            [test.source, *(f"not ({source})" for source in before)] if again and before else [test.source]
        )
        joined.setdefault(test.output, []).append(" and ".join(parts))
        places.setdefault(test.output, test.index)
    found: list[tuple[dict[str, Any], int | None]] = []
    for output, sources in joined.items():
        if output == default:
            continue
        source = sources[0] if len(sources) == 1 else " or ".join(f"({one})" for one in sources)
        key = "elif" if found else "if"
        then = {"then": targets[output]} if output in targets else {}
        found.append(({key: source, **then, "label": output}, places[output]))
    if default in targets:
        last: dict[str, Any] = {"else": targets[default], "label": default}
        found.append(
            (last, None) if found else ({"if": "true", "then": targets[default], "label": default}, None)
        )
    return found


def _side(value: Any, values: Values) -> str:
    """What stands on one side of an operator; what is missing is null there."""
    if isinstance(value, dict) and isinstance(value.get("context_path"), str):
        return f"default({values.path(value['context_path'])}, null)"
    if isinstance(value, str) and value.startswith("{{") and value.endswith("}}"):
        return f"default({values.read(value)[2:-2].strip()}, null)"
    return json.dumps(value, ensure_ascii=False)


def _name(output: Any) -> str:
    if isinstance(output, bool):
        return str(output).lower()
    return output if isinstance(output, str) else json.dumps(output)
