"""Reference pages and the JSON Schema, made from the code: `python -m oneo_app.docs` writes them.

A test tells when they are out of date.
"""

from __future__ import annotations

import json
from pathlib import Path

from oneo_app.stack.layout import project_root

FOLDER = "docs"
SCHEMA = "include/schemas/workflow.schema.json"


def pages() -> dict[str, str]:
    """Every generated page by its path below the repository."""
    from dag_factory.schema import workflow_schema  # noqa: PLC0415
    from oneo_app.docs import expressions, nodes, settings  # noqa: PLC0415 - nodes import Airflow
    from oneo_operators.catalogue import catalogue  # noqa: PLC0415

    return {
        f"{FOLDER}/nodes.md": nodes.page(),
        f"{FOLDER}/expressions.md": expressions.page(),
        f"{FOLDER}/settings.md": settings.page(),
        SCHEMA: json.dumps(workflow_schema(catalogue()), indent=2, ensure_ascii=False) + "\n",
    }


def write(root: Path | None = None) -> list[Path]:
    """Write the pages; returns those that changed."""
    changed = []
    for name, content in pages().items():
        path = (root or project_root()) / name
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            changed.append(path)
    return changed
