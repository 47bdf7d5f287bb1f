"""Dialects: other ways to write a workflow, read into the canonical form of `dag_factory.definition`."""

from __future__ import annotations

from typing import Any

from dag_factory.dialects import catalogue, reactflow, steps
from dag_factory.dialects.converted import Converted, Place
from dag_factory.dialects.stand_ins import read_stand_ins

__all__ = ["Converted", "Place", "to_canonical"]


def to_canonical(document: dict[str, Any]) -> Converted:
    """Read a document of any dialect; the document itself stays as it is."""
    converted = _converted(document)
    read_stand_ins(converted)
    return converted


def _converted(document: dict[str, Any]) -> Converted:
    if steps.recognises(document):
        return steps.convert(document)
    if reactflow.recognises(document):
        return reactflow.convert(document)
    return catalogue.convert(document)
