"""Every whole definition that the seed documents quote is among the fixtures, and so proved valid."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dag_factory.dialects import to_canonical
from dag_factory.examine import examine
from oneo_operators.catalogue import catalogue

ROOT = Path(__file__).parents[3]
SEEDS = ROOT.parent / "shared/seeds"
FIXTURES = ROOT / "tests/fixtures/workflows"
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
# A text, a comment, a date of the moment or a key of JavaScript: what JSON writes differently.
TOKEN = re.compile(r"'((?:[^'\\]|\\.)*)'|//[^\n]*|new Date\(\)|([A-Za-z_]\w*)(?=\s*:)")
WHOLE = {"nodes", "steps", "workflow_definition"}
# The fixtures' own, in place of the moment of writing.
MOMENT = '"2025-01-01T00:00:00Z"'

pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed documents are not part of the product")


def as_json(source: str) -> str:
    """An object of JavaScript, which may be assigned to a constant, as JSON."""

    def written(found: re.Match[str]) -> str:
        if found[1] is not None:
            return json.dumps(found[1].replace("\\'", "'"))
        if found[2] is not None:
            return f'"{found[2]}"'
        return MOMENT if found[0].startswith("new") else ""

    start = source.index("= {") + 2 if source.lstrip().startswith("const ") and "= {" in source else 0
    return re.sub(r",(\s*[\]}])", r"\1", TOKEN.sub(written, source[start:])).strip().removesuffix(";")


def quoted() -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, definition) of each block that is a whole definition."""
    for seed in sorted(SEEDS.glob("*.md")):
        text = seed.read_text()
        for block in BLOCK.finditer(text):
            where = f"{seed.stem}:{text.count(chr(10), 0, block.start()) + 1}"
            for source in (block[2], as_json(block[2])):
                try:
                    document = json.loads(source)
                except ValueError:
                    continue
                if isinstance(document, dict) and WHOLE & document.keys():
                    yield where, document
                break


DEFINITIONS = dict(quoted()) if SEEDS.is_dir() else {}


def test_they_are_the_fixtures():
    kept = [json.loads(path.read_text()) for path in FIXTURES.glob("*.json")]
    assert len(DEFINITIONS) == len(kept) == 10
    assert [where for where, document in DEFINITIONS.items() if document not in kept] == []


@pytest.mark.parametrize("where", DEFINITIONS)
def test_it_is_valid_but_for_what_this_version_lacks(where: str):
    examination = examine(DEFINITIONS[where], catalogue())
    assert examination.ok
    assert [str(one) for one in examination.problems if one.severity == "error"] == []


@pytest.mark.parametrize("where", DEFINITIONS)
def test_its_dialect_is_known(where: str):
    expected = "steps" if "steps" in DEFINITIONS[where] else "catalogue"
    assert to_canonical(DEFINITIONS[where]).dialect == expected
