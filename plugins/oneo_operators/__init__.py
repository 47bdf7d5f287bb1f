"""Node types: one class per type, at once Airflow operator and in-task executable.

Each class is also a name of this package, found through the catalogue when it is asked for:

    from oneo_operators import HttpRequestOperator
"""

from __future__ import annotations

from typing import Any

_SUFFIX = "Operator"


def __getattr__(name: str) -> Any:
    if not name.endswith(_SUFFIX) or name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from oneo_operators.catalogue import catalogue  # noqa: PLC0415 - importing the package must cost nothing

    known = catalogue()
    likely = "".join(f"_{char.lower()}" if char.isupper() else char for char in name.removesuffix(_SUFFIX))
    found = known.get(likely.lstrip("_"))
    if found is not None and found.__name__ == name:
        return found
    for other in known.all():
        if other.__name__ == name:
            return other
    broken = known.broken.get(likely.lstrip("_"))
    if broken is not None:
        raise ImportError(f"{name} cannot be loaded from {broken.source}: {broken.error} ({broken.hint})")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    from oneo_operators.catalogue import catalogue  # noqa: PLC0415

    return sorted([*globals(), *(found.__name__ for found in catalogue().all())])
