# ruff: noqa: E501 - tables
"""Secrets in plain text. Every one of them is made up."""

from __future__ import annotations

from typing import Any

from tests.factory.documents import chain, node, notify
from tests.factory.mistake import Mistake

PLAIN = "stands here in plain text"
# Put together here, so that no scanner takes this file for a leak.
KEY = "-".join(("sk", "abcdefghij0123456789"))
SLACK = "-".join(("xoxb", "1234567890", "abcdefghij"))
AWS = "AKIA" + "ABCDEFGH12345678"
PEM = "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE\n-----END"
JWT = ".".join(("eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0In0", "c2lnbmF0dXJlLXg"))
TOKEN = "abcdef0123456789"


def _call(name: str, path: str, *says: str, **options: Any) -> Mistake:
    document = chain(node("call", "http_request", **{"url": "https://example.com", **options}))
    return Mistake(f"secret: {name}", document, f"$.nodes[1].config{path}", "call", (PLAIN, *says), "warning")


def by_name() -> list[Mistake]:
    """Values under names that say what they are."""
    hints = ("connection_id",)
    headers = (
        "Authorization",
        "X-Api-Key",
        "api_key",
        "apikey",
        "X-Auth-Token",
        "Token",
        "Client-Secret",
        "Proxy-Authorization",
    )
    found = []
    for header in headers:
        name = header.lower().replace("-", "_")
        where = f".{header}" if header.isidentifier() else f"['{header}']"
        says = (f"the value of {header!r}", f"{{{{ secrets.{name} }}}}", *hints)
        found.append(_call(f"header {header}", f".headers{where}", *says, headers={header: "letmein"}))
    for field in (
        "password",
        "smtp_password",
        "secret",
        "clientSecret",
        "access_token",
        "refreshToken",
        "private_key",
        "passphrase",
    ):
        what = f"the value of {field!r}"
        found.append(
            _call(f"field {field}", f".body.{field}", what, "secrets.", *hints, body={field: "letmein"})
        )
    found.append(_call("query", ".query.api_key", "'api_key'", *hints, query={"api_key": "letmein"}))
    found.append(
        _call(
            "further in",
            ".body.login.password",
            "'password'",
            *hints,
            body={"login": {"password": "letmein"}},
        )
    )
    found.append(
        _call(
            "in a list",
            ".body.users[1].password",
            "'password'",
            body={"users": [{"name": "a"}, {"password": "letmein"}]},
        )
    )
    record = node("make", "create_record", pipeline_id="x", record_data={"password": "letmein"})
    found.append(
        Mistake(
            "secret: in a record",
            chain(record),
            "$.nodes[1].config.record_data.password",
            "make",
            (PLAIN, "secrets.password"),
            "warning",
        )
    )
    put = node("put", "set_variable", variables={"token": "letmein"})
    found.append(
        Mistake(
            "secret: in a variable that is set",
            chain(put),
            "$.nodes[1].config.variables.token",
            "put",
            (PLAIN, "secrets.token"),
            "warning",
        )
    )
    return found


def by_look() -> list[Mistake]:
    """Values that look like what they are, wherever they stand."""
    looks = {
        "bearer": (f"Bearer {TOKEN}", "a bearer token"),
        "basic": ("Basic YW5uOnNlY3JldA==", "a user name with a password"),
        "key": (KEY, "an API key"),
        "slack": (SLACK, "a Slack token"),
        "aws": (AWS, "an AWS key"),
        "private key": (PEM, "a private key"),
        "signed token": (JWT, "a signed token"),
    }
    found = []
    for name, (text, what) in looks.items():
        found.append(
            _call(f"{name} in a header", ".headers.Custom", what, "secrets.custom", headers={"Custom": text})
        )
        found.append(
            _call(
                f"{name} in a list", ".body.values[1]", what, "secrets.values", body={"values": ["x", text]}
            )
        )
        told = chain(notify(message=f"Use {text} from now on"))
        found.append(
            Mistake(
                f"secret: {name} in a message",
                told,
                "$.nodes[1].config.message",
                "tell",
                (what, PLAIN, "secrets.message"),
                "warning",
            )
        )
    found.append(
        _call(
            "password in an address",
            ".url",
            "a user name with a password",
            url="https://ann:letmein@example.com/x",
        )
    )
    found.append(
        _call("key in an address", ".url", "an API key", url=f"https://example.com/x?api_key={TOKEN}")
    )
    found.append(
        _call(
            "beside an expression",
            ".headers.Custom",
            "a bearer token",
            headers={"Custom": f"{{{{ trigger.x }}}} Bearer {TOKEN}"},
        )
    )
    return found


def defaults() -> list[Mistake]:
    """Defaults of variables, which forms show."""
    cases: dict[str, tuple[Any, str]] = {
        "password": ({"type": "string", "default": "letmein"}, "'password'"),
        "api_key": ("letmein", "'api_key'"),
        "header": (f"Bearer {TOKEN}", "a bearer token"),
        "options": ({"default": {"token": "letmein"}}, "'token'"),
        "keys": ({"default": [KEY]}, "an API key"),
    }
    paths = {"options": ".token", "keys": "[0]"}
    return [
        Mistake(
            f"secret: default of {name}", chain(notify(), variables={name: spec}), f"$.variables.{name}.default{paths.get(name, '')}", None,
            (what, PLAIN, "whoever starts the workflow", "{{ secrets."), "warning",
        )
        for name, (spec, what) in cases.items()
    ]  # fmt: skip


CLASSES = {
    "secrets by their name": by_name(),
    "secrets by their look": by_look(),
    "secrets as defaults": defaults(),
}
