"""Which status may follow which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oneo.errors import PermanentNodeError
from oneo.store.pipelines import PipelineSpec

Transitions = Mapping[str, Sequence[str]]

# Stands for every status that the table does not name, and in a list for any status.
ANY = "*"
_FORWARD = ("new", "lead", "contacted", "qualified", "opportunity", "customer")
_BACK = ("contacted", "qualified", "opportunity", "customer")
# Forward, also past some; what is lost or inactive can come back. Any other word may enter it anywhere.
LIFECYCLE: Transitions = {
    **{status: (*_FORWARD[index + 1 :], "lost") for index, status in enumerate(_FORWARD[:-1])},
    "customer": ("inactive",),
    "inactive": _BACK,
    "lost": _BACK,
    ANY: (*_FORWARD, "inactive", "lost"),
}


def transitions_of(spec: PipelineSpec, field: str) -> Transitions:
    """What a pipeline says about a status: any of the field's options or of its stages, else the usual lifecycle."""
    if field == "stage":
        known = [stage.id for stage in spec.stages]
    else:
        known = next((one.options or [] for one in spec.fields if one.id == field), [])
    return {ANY: known} if known else LIFECYCLE


def check(table: Transitions, field: str, current: str | None, new: str) -> None:
    """Nothing where the new status may follow the current one.

    Raises:
        PermanentNodeError: It may not; the hint names those that may.
    """
    if not current:
        # Who has no status yet may get any that the table knows.
        named = [*table, *(one for following in table.values() for one in following)]
        allowed = [one for one in dict.fromkeys(named) if one != ANY]
        refused = new not in allowed and not any(ANY in following for following in table.values())
    else:
        allowed = list(table.get(current, table.get(ANY, ())))
        refused = new not in allowed and ANY not in allowed
    if refused:
        before = f"{field} {current!r}" if current else f"no {field}"
        raise PermanentNodeError(
            f"a record with {before} cannot become {new!r}",
            f"allowed: {', '.join(allowed)}"
            if allowed
            else "nothing may follow; name it in allowed_transitions",
        )
