"""The compose file cannot be run everywhere, so everything in it is checked against what it names."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from oneo.settings import Settings
from oneo_app.stack import postgres
from oneo_app.stack.airflow_config import Ports, airflow_settings
from oneo_app.stack.layout import Layout
from oneo_app.stack.secrets import Secrets
from tests.compose.compose_files import (
    ROOT,
    VARIABLE,
    airflow_commands,
    commands_of,
    compose,
    made_environment,
    services,
    substituted,
    text,
)

PROVIDERS = {"celery": "CeleryExecutor", "fab": "FabAuthManager"}
installed = all(find_spec(f"airflow.providers.{name}") for name in PROVIDERS)
needs_extra = pytest.mark.skipif(not installed, reason="needs the extra `containers`")

# Airflow settings whose value is another one in containers, and why.
DIFFERENT = {
    ("core", "executor"): "several machines",
    ("core", "parallelism"): "the limit of 32 is the LocalExecutor's",
    ("core", "auth_manager"): "users with roles",
    ("core", "simple_auth_manager_users"): "FAB keeps users in the database",
    ("core", "simple_auth_manager_passwords_file"): "FAB keeps users in the database",
    ("core", "hostname_callable"): "containers reach each other by their names",
    ("api", "host"): "the default, every interface of the container",
    ("api", "port"): "the default",
    ("logging", "base_log_folder"): "the default, a volume",
    ("logging", "dag_processor_child_process_log_directory"): "the default",
    ("logging", "worker_log_server_port"): "the default",
    ("logging", "trigger_log_server_port"): "the default",
    ("dag_processor", "dag_bundle_storage_path"): "a container has a file system of its own",
}
# Values that name a place, a secret or a server: they must be there, not be equal.
LOCAL_PLACES = {
    ("core", "dags_folder"),
    ("core", "plugins_folder"),
    ("core", "execution_api_server_url"),
    ("core", "fernet_key"),
    ("database", "sql_alchemy_conn"),
    ("dag_processor", "dag_bundle_config_list"),
    ("api", "base_url"),
    ("api", "secret_key"),
    ("api_auth", "jwt_secret"),
}


def airflow_environment() -> dict[str, str]:
    return compose()["x-airflow-environment"]


def known_options() -> set[str]:
    folder = Path(find_spec("airflow").origin).parent
    content = yaml.safe_load((folder / "config_templates/config.yml").read_text())
    for name in PROVIDERS:
        if find_spec(f"airflow.providers.{name}"):
            module = importlib.import_module(f"airflow.providers.{name}.get_provider_info")
            content |= module.get_provider_info().get("config", {})
    return {
        f"AIRFLOW__{section.upper()}__{key.upper()}"
        for section, body in content.items()
        for key in body["options"]
    }


def test_the_parts_of_the_stack_are_there():
    assert set(services()) == {
        "postgres", "redis", "init", "api-server", "scheduler", "dag-processor", "triggerer", "worker", "dispatcher",
    }  # fmt: skip


@pytest.mark.parametrize("name", services())
def test_every_image_has_a_full_version(name):
    image = services()[name]["image"]
    assert re.fullmatch(r"[a-z0-9/-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?", image), image


def test_bases_have_a_full_version():
    content = (ROOT / "docker/Dockerfile").read_text()
    assert all(
        re.fullmatch(r"python:3\.12\.\d+-slim-[a-z]+", name)
        for name in re.findall(r"^FROM (\S+)", content, re.MULTILINE)
    )


def test_our_own_image_carries_our_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {body["image"] for body in services(own_only=True).values()} == {
        f"{project['name']}:{project['version']}"
    }


@pytest.mark.parametrize("name", services(own_only=True))
def test_our_services_run_without_rights_and_wait_for_the_migrations(name):
    body = services()[name]
    assert body["cap_drop"] == ["ALL"]
    assert body["security_opt"] == ["no-new-privileges:true"]
    if name != "init":
        assert body["depends_on"]["init"] == {"condition": "service_completed_successfully"}
        assert body["restart"] == "unless-stopped"
        assert body["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


def test_only_the_ui_is_published_and_to_this_machine_alone():
    published = {name: body["ports"] for name, body in services().items() if "ports" in body}
    assert {name: [substituted(port, {}) for port in ports] for name, ports in published.items()} == {
        "api-server": ["127.0.0.1:8080:8080"]
    }
    assert services()["postgres"]["networks"] == services()["redis"]["networks"] == ["inside"]
    assert compose()["networks"]["inside"]["internal"] is True


def test_no_secret_has_a_default_and_all_are_made_by_the_script():
    required = {name for name, mode, _ in VARIABLE.findall(text()) if mode == ":?"}
    optional = {name for name, mode, _ in VARIABLE.findall(text()) if mode == ":-"}
    assert required == set(made_environment())
    assert not any(re.search("PASSWORD|SECRET|KEY", name) for name in optional)
    assert all(mode for _, mode, _ in VARIABLE.findall(text())), "a variable without `:?` or `:-`"
    used = [
        value
        for body in services().values()
        for name, value in body["environment"].items()
        if re.search("PASSWORD|SECRET|KEY|CONN|BROKER_URL|RESULT_BACKEND|DATABASE.*URL", name)
    ]
    assert all(":?" in value for value in used), used


def test_the_script_makes_other_secrets_each_time_and_a_usable_key():
    from cryptography.fernet import Fernet

    first = made_environment()
    script = ["sh", str(ROOT / "docker/make-env.sh")]
    again = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    Fernet(first["AIRFLOW_FERNET_KEY"])
    for name, value in first.items():
        if name != "AIRFLOW_ADMIN_EMAIL":
            assert len(value) >= 24
            assert value not in again
        if "DATABASE" in name or "REDIS" in name:
            assert value.isalnum(), "it stands in a URL"


@pytest.mark.parametrize("name", services(own_only=True))
def test_every_environment_variable_is_known(name):
    environment = services()[name]["environment"]
    known = known_options()
    ours = {f"ONEO_{field.upper()}" for field in Settings.model_fields} | {"ONEO_READY_FILE"}
    provided = tuple(f"AIRFLOW__{one.upper()}_" for one in PROVIDERS if not installed)
    for key in environment:
        if key.startswith("AIRFLOW__"):
            assert key in known or (provided and key.startswith(provided)), key
        elif key.startswith("ONEO_"):
            assert key in ours, key
        else:
            assert key in ("ADMIN_EMAIL", "ADMIN_PASSWORD")


def test_settings_are_those_of_the_local_stack():
    environment = {
        key: substituted(value, made_environment()) for key, value in airflow_environment().items()
    }
    secrets = Secrets(fernet_key="f", jwt_secret="j", api_secret_key="a")
    local = airflow_settings(
        where=Layout(Path("/home")), database_url="", ports=Ports(api=8080), secrets=secrets
    )
    named = {(one.section, one.key) for one in local}
    assert set(DIFFERENT) <= named
    assert named >= LOCAL_PLACES
    for one in local:
        pair = (one.section, one.key)
        if pair in DIFFERENT:
            assert environment.get(one.variable) != one.value
        elif pair in LOCAL_PLACES:
            assert environment[one.variable]
        else:
            assert environment.get(one.variable) == one.value, one.variable


def test_bundles_are_those_of_the_local_stack():
    value = airflow_environment()["AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST"]
    secrets = Secrets(fernet_key="f", jwt_secret="j", api_secret_key="a")
    local = airflow_settings(
        where=Layout(Path("/home")), database_url="", ports=Ports(api=8080), secrets=secrets
    )
    wanted = next(one.value for one in local if one.key == "dag_bundle_config_list")
    assert json.loads(value) == json.loads(wanted.replace(str(ROOT), "/opt/oneo"))
    for bundle in json.loads(value):
        module, _, attribute = bundle["classpath"].rpartition(".")
        assert hasattr(importlib.import_module(module), attribute)


def test_postgres_has_the_settings_of_the_embedded_one():
    given = dict(one[2:].split("=", 1) for one in services()["postgres"]["command"][1:])
    assert given == {one.key: one.value for one in postgres.SETTINGS if one.key != "listen_addresses"}


@needs_extra
@pytest.mark.parametrize("name", services(own_only=True))
def test_every_airflow_command_exists(name):
    checks = services()[name].get("healthcheck", {}).get("test", [])
    shell = [checks[1].split()] if checks[:1] == ["CMD-SHELL"] else []
    for command in [*commands_of(services()[name]), *shell]:
        if command[0] != "airflow":
            continue
        found = airflow_commands()
        words = [word for word in command[1:] if not word.startswith("-")]
        while words and found["commands"]:
            assert words[0] in found["commands"], command
            found = found["commands"][words.pop(0)]
        assert {word for word in command if word.startswith("--")} <= set(found["options"])


@needs_extra
@pytest.mark.parametrize(
    "path",
    [
        "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        "airflow.providers.celery.executors.celery_executor.CeleryExecutor",
    ],
)
def test_what_airflow_is_told_to_load_can_be_loaded(path):
    """In a process of its own: a release of Celery can be too new for the provider."""
    module, _, attribute = path.rpartition(".")
    assert path in text() or attribute in text()
    done = subprocess.run(
        [sys.executable, "-c", f"from {module} import {attribute}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]


def test_every_other_command_exists():
    from typer.main import get_command

    from oneo_app.cli import app

    for name, body in services(own_only=True).items():
        for command in commands_of(body):
            if command[:2] == ["python", "-m"]:
                assert find_spec(command[2]), name
            elif command[0] == "oneo":
                assert command[1] in get_command(app).commands, name
            else:
                assert command[0] == "airflow", (name, command)


def test_the_redis_client_is_in_the_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = " ".join(project["optional-dependencies"]["containers"])
    assert all(f"apache-airflow-providers-{name}" in extra for name in (*PROVIDERS, "redis"))
    assert distribution("oneo-workflows").metadata.get_all("Provides-Extra") == ["containers"]
