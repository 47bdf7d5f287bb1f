"""The documentation as data: documents, their code blocks, code spans and links."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def read(name: str) -> str:
    return (ROOT / name).read_text()


def blocks(name: str, language: str) -> list[str]:
    """The fenced code blocks of a language."""
    return [body for found, body in _BLOCK.findall(read(name)) if found == language]


def spans(name: str) -> list[str]:
    """The inline code."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", _BLOCK.sub("", read(name)))


def links(name: str) -> list[str]:
    return re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", _BLOCK.sub("", read(name)))


def anchors(path: Path) -> set[str]:
    """Anchors of a document's headings."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def commands(name: str) -> list[list[str]]:
    """Everything that is written as a command, as words."""
    lines = [line for body in blocks(name, "sh") for line in body.replace("\\\n", " ").splitlines()]
    found = []
    for text in [*lines, *spans(name)]:
        try:
            words = shlex.split(text, comments=True)
        except ValueError:
            continue
        if words and Path(words[0]).name in ("oneo", "make", "python"):
            found.append([Path(words[0]).name, *words[1:]])
    return found
