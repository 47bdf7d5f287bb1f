"""Keys and the login of the local Airflow: made once, readable by their owner only."""

from __future__ import annotations

import json
import secrets as random

from pydantic import BaseModel

from oneo_app.stack.files import FileLock, read_json, write_atomically
from oneo_app.stack.layout import Layout

USER = "admin"


class Secrets(BaseModel):
    """What Airflow signs and encrypts with.

    Attributes:
        fernet_key: Encrypts connections and variables in Airflow's database; losing it loses them.
        jwt_secret: Signs the tokens of tasks and of API clients.
        api_secret_key: Signs sessions and log requests.
    """

    fernet_key: str
    jwt_secret: str
    api_secret_key: str


def load_secrets(where: Layout) -> Secrets:
    """The stack's keys; made at first."""
    lock = FileLock(where.home / "secrets.lock")
    content = read_json(where.secrets_file)
    if content is None:
        lock.acquire()
        try:
            content = read_json(where.secrets_file) or _generate(where)
        finally:
            lock.release(remove=True)
    return Secrets.model_validate(content)


def login(where: Layout) -> tuple[str, str] | None:
    """User name and password of the Airflow UI, or None before the first start."""
    users = read_json(where.login_file)
    return (USER, str(users[USER])) if users and USER in users else None


def create_login(where: Layout) -> None:
    """Choose the password of the UI's administrator, once."""
    if login(where) is None:
        write_atomically(where.login_file, json.dumps({USER: random.token_urlsafe(12)}) + "\n")


def _generate(where: Layout) -> dict[str, str]:
    from cryptography.fernet import Fernet  # noqa: PLC0415

    made = Secrets(
        fernet_key=Fernet.generate_key().decode(),
        jwt_secret=random.token_urlsafe(48),
        api_secret_key=random.token_urlsafe(32),
    )
    write_atomically(where.secrets_file, made.model_dump_json(indent=2))
    return made.model_dump()
