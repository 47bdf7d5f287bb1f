"""Values of the React Flow dialect: paths into its context and `{name}` in texts, as expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

# What Python's str.format would fill in; JSON and CSS in braces look different.
_NAME: Final = re.compile(r"(?<!\{)\{([A-Za-z_]\w*(?:\.\w+|\[\w+\])*)(![rsa])?(:[^{}]*)?\}(?!\})")
_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_INDEX: Final = re.compile(r"""(?<![\w.'"])current_index\b(?!['"])""")
_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_NODE: Final = re.compile(r"node_(.+)")
# Words of the expression language: a name like them is read from context by its full path.
_RESERVED: Final = frozenset({"and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "null"})


@dataclass
class Values:
    """Reads the values of one node.

    Attributes:
        inputs: The node's `input_mapping`: its own names for paths into the context.
        in_loops: Whether the document has loops, whose rounds are counted by `current_index`.
        used: Which of those names stood somewhere.
        unreadable: Formats in texts that have no counterpart.
    """

    inputs: Mapping[str, str] = field(default_factory=dict)
    in_loops: bool = False
    used: set[str] = field(default_factory=set)
    unreadable: list[str] = field(default_factory=list)

    def read(self, value: Any) -> Any:
        """A value with everything in it that refers to the context as an expression."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self.read(item) for item in value]
        if isinstance(value, dict):
            if value.keys() == {"context_path"} and isinstance(value["context_path"], str):
                return f"{{{{ {self.path(value['context_path'])} }}}}"
            return {key: self.read(item) for key, item in value.items()}
        return value

    def path(self, path: str) -> str:
        """A path into the context as an expression."""
        first, *rest = path.strip().split(".")
        if first in self.inputs:
            self.used.add(first)
            return _joined(_start(*self.inputs[first].strip().split(".")), rest)
        if first == "current_index" and self.in_loops:
            return _joined("loop.index", rest)
        return _start(first, *rest)

    def _text(self, text: str) -> str:
        text = _NAME.sub(self._named, text)
        if self.in_loops:
            text = _TEMPLATE.sub(lambda found: _INDEX.sub("loop.index", found[0]), text)
        return text

    def _named(self, match: re.Match[str]) -> str:
        if match[2] or match[3]:
            self.unreadable.append(match[0])
            return match[0]
        path = re.sub(r"\[(\w+)\]", r".\1", match[1])
        return f"{{{{ {self.path(path)} }}}}"


def _start(first: str, *rest: str) -> str:
    """There, one context holds what the trigger gave and what nodes left: as bare names do here."""
    node = _NODE.fullmatch(first)
    if node:
        start = f"nodes.{node[1]}" if _WORD.fullmatch(node[1]) else f'nodes["{_quoted(node[1])}"]'
    elif _WORD.fullmatch(first) and first.lower() not in _RESERVED:
        start = first
    else:
        start = f'context["{_quoted(first)}"]'
    return _joined(start, list(rest))


def _joined(start: str, rest: list[str]) -> str:
    for part in rest:
        start += (
            f".{part}" if _WORD.fullmatch(part) else f"[{part}]" if part.isdigit() else f'["{_quoted(part)}"]'
        )
    return start


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
