"""Files that come with forms: what is taken, and what it may be called."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any
from uuid import UUID

import httpx
import pytest

from oneo.forms.sniffing import safe_name, type_of
from oneo.store import form_files, tenants
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.http_api.filling import Page, Site

__all__ = ["crm"]


@pytest.fixture
def site(crm: Crm, http: httpx.Client) -> Site:
    found = Site(crm, http)
    found.apply()
    return found


def stored(site: Site, file: dict[str, Any]) -> Any:
    with site.crm.database.tenant(site.crm.tenant) as session:
        return form_files.get(session, UUID(file["file_id"]))


def test_files(site: Site) -> None:
    path = site.link()
    name = "../..\\secret/\u202ecv\x01 (1).pdf"
    found = site.send(path, files=[("cv", (name, b"%PDF-1.7 ..."))])
    assert found.status_code == 200
    (event,) = site.events
    (file,) = event.data["form_data"]["cv"]
    assert (file["content_type"], file["size"]) == ("application/pdf", 12)
    assert "/" not in file["name"]
    assert file["name"].endswith(".pdf")
    assert stored(site, file).content == b"%PDF-1.7 ..."


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([("cv.pdf", b"MZ\x90\x00")], "cv.pdf is of a type that is not taken here"),
        ([("cv.pdf", b"<script>alert(1)</script>")], "cv.pdf is of a type"),
        ([("cv.png", b"\x89PNG\r\n\x1a\n...")], "cv.png is of a type"),
        ([("cv.txt", b"x" * 100_001)], "cv.txt is larger than 100,000 bytes"),
        ([("cv.txt", b"")], "cv.txt is empty"),
        ([("a.txt", b"a"), ("b.txt", b"b")], "these are 2 files, and at most 1 are taken"),
    ],
)
def test_files_that_are_not_taken(site: Site, files: list[tuple[str, bytes]], told: str) -> None:
    found = site.send(site.link(), files=[("cv", one) for one in files])
    assert (found.status_code, site.events) == (422, [])
    assert told in Page(found.text).text("p", id="problem-cv")


def test_a_form_whose_files_have_no_room_can_be_sent_again_later(site: Site) -> None:
    def allow(megabytes: int) -> None:
        with site.crm.database.system() as session:
            tenants.set_setting(session, site.crm.tenant, "max_storage_mb", megabytes)

    allow(0)
    path, files = site.link(), [("cv", ("cv.pdf", b"%PDF-1.7 ..."))]
    found = site.send(path, files=files)
    assert (found.status_code, site.events) == (503, [])
    assert "Try again later" in found.text
    assert site.crm.tenant not in found.text
    allow(1)
    assert site.send(path, files=files).status_code == 200


def office(*names: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return held.getvalue()


WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (office("[Content_Types].xml", "word/document.xml"), WORD),
        (office("evil.exe"), None),
        (b"PK\x03\x04 no archive", None),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", None),
        ("naïve\tnotes\r\n".encode(), "text/plain"),
        (b"\xff\xfe\xfa", None),
        (b" \n<!DOCTYPE html><p>", None),
        (b"<svg onload=alert(1)>", None),
    ],
)
def test_the_type_is_what_stands_in_the_file(content: bytes, kind: str | None) -> None:
    assert type_of(content) == kind


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\ann\\cv.pdf", "cv.pdf"),
        ("..", "file"),
        ("", "file"),
        ("a\r\nb.txt", "ab.txt"),
        ("x" * 500 + ".pdf", "x" * 116 + ".pdf"),
        ("cv\u202efdp.exe", "cvfdp.exe"),
    ],
)
def test_what_a_file_may_be_called(given: str, name: str) -> None:
    assert safe_name(given) == name


def test_a_file_in_json(site: Site) -> None:
    content = base64.b64encode(b"hello").decode()
    path = site.link()
    body = {"name": "Ann", "email": "a@b.c", "cv": {"name": "cv.txt", "content": content}}
    assert site.http.post(path, json=body).status_code == 202
    assert stored(site, site.events[0].data["cv"][0]).content == b"hello"
    assert site.http.post(path, json={**body, "cv": {"name": "cv.txt", "content": "%%"}}).status_code == 400
