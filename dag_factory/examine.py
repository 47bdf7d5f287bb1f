"""The whole way from a document to a plan, with everything found on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dag_factory.catalogue import Catalogue
from dag_factory.check_calls import Published, call_problems
from dag_factory.check_skipped import skipped_problems
from dag_factory.checks import check
from dag_factory.compile import compile_workflow
from dag_factory.definition import Workflow, definition_hash
from dag_factory.plan import Plan
from dag_factory.reading import read, read_or_raise
from oneo.errors import InvalidDefinitionError
from oneo.problems import Problem


@dataclass(frozen=True)
class Examination:
    """What is known about a document.

    Attributes:
        workflow: The definition; None where its form is wrong.
        plan: The plan; None where there is any error.
    """

    document: Any
    dialect: str
    problems: list[Problem]
    approximations: list[str]
    workflow: Workflow | None
    plan: Plan | None

    @property
    def ok(self) -> bool:
        """Whether the document can be published; where nodes are missing, its author has to want that."""
        return self.plan is not None

    def as_json(self) -> dict[str, Any]:
        """As printed by `oneo validate --json`."""
        return {
            "ok": self.ok,
            "dialect": self.dialect,
            "problems": [problem.as_json() for problem in self.problems],
            "approximations": self.approximations,
        }


def examine(document: Any, catalogue: Catalogue, published: Published | None = None) -> Examination:
    """Read, check and compile a document; nothing is raised for what is wrong with it.

    Args:
        document: The document.
        catalogue: The node types.
        published: Gives the workflows that others may call; without it, calls are not looked into.
    """
    reading = read(document)
    problems = list(reading.problems)
    plan = None
    checked = reading.workflow or reading.rest
    if checked is not None:
        found = check(checked, catalogue)
        if published is not None:
            found += call_problems(checked, catalogue, published)
        problems += reading.converted.in_words_of_author(found)
        if reading.workflow is not None and not any(problem.severity == "error" for problem in problems):
            plan = compile_workflow(reading.workflow, catalogue, definition_hash(document))
            skipped = skipped_problems(reading.workflow, plan, catalogue)
            problems += reading.converted.in_words_of_author(skipped)
    converted = reading.converted
    return Examination(
        document, converted.dialect, problems, converted.approximations, reading.workflow, plan
    )


def plan_of(document: Any, catalogue: Catalogue) -> Plan:
    """The plan of a document.

    Raises:
        InvalidDefinitionError: It has errors; all of them are named.
    """
    examination = examine(document, catalogue)
    if examination.plan is None:
        raise InvalidDefinitionError(examination.problems)
    return examination.plan


def plan_of_published(document: Any, catalogue: Catalogue, *, only: str | None = None) -> Plan:
    """The plan of a document that was checked when it was published: it is not checked again at every task.

    Args:
        document: The document.
        catalogue: The node types.
        only: Id of the one node whose expressions are read.

    Raises:
        InvalidDefinitionError: Its form is not one this version of the product reads.
        KeyError: A node type that the catalogue no longer has.
    """
    return compile_workflow(read_or_raise(document), catalogue, definition_hash(document), only=only)
