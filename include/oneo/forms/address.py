"""Addresses of links, and the hash by which a link is found."""

from __future__ import annotations

import hashlib

from oneo.settings import settings

# Where the product's pages stand below the public address, and forms among them.
_PATH = "/oneo/forms/"


def url_of(token: str) -> str:
    """The address of the form, for whoever is to fill it in."""
    return f"{settings().public_url.rstrip('/')}{_PATH}{token}"


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
