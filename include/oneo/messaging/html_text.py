"""HTML of mails as text to read."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Strangers write it: the standard library's parser takes a minute for some 64 KB, and breaks off over others.
from selectolax.lexbor import LexborHTMLParser

from oneo.messaging.incoming import shortened

_HIDDEN = {"script", "style", "title", "noscript"}
_BLOCKS = {"p", "div", "tr", "li", "ul", "ol", "table", "blockquote", "pre", "hr", "section", "article"}
_BLOCKS |= {"h1", "h2", "h3", "h4", "h5", "h6", "header", "footer"}


def to_text(html: str) -> str:
    """The text of an HTML document: a line for each block, nothing of scripts and styles."""
    lines = [re.sub(r"[^\S\n]+", " ", line).strip() for line in "".join(_parts(html)).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _parts(html: str) -> Iterator[str]:
    root = LexborHTMLParser(shortened(html)).root
    for node in root.traverse(include_text=True) if root is not None else ():
        tag = node.tag
        if tag in _BLOCKS or tag == "br" or (node.prev is not None and node.prev.tag in _BLOCKS):
            yield "\n"
        elif tag in {"td", "th"}:
            yield " "
        if tag == "-text" and (node.parent is None or node.parent.tag not in _HIDDEN):
            yield re.sub(r"\s+", " ", node.text_content or "")
