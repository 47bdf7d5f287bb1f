"""The embedded PostgreSQL for single commands: shared while used, gone afterwards, wherever the folder is."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

import psutil
import psycopg
import pytest
from sqlalchemy.engine import make_url

from oneo_app.stack import embedded, postgres
from oneo_app.stack.layout import Layout
from tests.stack.stack_fakes import wait_until

USER = """
import sys
from pathlib import Path
from oneo_app.stack import embedded_postgres
with embedded_postgres(Path(sys.argv[1])) as urls:
    print(urls.oneo, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _left_to_us(monkeypatch):
    from oneo.settings import settings

    for name in ("ONEO_DATABASE_URL", "ONEO_DATABASE_OWNER_URL", "ONEO_AIRFLOW_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture(scope="module")
def where(tmp_path_factory):
    return Layout(tmp_path_factory.mktemp("embedded"))


def use(where):
    user = subprocess.Popen(
        [sys.executable, "-c", USER, str(where.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    user.stdout.readline()
    return user


def ask(url, query):
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchone()


def test_both_databases_are_there_for_users_who_are_no_superusers(where):
    with embedded.embedded_postgres(where.home) as urls:
        for url, name in ((urls.oneo, "oneo"), (urls.airflow, "airflow")):
            found = ask(
                url,
                "SELECT current_database(), current_user, usesuper FROM pg_user WHERE usename = current_user",
            )
            assert found == (name, name, False)
        assert ask(urls.oneo, "SHOW synchronous_commit") == ("on",)
        assert ask(urls.oneo, "SHOW fsync") == ("on",)
        assert ask(urls.oneo, "SHOW listen_addresses") == ("",)
    assert postgres.postmaster(where) is None
    assert not list(where.home.glob("*.lock"))


def test_the_last_user_stops_it_not_the_first(where):
    with embedded.embedded_postgres(where.home):
        server = postgres.postmaster(where)
        other = use(where)
        assert postgres.postmaster(where) == server
    assert server.is_alive(), "the other one still uses it"
    other.communicate("")
    assert not server.is_alive()


def test_a_killed_user_no_longer_counts(where):
    killed = use(where)
    server = postgres.postmaster(where)
    killed.kill()
    killed.communicate()
    assert server.is_alive(), "nobody was there to stop it"
    with embedded.embedded_postgres(where.home) as urls:
        assert postgres.postmaster(where) == server, "taken over"
        ask(urls.oneo, "SELECT 1")
    assert not server.is_alive()


def test_a_killed_server_leaves_nothing_that_stops_the_next_one(where):
    with embedded.embedded_postgres(where.home):
        server = postgres.postmaster(where)
        for process in server.family():
            # Some end by themselves as soon as their postmaster is gone.
            with suppress(psutil.NoSuchProcess):
                process.kill()
        wait_until(lambda: not server.is_alive(), "killed")
        assert (postgres.data_dir(where) / "postmaster.pid").exists()
        assert postgres.postmaster(where) is None
    with embedded.embedded_postgres(where.home) as urls:
        ask(urls.oneo, "SELECT 1")


def test_a_postmaster_file_that_names_a_stranger_is_not_believed(where):
    data = Layout(where.home / "elsewhere")
    postgres.data_dir(data).mkdir(parents=True)
    (postgres.data_dir(data) / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert postgres.postmaster(data) is None


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(tmp_path):
    where = Layout(tmp_path / ("a-long-name-" * 9))
    assert postgres.socket_dir(where) != where.pg
    with embedded.embedded_postgres(where.home) as urls:
        assert ask(urls.oneo, "SELECT 1") == (1,)
        assert postgres.socket_dir(where).stat().st_mode & 0o777 == 0o700
    postgres.socket_dir(where).rmdir()


def test_a_socket_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    from oneo.errors import InfrastructureError

    where = Layout(tmp_path / "home")
    where.create()
    monkeypatch.setattr(postgres, "socket_dir", lambda _: tmp_path / "link")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(InfrastructureError, match="belongs to somebody else"):
        postgres.initialise(where)


def test_every_setting_has_a_reason():
    assert all(one.why.endswith(".") for one in postgres.SETTINGS)
    assert len({one.key for one in postgres.SETTINGS}) == len(postgres.SETTINGS)
