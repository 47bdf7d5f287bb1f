"""JSON paths, as problems name places in a document: `$.nodes[2].config.headers['X-Key']`."""

from __future__ import annotations

from collections.abc import Iterable


def json_path(location: Iterable[int | str], root: str = "$") -> str:
    """The path of a location: `("nodes", 2, "id")` is `$.nodes[2].id`.

    Args:
        location: Keys and indexes, outermost first.
        root: Path they start from.
    """
    return root + "".join(_step(part) for part in location)


def is_inside(path: str, outer: str) -> bool:
    """Whether `path` is `outer` or a place within it."""
    return path == outer or path.startswith((f"{outer}.", f"{outer}["))


def _step(part: int | str) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    plain = part.isidentifier() and part.isascii()
    return f".{part}" if plain else f"[{part!r}]"
