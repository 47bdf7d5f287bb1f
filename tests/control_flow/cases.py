"""All control-flow cases."""

from __future__ import annotations

from tests.control_flow import cases_errors, cases_loops

CASES = [*cases_loops.CASES, *cases_errors.CASES]
