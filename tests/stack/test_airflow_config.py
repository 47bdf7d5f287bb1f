"""Airflow's configuration for the local stack: no misspelt key, no value without a reason, no secret shown."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import yaml

from oneo.settings import settings
from oneo_app.stack.airflow_config import Ports, airflow_settings
from oneo_app.stack.databases import DatabaseUrls
from oneo_app.stack.environ import build, child_environment
from oneo_app.stack.secrets import create_login, load_secrets, login
from tests.stack.stack_fakes import layout_in


@pytest.fixture
def where(tmp_path):
    return layout_in(tmp_path / "home")


@pytest.fixture
def configured(where):
    return airflow_settings(
        where=where,
        database_url="postgresql+psycopg2:///airflow",
        ports=Ports(api=8080),
        secrets=load_secrets(where),
    )


@pytest.fixture(scope="module")
def known_options():
    from importlib.util import find_spec

    folder = Path(find_spec("airflow").origin).parent
    content = yaml.safe_load((folder / "config_templates/config.yml").read_text())
    return {(section, key) for section, body in content.items() for key in body["options"]}


def test_every_key_is_one_that_airflow_knows(configured, known_options):
    assert {(one.section, one.key) for one in configured} - known_options == set()


def test_every_value_is_set_once_and_has_a_reason(configured):
    assert len({one.variable for one in configured}) == len(configured)
    assert all(len(one.why) > 8 and one.why.endswith(".") for one in configured)


def test_keys_and_passwords_are_marked_as_secret(configured, where):
    keys = set(load_secrets(where).model_dump().values())
    assert {one.value for one in configured if one.value in keys} == keys
    assert all(one.secret for one in configured if one.value in keys)


def test_both_bundles_are_listed(configured, monkeypatch):
    bundles = json.loads(next(one.value for one in configured if one.key == "dag_bundle_config_list"))
    assert [bundle["name"] for bundle in bundles] == ["oneo", "dags"]
    assert bundles[0]["kwargs"]["refresh_interval"] == settings().bundle_refresh_seconds
    assert (Path(bundles[1]["kwargs"]["path"]) / "oneo_warmup.py").exists()


def test_keys_and_login_are_made_once_and_private(where):
    create_login(where)
    first = (load_secrets(where), login(where))
    create_login(where)
    assert (load_secrets(where), login(where)) == first
    for path in (where.secrets_file, where.login_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_environment_tells_every_process_where_things_are(where):
    environment = build(
        where,
        DatabaseUrls(oneo="postgresql:///o", airflow="postgresql:///a", oneo_owner="postgresql:///o2"),
        Ports(api=8081),
    )
    assert environment["AIRFLOW_HOME"] == str(where.airflow_home)
    assert environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "postgresql:///a"
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8081/execution/"
    assert environment["ONEO_DATABASE_URL"] == "postgresql:///o"
    assert environment["ONEO_DATABASE_OWNER_URL"] == "postgresql:///o2"
    assert environment["ONEO_HOME"] == str(where.home)


def test_the_async_url_that_airflow_derives_names_the_same_socket(where):
    from airflow.settings import _get_async_conn_uri_from_sync
    from sqlalchemy.engine import make_url

    from oneo_app.stack import postgres

    url = postgres.sqlalchemy_url(where, driver="psycopg2", user="airflow", database="airflow")
    derived = make_url(_get_async_conn_uri_from_sync(url))
    assert derived.drivername == "postgresql+asyncpg"
    assert derived.query["host"] == str(postgres.socket_dir(where))


@pytest.mark.filterwarnings("ignore:GitWildMatchPattern:DeprecationWarning")  # Airflow's own
def test_the_plugins_folder_hides_its_python_files():
    from airflow._shared.module_loading import find_path_from_directory

    from oneo_app.stack.layout import project_root

    folder = project_root() / "plugins"
    assert [path for path in find_path_from_directory(folder, ".airflowignore") if path.endswith(".py")] == []


def test_children_reach_this_machine_without_a_proxy_and_keep_bytecode(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "crm.internal")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    made = child_environment({"A": "b"})
    assert made["NO_PROXY"] == "crm.internal,127.0.0.1,localhost"
    assert "PYTHONDONTWRITEBYTECODE" not in made
    assert made["A"] == "b"
