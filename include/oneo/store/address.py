"""An e-mail address, and where it stands: alone, or inside a longer text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, or_
from sqlalchemy.orm import InstrumentedAttribute

from oneo.errors import UserError

ERASED = "[erased]"
# What may stand in an address: where one of these is next to it, it is part of a longer one. Python and PostgreSQL
# read this alike.
_BEFORE, _AFTER = r"(?<![\w.%+-])", r"(?![\w-])(?!\.\w)"


class Address:
    """An e-mail address to look for, in whatever case.

    Attributes:
        email: The address in lower case.
        pattern: Finds it in a text; for searches that do not mind the case.

    Raises:
        UserError: It is none.
    """

    def __init__(self, email: str) -> None:
        self.email = email.strip().lower()
        if not re.fullmatch(r'[^@\s"\\]+@[^@\s"\\]+', self.email):
            raise UserError(f"{email!r} is no e-mail address", hint="write e.g. ann@example.com")
        self.pattern = f"{_BEFORE}{re.escape(self.email)}{_AFTER}"
        self._pattern = re.compile(self.pattern, re.IGNORECASE)

    def is_value_of(self, value: Any) -> bool:
        """Whether the address is the value, or one inside it."""
        return any(text.strip().lower() == self.email for text in _texts(value))

    def stands_in(self, value: Any) -> bool:
        """Whether the address stands anywhere in the value."""
        return any(self._pattern.search(text) for text in _texts(value))

    def taken_out(self, value: Any) -> Any:
        """The value without the address."""
        if isinstance(value, str):
            return self._pattern.sub(ERASED, value)
        if isinstance(value, dict):
            return {self.taken_out(name): self.taken_out(held) for name, held in value.items()}
        if isinstance(value, list):
            return [self.taken_out(held) for held in value]
        return value

    def could_be_in(self, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        """Whether the address may stand in one of the columns, for the database to look before we do."""
        return or_(*(func.lower(cast(one, Text)).contains(self.email, autoescape=True) for one in columns))


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, held in value.items():
            yield name
            yield from _texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from _texts(held)
