"""What reading a dialect results in: the canonical document, and how its places lead back to the author's."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from typing import Any

from dag_factory.json_path import is_inside, json_path
from oneo.problems import Problem

Location = Sequence[int | str]


@dataclass(frozen=True)
class Place:
    """A place of the canonical document and where its author wrote it.

    Attributes:
        canonical: JSON path in the canonical document.
        original: JSON path in the author's.
        alike: Whether everything inside has the same place inside the original.
    """

    canonical: str
    original: str
    alike: bool = True


@dataclass
class Converted:
    """A document in canonical form.

    Attributes:
        dialect: What it was written in.
        document: The canonical form.
        approximations: What could not be carried over exactly.
        problems: What could not be carried over at all; their paths lead into the author's document.
        paths: Where the canonical document differs from the author's.
        explained: Canonical paths that a problem above explains: what else is found there only follows from it.
        meant: Canonical paths where a warning would question what the author has said in so many words.
    """

    dialect: str
    document: dict[str, Any]
    approximations: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    paths: list[Place] = field(default_factory=list)
    explained: list[str] = field(default_factory=list)
    meant: list[str] = field(default_factory=list)

    def original_path(self, path: str) -> str:
        """Where the author wrote what stands at a path of the canonical document."""
        inside = [place for place in self.paths if is_inside(path, place.canonical)]
        if not inside:
            return path
        place = max(inside, key=lambda one: len(one.canonical))
        return place.original + (path[len(place.canonical) :] if place.alike else "")

    def in_words_of_author(self, problems: Iterable[Problem]) -> list[Problem]:
        """Findings about the canonical document as findings about the author's; each once."""
        found: dict[tuple[str, str], Problem] = {}
        for problem in problems:
            if any(is_inside(problem.path, path) for path in self.explained):
                continue
            if problem.severity == "warning" and problem.path in self.meant:
                continue
            path = self.original_path(problem.path)
            found.setdefault((path, problem.message), replace(problem, path=path))
        return list(found.values())

    def note(self, text: str) -> None:
        """Report an approximation, once."""
        if text not in self.approximations:
            self.approximations.append(text)

    def refuse(
        self,
        original: Location,
        message: str,
        hint: str,
        *,
        node: str | None = None,
        at: Location | None = None,
    ) -> None:
        """Report what cannot be carried over.

        Args:
            original: Where the author wrote it.
            message: What is wrong.
            hint: What would be right.
            node: The node concerned.
            at: The place in the canonical document that this explains.
        """
        self.problems.append(Problem("error", node, json_path(original), message, hint))
        if at is not None:
            self.explained.append(json_path(at))

    def place(self, canonical: Location, original: Location, *, alike: bool = True) -> None:
        """Remember where something was written."""
        self.paths.append(Place(json_path(canonical), json_path(original), alike))


def is_id(value: Any) -> bool:
    """Whether a value can name a node; whether it is a good name is checked later."""
    return isinstance(value, str) and bool(value)


def free_name(name: str, taken: Container[str]) -> str:
    """The name, with a number behind it where it is taken."""
    return next(one for one in chain([name], (f"{name}_{n}" for n in count(1))) if one not in taken)
