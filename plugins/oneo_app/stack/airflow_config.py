"""Airflow's configuration for the local stack: every value with its reason, in one place."""

from __future__ import annotations

import json
from dataclasses import dataclass

from oneo.settings import settings
from oneo_app.stack.config import Setting
from oneo_app.stack.layout import Layout, project_root
from oneo_app.stack.ports import HOST
from oneo_app.stack.secrets import USER, Secrets


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of Airflow's servers.

    Attributes:
        api: UI, REST API, execution API.
        worker_logs: Logs of tasks that run.
        trigger_logs: Logs of tasks that wait in the triggerer.
    """

    api: int
    worker_logs: int = 8793
    trigger_logs: int = 8794


def airflow_settings(*, where: Layout, database_url: str, ports: Ports, secrets: Secrets) -> list[Setting]:
    """All settings of a stack's Airflow."""
    return [
        *_tuning(),
        *_sources(),
        *_places(where, database_url, ports),
        *_access(where, secrets),
    ]


def _tuning() -> list[Setting]:
    parallelism = str(settings().parallelism)
    refresh = str(settings().bundle_refresh_seconds)
    return [
        Setting("core", "executor", "LocalExecutor", "One machine; workers are forked from a warm process."),
        Setting(
            "core", "parallelism", parallelism, "Workers forked up front; above 32 dispatch can deadlock."
        ),
        Setting("core", "max_active_tasks_per_dag", "32", "One busy workflow may use every worker."),
        Setting(
            "core",
            "max_active_runs_per_dag",
            "1000",
            "A run that waits for a person or a date counts as active: 16 of them would block the workflow.",
        ),
        Setting(
            "core",
            "min_serialized_dag_update_interval",
            "0",
            "An edit within 30 s of the last is live at once.",
        ),
        Setting(
            "scheduler",
            "scheduler_idle_sleep_time",
            "0.05",
            "Of the 1.1 s a task takes by default, 0.83 s is the scheduler asleep.",
        ),
        Setting(
            "scheduler",
            "orphaned_tasks_check_interval",
            "10",
            "Tasks of a killed scheduler are picked up in seconds, not 5 minutes.",
        ),
        Setting(
            "scheduler",
            "scheduler_health_check_threshold",
            "20",
            "When a scheduler counts as dead: as above.",
        ),
        Setting(
            "scheduler",
            "task_instance_heartbeat_timeout",
            "60",
            "When a killed task counts as dead: as above.",
        ),
        Setting(
            "workers",
            "min_heartbeat_interval",
            "1",
            "Also how long a worker may overlook that its task has failed: 5 s by default.",
        ),
        Setting("scheduler", "trigger_timeout_check_interval", "5", "Also ends human tasks that time out."),
        Setting(
            "workers",
            "execution_api_timeout",
            "20",
            "The first call after a start takes 5 s, the default limit: then it would be made twice.",
        ),
        Setting("dag_processor", "refresh_interval", refresh, "How soon a published workflow is noticed."),
        Setting("dag_processor", "bundle_refresh_check_interval", "1", "How often the above is looked at."),
        Setting(
            "dag_processor",
            "min_file_process_interval",
            "3600",
            "Changed files are parsed at once anyway; parsing unchanged ones again is waste.",
        ),
    ]


def _sources() -> list[Setting]:
    refresh = settings().bundle_refresh_seconds
    bundles = [
        {
            "name": "oneo",
            "classpath": "dag_factory.bundle.WorkflowBundle",
            "kwargs": {"refresh_interval": refresh},
        },
        {
            "name": "dags",
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(project_root() / "dags"), "refresh_interval": 5},
        },
    ]
    return [
        Setting(
            "dag_processor",
            "dag_bundle_config_list",
            json.dumps(bundles),
            "Published workflows come from the store, hand-written DAGs from `dags/`.",
        ),
        Setting("core", "dags_folder", str(project_root() / "dags"), "For commands that know no bundles."),
        Setting(
            "core", "plugins_folder", str(project_root() / "plugins"), "Holds an .airflowignore: see there."
        ),
        Setting("core", "load_examples", "False", "Only our DAGs."),
        Setting(
            "core",
            "dags_are_paused_at_creation",
            "False",
            "A published workflow is live; we pause in the store.",
        ),
    ]


def _places(where: Layout, database_url: str, ports: Ports) -> list[Setting]:
    local = f"http://{HOST}:{ports.api}"
    logs = where.airflow_home / "logs"
    return [
        Setting(
            "dag_processor",
            "dag_bundle_storage_path",
            str(where.airflow_home / "dag_bundles"),
            "A folder of this stack alone: by default all installations of a machine share one.",
        ),
        Setting("database", "sql_alchemy_conn", database_url, "Airflow's own database.", secret=True),
        Setting("api", "host", HOST, "The local stack serves this machine only."),
        Setting("api", "port", str(ports.api), "The preferred one, or the next that is free."),
        Setting("api", "base_url", ui_url(ports.api), "Links in the UI and in notifications."),
        Setting("core", "execution_api_server_url", f"{local}/execution/", "Where tasks report to."),
        Setting(
            "core",
            "hostname_callable",
            "oneo_app.stack.hostname.local_hostname",
            "Logs of running tasks are fetched from this name; the machine's own may not resolve.",
        ),
        Setting("logging", "base_log_folder", str(logs), "Beside the rest of the state."),
        Setting(
            "logging",
            "dag_processor_child_process_log_directory",
            str(logs / "dag_processor"),
            "As the above.",
        ),
        Setting("logging", "worker_log_server_port", str(ports.worker_logs), "A free one: see [api] port."),
        Setting("logging", "trigger_log_server_port", str(ports.trigger_logs), "A free one: see [api] port."),
        Setting(
            "logging",
            "namespace_levels",
            "airflow.dag_processing.manager=WARNING",
            "It says once a second that it looks for published workflows.",
        ),
        Setting(
            "logging",
            "logging_level",
            "INFO",
            "Our commands silence Airflow for themselves, not for the stack.",
        ),
        Setting("logging", "colored_console_log", "False", "Logs go to files."),
    ]


def _access(where: Layout, secrets: Secrets) -> list[Setting]:
    return [
        Setting(
            "core",
            "auth_manager",
            "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
            "Enough for one machine; the compose files use roles from the FAB provider.",
        ),
        Setting("core", "simple_auth_manager_users", f"{USER}:admin", "One administrator."),
        Setting(
            "core",
            "simple_auth_manager_passwords_file",
            str(where.login_file),
            "Chosen by us once, so that it can be shown.",
        ),
        Setting("core", "fernet_key", secrets.fernet_key, "Encrypts connections and variables.", secret=True),
        Setting("api", "secret_key", secrets.api_secret_key, "The same in every process.", secret=True),
        Setting("api_auth", "jwt_secret", secrets.jwt_secret, "The same in every process.", secret=True),
    ]


def ui_url(port: int) -> str:
    """The address of the UI as users see it."""
    configured = settings()
    if "public_url" in configured.model_fields_set:
        return configured.public_url.rstrip("/")
    return f"http://localhost:{port}"
