"""E-mail addresses and telephone numbers, compared as people mean them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.headerregistry import Address
from email.utils import getaddresses

import phonenumbers


def plain(address: str) -> str:
    """An e-mail address in lower case, its domain in the form that travels (`bücher.de` → `xn--bcher-kva.de`)."""
    local, at, domain = address.strip().strip("<>").rpartition("@")
    try:
        domain = domain.encode("idna").decode()
    except UnicodeError:
        # What is no domain is compared as it stands.
        domain = domain.strip()
    return f"{local}{at}{domain}".lower()


def people(headers: Iterable[str]) -> list[dict[str, str]]:
    """The people of address headers, as `{"address", "name"}`; what is no address is left out."""
    try:
        found = getaddresses(list(headers))
    except RecursionError:
        # Brackets in brackets in brackets.
        return []
    return [{"address": plain(address), "name": name} for name, address in found if is_address(address)]


def is_address(text: str) -> bool:
    """Whether a text is one e-mail address."""
    try:
        parsed = Address(addr_spec=text)
    except (ValueError, IndexError):
        return False
    return bool(parsed.username and parsed.domain)


def fits(address: str, patterns: Iterable[str]) -> bool:
    """Whether an address is one of those meant: a whole one, `@domain`, or `name@` of any domain; `*` is every one."""
    return any(_fits(plain(address), pattern.strip()) for pattern in patterns)


def digits(number: str) -> str:
    """A telephone number as its digits with the country's code; of `49151…@s.whatsapp.net` what stands before the @."""
    text = number.partition("@")[0].strip()
    try:
        parsed = phonenumbers.parse(text if text.startswith("+") else f"+{text}", None)
    except phonenumbers.NumberParseException:
        return re.sub(r"\D", "", text)
    return f"{parsed.country_code}{phonenumbers.national_significant_number(parsed)}"


def _fits(address: str, pattern: str) -> bool:
    if pattern == "*":
        return True
    if pattern.startswith("@"):
        return address.rpartition("@")[2] == plain(f"x{pattern}")[2:]
    if pattern.endswith("@"):
        return address.rpartition("@")[0] == pattern[:-1].lower()
    return address == plain(pattern)
