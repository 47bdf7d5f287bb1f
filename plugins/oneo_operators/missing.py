"""What stands in for a node type that this version does not have yet: whoever names one can still see it drawn."""

from __future__ import annotations

from types import new_class
from typing import Any, ClassVar

from pydantic import ConfigDict

from dag_factory.catalogue import Retry
from dag_factory.dialects.type_names import CATALOGUED, meanwhile
from oneo.errors import ConfigError
from oneo_operators.base import NodeConfig, NodeOperator, TriggerOperator


class AnyConfig(NodeConfig):
    """Options that nobody can check yet."""

    model_config = ConfigDict(extra="allow")


class MissingOperator(NodeOperator):
    """A step that no run can take yet."""

    is_missing: ClassVar[bool] = True
    default_retry: ClassVar[Retry] = Retry(count=0)
    Config = AnyConfig
    ui_color = "#fee2e2"


class MissingTrigger(TriggerOperator):
    """A trigger that nothing fires yet; the workflow can be started by hand."""

    is_missing: ClassVar[bool] = True
    Config = AnyConfig
    ui_color = "#fee2e2"


def stand_in_for(type_name: str) -> type[NodeOperator]:
    """The class of a missing type; of the names in `CATALOGUED`."""
    category = CATALOGUED[type_name]
    base = MissingTrigger if category == MissingTrigger.category else MissingOperator
    about: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": base.__doc__,
        "type": type_name,
        "category": category,
        "description": meanwhile(type_name),
    }
    return new_class(base.__name__, (base,), exec_body=lambda space: space.update(about))


def absence(type_name: str) -> ConfigError:
    """Why a run stops at a node of a missing type."""
    return ConfigError(f"this version does not have node type {type_name!r} yet", meanwhile(type_name))
