"""Every node type there is: the modules under `nodes`, and what other packages offer as `oneo.nodes`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from dag_factory.catalogue import BrokenNodeType
from dag_factory.dialects.type_names import CATALOGUED

if TYPE_CHECKING:
    from dag_factory.binding import Published
    from oneo_operators.base import NodeOperator
    from oneo_operators.whole import WholeOperator

ENTRY_POINT_GROUP = "oneo.nodes"


class NodeCatalogue:
    """Node types by name. A type's module is imported when it is asked for, not before.

    The module is named after the type (`nodes/crm/resolve_contact.py` is `resolve_contact`), so finding a type
    needs no import of any other.
    """

    def __init__(self) -> None:
        self._sources: dict[str, str | EntryPoint] = dict(_modules())
        for entry_point in entry_points(group=ENTRY_POINT_GROUP):
            self._sources.setdefault(entry_point.name, entry_point)
        self._loaded: dict[str, type[NodeOperator]] = {}
        self.broken: dict[str, BrokenNodeType] = {}

    def get(self, type_name: str) -> type[NodeOperator] | None:
        """The type of that name, or what stands in for it where it is missing.

        None where nobody knows it, or where it could not be loaded (see `broken`).
        """
        if type_name in self._loaded:
            return self._loaded[type_name]
        source = self._sources.get(type_name)
        if source is None and type_name in CATALOGUED:
            self._loaded[type_name] = _stand_in_for(type_name)
            return self._loaded[type_name]
        if source is None or type_name in self.broken:
            return None
        try:
            found = _load(type_name, source)
        except Exception as error:
            where = source if isinstance(source, str) else f"entry point {source.value}"
            self.broken[type_name] = BrokenNodeType(where, f"{type(error).__name__}: {error}")
            return None
        self._loaded[type_name] = found
        return found

    def whole(self, published: Published) -> WholeOperator:
        """The Airflow operator that runs a whole workflow."""
        from oneo_operators.whole import WholeOperator  # noqa: PLC0415 - imports Airflow

        return WholeOperator(published=published)

    def types(self) -> Sequence[str]:
        """The names of all types this version has, sorted."""
        return sorted(self._sources)

    def all(self) -> list[type[NodeOperator]]:
        """Every type that can be loaded, by name."""
        found = [self.get(name) for name in self.types()]
        return [one for one in found if one is not None]


def _modules() -> Iterator[tuple[str, str]]:
    from oneo_operators import nodes  # noqa: PLC0415 - keeps the package's own import free of it

    for category in pkgutil.iter_modules(nodes.__path__):
        package = f"{nodes.__name__}.{category.name}"
        folder = [f"{path}/{category.name}" for path in nodes.__path__]
        for module in pkgutil.iter_modules(folder):
            if not module.name.startswith("_"):
                yield module.name, f"{package}.{module.name}"


def _stand_in_for(type_name: str) -> type[NodeOperator]:
    from oneo_operators.missing import stand_in_for  # noqa: PLC0415 - imports Airflow

    return stand_in_for(type_name)


def _load(type_name: str, source: str | EntryPoint) -> type[NodeOperator]:
    from oneo_operators.base import NodeOperator  # noqa: PLC0415 - imports Airflow

    # Not asked the other way round: a backport of importlib.metadata brings entry points of a class of its own.
    candidates = (
        list(vars(importlib.import_module(source)).values()) if isinstance(source, str) else [source.load()]
    )
    for candidate in candidates:
        is_node = isinstance(candidate, type) and issubclass(candidate, NodeOperator)
        if is_node and getattr(candidate, "type", None) == type_name:
            found: type[NodeOperator] = candidate
            return found
    raise LookupError(f"no NodeOperator with type = {type_name!r} in it")


@lru_cache(maxsize=1)
def catalogue() -> NodeCatalogue:
    """The catalogue of this process."""
    return NodeCatalogue()
