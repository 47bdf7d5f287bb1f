"""Small pieces of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTICE = "<!-- Generated from the code by `python -m oneo_app.docs`. Do not edit. -->"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; bars inside cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell(part) for part in line) + " |" for line in lines)


def cell(text: str) -> str:
    """A text as a table's cell."""
    return " ".join(text.replace("|", "\\|").split()) or " "


def code(text: str) -> str:
    """A text as a code span, whatever backquotes it holds."""
    if not text:
        return ""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def page(*parts: str) -> str:
    """Parts joined as one document."""
    return "\n\n".join([NOTICE, *(part.strip("\n") for part in parts if part)]) + "\n"
