"""The names an expression can see, and the moment it sees as now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from oneo.expressions.calendar import add_months

MISSING: Final = object()
"""What a lookup gives where there is nothing; never a value of an expression."""

CLOCK_NAMES: Final[Mapping[str, Callable[[datetime], Any]]] = {
    "now": lambda now: now,
    "today": lambda now: now.date(),
    "yesterday": lambda now: now.date() - timedelta(days=1),
    "tomorrow": lambda now: now.date() + timedelta(days=1),
    "last_week": lambda now: now - timedelta(days=7),
    "last_month": lambda now: add_months(now, -1),
}
"""Names that follow from the scope's moment: dates for days, moments for the rest."""

NODE_ROOTS: Final = ("nodes", "outputs")
NODE_PREFIX: Final = "node_"
_BARE_ROOTS: Final = ("variables", "context", "trigger", "trigger_data")
_ALIASES: Final = {
    "trigger_data": "trigger",
    "trigger": "trigger_data",
    "outputs": "nodes",
    "nodes": "outputs",
}


class Lazy:
    """A value fetched at its first use, once.

    It may stand for a name of a scope, or for a field of a mapping in it.

    Args:
        fetch: Gives the value.
    """

    __slots__ = ("_fetch", "_value")

    def __init__(self, fetch: Callable[[], Any]) -> None:
        self._fetch = fetch
        self._value: Any = MISSING

    def get(self) -> Any:
        """The value; fetched now if it has not been yet."""
        if self._value is MISSING:
            self._value = self._fetch()
        return self._value


class Scope:
    """The names visible to expressions.

    A bare name that is not among `names` is looked for in `variables`, then `context`, then `trigger`.
    `outputs.x` and `node_x` are other spellings of `nodes.x`, `trigger_data` of `trigger`.

    Args:
        names: The names: `record`, `trigger`, `variables`, `nodes`, `secrets`, a loop's item variable, …
        now: The moment `now`, `today` and the rest of the family follow from; must carry its time zone. Without
            one those names are unknown: the evaluator never looks at the system's clock.
        timezone: Zone that `now` is shown in and that moments without a zone are taken to be in.
        seed: What `random()` and `uuid()` follow from. The same seed gives the same values in the same order, so
            use the key of the node attempt. Without one both are errors.

    Attributes:
        revealed: Texts of all secrets read so far, for redaction.
    """

    __slots__ = ("_draws", "names", "now", "revealed", "seed", "timezone")

    def __init__(
        self,
        names: Mapping[str, Any] | None = None,
        *,
        now: datetime | None = None,
        timezone: str | tzinfo = "UTC",
        seed: str | None = None,
    ) -> None:
        if now is not None and now.tzinfo is None:
            raise ValueError("the now of a scope must carry its time zone")
        self.names: dict[str, Any] = dict(names or {})
        self.timezone: tzinfo = ZoneInfo(timezone) if isinstance(timezone, str) else timezone
        self.now = now.astimezone(self.timezone) if now is not None else None
        self.seed = seed
        self.revealed: set[str] = set()
        self._draws = 0

    def child(self, names: Mapping[str, Any], *, seed: str | None = None) -> Scope:
        """A scope with more names, as inside a loop; secrets it reads are known here too.

        Args:
            names: Names added, or shadowing those of this scope.
            seed: Seed of the child; without one, this scope's seed with its names counted anew.
        """
        made = Scope(
            {**self.names, **names},
            now=self.now,
            timezone=self.timezone,
            seed=seed if seed is not None else self.seed,
        )
        made.revealed = self.revealed
        return made

    def find(self, name: str) -> Any:
        """The value of a bare name, or `MISSING`."""
        value = self.names.get(name, MISSING)
        if value is not MISSING:
            if isinstance(value, Lazy):
                self.names[name] = value = value.get()  # from now on it is found at once
            return value
        if self.now is not None and name in CLOCK_NAMES:
            return CLOCK_NAMES[name](self.now)
        for root in (_ALIASES.get(name), *_BARE_ROOTS):
            held = self._held(root)
            if root == _ALIASES.get(name) and held is not MISSING:
                return held
            if isinstance(held, Mapping) and name in held:
                value = held[name]
                return value.get() if isinstance(value, Lazy) else value
        if name.startswith(NODE_PREFIX):
            return self._node(name.removeprefix(NODE_PREFIX))
        return MISSING

    def known(self) -> list[str]:
        """The names an author could have meant."""
        found = {*self.names, *(CLOCK_NAMES if self.now is not None else ())}
        for root in _BARE_ROOTS:
            held = self._held(root)
            if isinstance(held, Mapping):
                found.update(key for key in held if isinstance(key, str))
        return sorted(found)

    def reveal(self, value: Any) -> None:
        """Note a secret that was read: its text, or every text inside it."""
        if isinstance(value, Mapping):
            for part in value.values():
                self.reveal(part)
        elif isinstance(value, list | tuple):
            for part in value:
                self.reveal(part)
        elif value is not None and not isinstance(value, bool) and value != "":
            self.revealed.add(str(value))

    def draw(self) -> int:
        """The number of the next random value."""
        self._draws += 1
        return self._draws

    def _held(self, root: str | None) -> Any:
        value = self.names.get(root, MISSING) if root else MISSING
        return value.get() if isinstance(value, Lazy) else value

    def _node(self, node: str) -> Any:
        for root in NODE_ROOTS:
            held = self._held(root)
            if isinstance(held, Mapping) and node in held:
                value = held[node]
                return value.get() if isinstance(value, Lazy) else value
        return MISSING
