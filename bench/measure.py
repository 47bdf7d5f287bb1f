"""One measurement and its bound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """A figure that must not exceed its bound.

    Attributes:
        unit: Empty for ratios.
        detail: What the figure was made of.
    """

    name: str
    value: float
    bound: float
    unit: str = ""
    detail: str = ""

    @property
    def holds(self) -> bool:
        """Whether the bound is kept."""
        return self.value <= self.bound

    @property
    def shown(self) -> str:
        """The figure with its unit and what it was made of."""
        return f"{self.value:.2f}{self.unit}" + (f" ({self.detail})" if self.detail else "")
