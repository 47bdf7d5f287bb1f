"""The scope that most tests of expressions read from."""

from __future__ import annotations

import pytest

from oneo.expressions import Scope
from tests.expressions.expression_scope import make_scope


@pytest.fixture
def scope() -> Scope:
    return make_scope()
