"""A problem found in a definition: where, what, and what would be right."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "missing", "warning"]
_SHOWN = 80


def shown(value: Any) -> str:
    """A value of a document as messages quote it, cut where it is long: texts in single quotes, all else as JSON."""
    text = repr(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "…"


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about a definition.

    Attributes:
        severity: `error` forbids publishing; `missing`, a step that no run can take yet, does so too unless its author
            wants it that way; `warning` does not.
        node: Id of the node concerned, or None where the whole document is.
        path: JSON path into the document as its author wrote it, e.g. `$.nodes[2].config.url`.
        message: What is wrong.
        hint: What would be right, or None where the message says it all.
    """

    severity: Severity
    node: str | None
    path: str
    message: str
    hint: str | None = None

    def as_json(self) -> dict[str, str | None]:
        """The problem as printed by `oneo validate --json`."""
        return asdict(self)

    def __str__(self) -> str:
        where = f"node {self.node!r} at {self.path}" if self.node else self.path
        return f"{where}: {self.message}" + (f" ({self.hint})" if self.hint else "")
