"""Pages of forms: for everybody's hands and eyes, and for nobody's scripts."""

from __future__ import annotations

import httpx
import pytest

from oneo.errors import UserError
from tests.dispatcher.conftest import crm
from tests.dispatcher.crm import Crm
from tests.http_api.filling import CONTACT, ENTERED, Page, Site

__all__ = ["crm"]
EVIL = "\"'><script>alert(1)</script>{{ 7*7 }}</textarea>"


@pytest.fixture
def site(crm: Crm, http: httpx.Client) -> Site:
    found = Site(crm, http)
    found.apply()
    return found


def check_structure(page: Page) -> None:
    """What a screen reader and a keyboard need."""
    ids = [found["id"] for _, found, _ in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    assert page.all("html")[0]["lang"]
    assert len(page.all("h1")) == 1
    assert page.all("meta", name="viewport")
    labelled = {found["for"] for found in page.all("label")}
    for control in page.controls():
        assert control["id"] in labelled, control
    for _, found, _ in page.elements:
        for attribute in ("aria-describedby", "aria-labelledby"):
            assert set(str(found.get(attribute, "")).split()) <= set(ids), found
        assert not [name for name in found if name.startswith("on") or name == "style"], found
    assert len(page.all("fieldset")) == len(page.all("legend"))
    for link in page.all("a"):
        assert str(link["href"]).removeprefix("#") in ids
    assert not page.all("script")
    assert not page.all("img")
    assert [found["href"] for found in page.all("link")] == ["style.css"]


def test_the_page_can_be_read_and_filled_in_by_everybody(site: Site) -> None:
    page = site.open(site.link())
    check_structure(page)
    kinds = {str(found["name"]): found.get("type") for found in page.all("input")}
    assert kinds == {
        "oneo_state": "hidden", "oneo_website": "text", "email": "email", "name": "text", "phone": "tel",
        "seats": "number", "budget": "number", "size": "radio", "topics": "checkbox", "start": "date",
        "consent": "checkbox", "cv": "file",
    }  # fmt: skip
    assert [found["name"] for found in page.all("select")] == ["plan"]
    assert [found["name"] for found in page.all("textarea")] == ["message"]
    order = [
        found["name"]
        for _, found, _ in page.elements
        if str(found.get("id", "")) in ("field-email", "field-name")
    ]
    assert order == ["email", "name"]


def test_problems_are_linked_to_their_fields(site: Site) -> None:
    page = Page(site.send(site.link(), {"email": "x", "topics": ["none"]}).text)
    check_structure(page)
    email = page.all("input", name="email")[0]
    assert (email["aria-invalid"], email["aria-describedby"]) == ("true", "problem-email")
    assert page.all("div", role="alert")
    assert {found["href"] for found in page.all("a")} >= {"#field-email", "#field-name", "#field-topics-1"}
    assert page.text("title").startswith("Problem: ")


def test_other_pages_have_the_same_structure(site: Site) -> None:
    path = site.link(single_use=True)
    for found in (site.send(path), site.http.get(path), site.http.get("/forms/unknown")):
        check_structure(Page(found.text))


def test_no_script_and_nothing_from_elsewhere(site: Site) -> None:
    found = site.http.get(site.link())
    policy = found.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self';" in policy
    assert found.headers["x-frame-options"] == "DENY"
    assert (found.headers["referrer-policy"], found.headers["cache-control"]) == ("no-referrer", "no-store")
    assert "set-cookie" not in found.headers
    style = site.http.get("/forms/style.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text


def test_pages_that_may_show_the_form(site: Site) -> None:
    site.apply(settings={"embed_from": ["https://shop.example"]})
    found = site.http.get(site.link())
    assert "frame-ancestors https://shop.example" in found.headers["content-security-policy"]
    assert "x-frame-options" not in found.headers


def test_html_in_what_is_entered_and_in_labels_stays_text(site: Site) -> None:
    site.apply(
        name=EVIL,
        ui={"intro": EVIL, "submit_label": EVIL, "fields": {"name": {"label": EVIL, "help": EVIL}}},
        schema={
            "properties": {
                "name": {"type": "string"},
                "email": {"type": "string", "format": "email"},
                "message": {"type": "string"},
                "pick": {"type": "string", "enum": [EVIL]},
            }
        },
    )
    path = site.link(prefill={"email": "a@b.c"})
    shown = Page(site.send(path, {"name": EVIL, "email": EVIL, "message": EVIL, "pick": EVIL}).text)
    check_structure(shown)
    assert (shown.value("name"), shown.value("email"), shown.text("h1")) == (EVIL, EVIL, EVIL)
    assert EVIL in shown.text("button")
    thanks = site.send(path, {"name": EVIL, "email": "a@b.c"})
    check_structure(Page(thanks.text))


def test_a_textarea_keeps_what_is_in_it(site: Site) -> None:
    text = "\n\n first\n</textarea><p>"
    page = site.send(site.link(), {"message": text.replace("\n", "\r\n")})
    check_structure(Page(page.text))
    assert "<p>" not in page.text.split("field-message")[1].split("</textarea>")[0]


def test_links_fill_fields(site: Site) -> None:
    path = site.link(prefill={"email": "ann@example.com", "customer_id": "{{ C-7 }}"})
    assert site.open(path).value("email") == "ann@example.com"
    site.send(path, {**ENTERED, "email": "other@example.com", "customer_id": "forged"})
    (event,) = site.events
    assert (event.data["email"], event.data["customer_id"]) == ("other@example.com", "{{ C-7 }}")
    site.http.post(path, json={**ENTERED, "consent": True, "customer_id": "forged"})
    assert site.events[0].data["customer_id"] == "{{ C-7 }}"


def test_the_query_fills_only_what_the_form_lets_it(site: Site) -> None:
    path = site.link()
    page = site.open(path, email=EVIL, name="Mallory", customer_id="7", oneo_state="x")
    check_structure(page)
    assert (page.value("email"), page.value("name")) == (EVIL, "")
    assert len(str(page.value("oneo_state"))) > 100
    assert "Mallory" not in str(page.elements)


def test_prefill_that_the_form_does_not_allow(site: Site) -> None:
    with pytest.raises(UserError) as caught:
        site.link(
            prefill={"name": "Ann", "colour": "red", "email": "x"}, redirect_url="https://evil.example/"
        )
    for part in (
        "prefill.name",
        "prefill.colour",
        "prefill.email: this is no e-mail",
        "redirect_url: https://evil",
    ):
        assert part in caught.value.message


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("/thanks", True),
        ("https://company.com/thank-you", True),
        ("http://localhost:8080/x", True),
        ("https://company.com.evil.example/", False),
        ("https://company.com@evil.example/", False),
        ("http://company.com/", False),
        ("//evil.example/", False),
        ("/\\evil.example", False),
        ("\t//evil.example", False),
        ("javascript:alert(1)", False),
        ("https:evil.example", False),
        ("https://[", False),
        ("/x\r\nSet-Cookie: a=b", False),
    ],
)
def test_redirects_lead_only_where_the_form_allows(site: Site, url: str, allowed: bool) -> None:
    site.apply(settings={"redirect_hosts": ["company.com"]})
    if not allowed:
        with pytest.raises(UserError, match="redirect_url"):
            site.link(redirect_url=url)
        return
    path = site.link(redirect_url=url)
    found = site.send(path)
    assert (found.status_code, found.headers["location"]) == (303, url)


def test_a_redirect_that_is_allowed_no_more_is_not_followed(site: Site) -> None:
    site.apply(settings={"redirect_hosts": ["company.com"]})
    path = site.link(redirect_url="https://company.com/x")
    assert "form-action 'self' https://company.com;" in site.http.get(path).headers["content-security-policy"]
    site.apply()
    assert site.send(path).status_code == 200


def test_the_language_of_the_form(site: Site) -> None:
    site.apply(ui={**CONTACT["ui"], "language": "de"})
    assert site.open(site.link()).all("html")[0]["lang"] == "de"
