"""What pydantic models say about their fields, for messages about documents that do not fit them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails


def keys_at(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """The keys an object at a location of the document may have."""
    return [name for found in _models_at(model, location) for name in _fields(found)]


def is_object_of_model(model: type[BaseModel], location: Sequence[int | str]) -> bool:
    """Whether a location holds an object with keys of its own, not a plain value, list or mapping."""
    place = list(location)
    while place and isinstance(place[-1], int):
        place.pop()
    return not place or bool(_models_at(model, place))


def description_at(model: type[BaseModel], location: Sequence[int | str]) -> str | None:
    """What the innermost described field on the way to a location is about."""
    found = None
    for depth, part in enumerate(location):
        for owner in _models_at(model, location[:depth]):
            field = _fields(owner).get(str(part))
            if field is not None and field.description:
                found = field.description
    return found


def in_plain_words(details: ErrorDetails) -> str:
    """What pydantic found, for readers who know JSON but not our classes."""
    if details["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return "Input should be an object"
    return details["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")


def in_document(document: Any, location: Sequence[int | str], *, missing: bool = False) -> list[int | str]:
    """The part of a pydantic location that exists in the document; members of unions and validators are no part of it.

    Args:
        document: What was validated.
        location: Where pydantic found something.
        missing: Whether its last part is a key that is missing, and belongs to the place all the same.
    """
    path: list[int | str] = []
    for part in location:
        here = (isinstance(document, dict) and part in document) or (
            isinstance(document, list) and isinstance(part, int) and part < len(document)
        )
        if here:
            document = document[part]
        elif missing and part == location[-1]:
            return [*path, part]
        else:
            continue
        path.append(part)
    return path


def _models_at(model: type[BaseModel], location: Sequence[int | str]) -> list[type[BaseModel]]:
    """The models that describe a location; list indexes and keys of plain dicts lead to the same models."""
    models = [model]
    for part in location:
        fields = [_fields(owner)[str(part)] for owner in models if str(part) in _fields(owner)]
        if fields:
            models = [found for field in fields for found in _models_in(field.annotation)]
    return models


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """A model's fields by the names they have in a document."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]
