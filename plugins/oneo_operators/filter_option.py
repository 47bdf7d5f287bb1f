"""Filters as an option of a node: what cannot be read is refused when the workflow is saved."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator

from oneo.errors import UserError
from oneo.filters import parse


def _readable(value: dict[str, Any]) -> dict[str, Any]:
    try:
        # What an expression stands for is checked once it is known, before the search.
        parse(value, expressions=True)
    except UserError as error:
        raise ValueError(str(error)) from None
    return value


Filters = Annotated[dict[str, Any], AfterValidator(_readable)]
