"""The reference of settings: ours, Airflow's and PostgreSQL's, each with its reason."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from oneo.settings import Settings, settings
from oneo_app.docs.markdown import code, table
from oneo_app.docs.markdown import page as document
from oneo_app.stack import postgres
from oneo_app.stack.airflow_config import Ports, airflow_settings
from oneo_app.stack.config import Setting
from oneo_app.stack.layout import Layout, project_root
from oneo_app.stack.secrets import Secrets

_HOME = "/HOME"


def page() -> str:
    """The whole page."""
    with _defaults():
        secrets = Secrets(fernet_key="…", jwt_secret="…", api_secret_key="…")  # noqa: S106
        port = int(Settings.model_fields["airflow_port"].default)
        airflow = airflow_settings(
            where=Layout(Path(_HOME)), database_url="…", ports=Ports(api=port), secrets=secrets
        )
    return document(
        "# Settings",
        "Set them in the environment or in `.env` in the folder the command runs in. They are read once per "
        "process: restart the stack after a change.",
        "## Oneo Workflows",
        table(("variable", "default", "meaning"), _ours()),
        "## Airflow in the local stack",
        "`oneo up` gives these to every Airflow process. `HOME` is `ONEO_HOME`, `REPOSITORY` this folder. The "
        "compose file sets the same values; where it differs, a test holds the reason.",
        table(("setting", "value", "why"), _theirs(airflow)),
        "## The embedded PostgreSQL",
        table(("setting", "value", "why"), _theirs(postgres.SETTINGS)),
    )


def _ours() -> Iterator[tuple[str, str, str]]:
    for name, field in Settings.model_fields.items():
        default = "-" if field.default is None else code(str(field.default)) or "empty"
        yield code(f"ONEO_{name.upper()}"), default, field.description or ""


def _theirs(found: Sequence[Setting]) -> Iterator[tuple[str, str, str]]:
    for one in found:
        value = one.value.replace(_HOME, "HOME").replace(str(project_root()), "REPOSITORY")
        shown = "a secret of the installation" if one.secret else code(value) or "empty"
        yield code(f"[{one.section}] {one.key}"), shown, one.why


@contextmanager
def _defaults() -> Iterator[None]:
    """Without the settings of whoever makes the page."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("ONEO_")}
    for name in kept:
        del os.environ[name]
    settings.cache_clear()
    try:
        yield
    finally:
        os.environ.update(kept)
        settings.cache_clear()
