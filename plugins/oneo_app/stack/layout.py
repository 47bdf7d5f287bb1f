"""Where the stack keeps what: every path below `settings().home`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from oneo.settings import settings


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one stack.

    Attributes:
        home: The folder that holds all of them.
    """

    home: Path

    @property
    def state_file(self) -> Path:
        """What runs: pids, ports, URLs, states."""
        return self.home / "stack.json"

    @property
    def lock_file(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.home / "stack.lock"

    @property
    def logs(self) -> Path:
        """One log per component."""
        return self.home / "logs"

    @property
    def run(self) -> Path:
        """Ready files of components."""
        return self.home / "run"

    @property
    def airflow_home(self) -> Path:
        """AIRFLOW_HOME: task logs, generated configuration."""
        return self.home / "airflow"

    @property
    def login_file(self) -> Path:
        """User names and passwords of the Airflow UI, in the form its simple auth manager reads."""
        return self.airflow_home / "simple_auth_manager_passwords.json"

    @property
    def secrets_file(self) -> Path:
        """Keys that Airflow signs and encrypts with."""
        return self.home / "secrets.json"

    @property
    def migrated_file(self) -> Path:
        """Which Airflow version migrated its database to which revision."""
        return self.airflow_home / "migrated.json"

    @property
    def pg(self) -> Path:
        """Everything of the embedded PostgreSQL."""
        return self.home / "pg"

    def log(self, component: str) -> Path:
        """The log file of a component."""
        return self.logs / f"{component}.log"

    def create(self) -> None:
        """Create the folders; others may pass through (an embedded PostgreSQL has a user of its own), not look."""
        for folder in (self.home, self.logs, self.run, self.airflow_home):
            folder.mkdir(parents=True, exist_ok=True)
        self.home.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for folder in (self.logs, self.run, self.airflow_home):
            folder.chmod(0o700)


def layout(home: Path | None = None) -> Layout:
    """The layout of `home`, or of this process's settings."""
    return Layout(home if home is not None else settings().home)


def project_root() -> Path:
    """The folder that holds `dags/` and `plugins/`."""
    return Path(__file__).resolve().parents[3]
