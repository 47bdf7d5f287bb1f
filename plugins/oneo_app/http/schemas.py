"""Bodies of the API: read strictly, and refused with everything that is wrong with them."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from oneo_app.http.payloads import parse
from oneo_app.http.refusals import RequestRefusedError

MAX_BYTES = 1_048_576


class Body(BaseModel):
    """Base of what the API takes in: no other fields, and no values of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


Model = TypeVar("Model", bound=Body)


def read(model: type[Model], raw: bytes, what: str, hint: str) -> Model:
    """The body as a model.

    Args:
        model: What is wanted.
        raw: The bytes of the body, JSON.
        what: What it should be, e.g. `event`.
        hint: What one looks like.

    Raises:
        RequestRefusedError: 400 where it is no JSON, 422 where it is none; every problem is named with its path.
    """
    try:
        return model.model_validate(parse(raw, "application/json").value)
    except ValidationError as error:
        problems = [
            {"path": ".".join(["$", *map(str, one["loc"])]), "message": one["msg"]}
            for one in error.errors(include_url=False)
        ]
    raise invalid(f"this is no {what}", hint, problems)


def invalid(message: str, hint: str, problems: list[dict[str, str]]) -> RequestRefusedError:
    """The refusal of a body that can be read and does not fit."""
    return RequestRefusedError(
        422, f"{message}: {len(problems)} problem(s)", hint, code="schema", problems=problems
    )
