"""What nodes leave for those after them, beside their outputs: context entries, changes of variables, and more.

It is kept as one mapping with each attempt. Names of context entries never hold a colon; what is not a context entry
stands under a name that does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from oneo_operators.variables import Changes

VARIABLES: Final = "oneo:variables"
"""Changes of variables, as `Changes`."""
OUTPUTS: Final = "oneo:outputs"
"""The last outputs of nodes inside a loop, by node id."""
FAILURE: Final = "oneo:failure"
"""The failure of a node that was handled."""
RESERVED: Final = (VARIABLES, OUTPUTS, FAILURE)

Left = Mapping[str, Any]


def entries(left: Left) -> dict[str, Any]:
    """The context entries among what a node left."""
    return {name: value for name, value in left.items() if name not in RESERVED}


def together(lefts: Iterable[Left]) -> dict[str, Any]:
    """What several nodes left one after the other, as what one node would have left."""
    found: dict[str, Any] = {}
    changes = Changes()
    outputs: dict[str, Any] = {}
    for left in lefts:
        found |= {name: value for name, value in left.items() if name not in (VARIABLES, OUTPUTS)}
        outputs |= left.get(OUTPUTS, {})
        if VARIABLES in left:
            changes = changes.followed_by(Changes(**left[VARIABLES]))
    if changes != Changes():
        found[VARIABLES] = asdict(changes)
    if outputs:
        found[OUTPUTS] = outputs
    return found
