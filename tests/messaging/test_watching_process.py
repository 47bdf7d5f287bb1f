"""The process that watches mailboxes for the local stack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from oneo.errors import UserError
from oneo.settings import settings
from oneo_app.mail.__main__ import wanted
from oneo_app.mail.access import Access
from oneo_app.mail.fetching import fetch
from oneo_app.stack.layout import layout
from oneo_app.stack.plan import choose_ports, stages
from tests.dispatcher.crm import Crm
from tests.messaging.imap_server import ImapServer
from tests.messaging.mails import written


def test_mail_is_taken_in_until_the_process_is_told_to_stop(
    server: ImapServer, box: Access, crm: Crm, database_url: str, tmp_path: Path
) -> None:
    fetch(crm.database, box)
    crm.watch("trigger_email_received")
    connection = {
        "conn_type": "imap",
        "host": box.host,
        "port": box.port,
        "login": box.login,
        "password": box.password,
        "extra": {"use_ssl": False},
    }
    environment = {
        **os.environ,
        "ONEO_DATABASE_URL": database_url,
        "ONEO_MAILBOXES": f"{crm.tenant}/support, {crm.tenant}/missing",
        "ONEO_READY_FILE": str(tmp_path / "ready"),
        f"AIRFLOW_CONN_ONEO__{crm.tenant.upper()}__SUPPORT": json.dumps(connection),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "oneo_app.mail"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert server.someone_idles.wait(60)
        server.someone_idles.clear()
        server.deliver(written())
        assert server.someone_idles.wait(60)
    finally:
        process.terminate()
        log, _ = process.communicate(timeout=20)
    crm.round()
    assert ((tmp_path / "ready").exists(), process.returncode, len(crm.started)) == (True, 0, 1)
    assert f"oneo__{crm.tenant}__missing" in log
    assert box.password not in log


def test_the_local_stack_watches_only_where_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> None:
    monkeypatch.setenv("ONEO_HOME", str(tmp_path))
    names = []
    for mailboxes in ("", "acme/oneo_imap"):
        monkeypatch.setenv("ONEO_MAILBOXES", mailboxes)
        settings.cache_clear()
        ports, _ = choose_ports()
        found = stages(layout(), ports)
        names.append("mail" in [component.name for stage in found for component in stage.components])
    settings.cache_clear()
    assert names == [False, True]


def test_mailboxes_are_written_as_pairs() -> None:
    assert wanted(" acme/oneo_imap, acme/a/b,,acme/oneo_imap") == [("acme", "oneo_imap"), ("acme", "a/b")]
    with pytest.raises(UserError, match="'acme' names no connection"):
        wanted("acme")
