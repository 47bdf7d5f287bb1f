"""The scope that most tests of expressions read from."""

from __future__ import annotations

import pytest
from expression_scope import make_scope

from oneo.expressions import Scope


@pytest.fixture
def scope() -> Scope:
    return make_scope()
