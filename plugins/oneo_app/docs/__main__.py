"""`python -m oneo_app.docs`: write the generated pages."""

from __future__ import annotations

import os

from oneo_app.connect import airflow_environment


def main() -> None:
    """Write what is out of date and name it."""
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "ERROR")
    airflow_environment()
    from oneo_app.console import out  # noqa: PLC0415
    from oneo_app.docs import write  # noqa: PLC0415 - after Airflow's environment is set

    changed = write()
    for path in changed:
        out.print(f"wrote {path}")
    if not changed:
        out.print("every page is up to date")


if __name__ == "__main__":
    main()
