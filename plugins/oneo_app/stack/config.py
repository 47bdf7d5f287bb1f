"""One configuration value with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that differs from, or insists on, a program's default.

    Attributes:
        section: Section of the program's configuration.
        key: Its name.
        value: The value as text.
        why: The reason, for documentation.
        secret: Whether the value must not be shown.
    """

    section: str
    key: str
    value: str
    why: str
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that sets it in Airflow."""
        return f"AIRFLOW__{self.section.upper()}__{self.key.upper()}"
