"""Settings: `ONEO_*` in the environment or in `.env`, read once per process."""

from __future__ import annotations

import os
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from oneo.errors import UserError


class Settings(BaseSettings):
    """Everything an operator can set. Each field is `ONEO_` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="ONEO_", env_file=".env", extra="ignore")

    home: Path = Field(
        default=Path(".oneo"),
        description="Folder of all local state: embedded PostgreSQL, Airflow home, logs.",
    )
    database_url: str | None = Field(
        default=None,
        description="SQLAlchemy URL of the oneo database; unset means the embedded PostgreSQL under `home`. "
        "Its user must own the database or be a member of the roles oneo_app, oneo_system and oneo_removal.",
    )
    database_owner_url: str | None = Field(
        default=None, description="URL that migrations use where `database_url` is not the owner's."
    )
    airflow_database_url: str | None = Field(
        default=None, description="SQLAlchemy URL of Airflow's own database; unset means the embedded one."
    )
    tenant: str = Field(default="default", description="Tenant of commands that are given none.")
    user: str = Field(
        default="admin",
        description="Name under which commands start workflows, as Airflow's UI would know you.",
    )
    user_types: dict[str, list[str]] = Field(
        default={"admin": ["admin"]},
        description='Which types each user is of, as JSON: `{"anna": ["sales", "manager"]}`. A trigger_manual '
        "with allowed_user_types lets only these start its workflow.",
    )
    max_sub_workflow_depth: int = Field(
        default=10,
        ge=0,
        le=50,
        description="How deep sub-workflows may stand in each other; 0: no workflow may call another.",
    )
    max_chain_depth: int = Field(
        default=10,
        ge=1,
        le=100,
        description="How many executions may lead to one another through the events they bring about: what stops "
        "workflows that start each other for ever. A workflow may set its own.",
    )
    objects_url: str | None = Field(
        default=None,
        description="Where large results of nodes are kept, as fsspec knows it: a folder or e.g. `s3://bucket/oneo` "
        "(with the package for it installed); every worker must reach it. Unset means `objects` under `home`.",
    )
    inline_bytes: int = Field(
        default=64 * 1024,
        ge=1024,
        description="A result with more bytes than this is kept there, and passed on by reference.",
    )
    tenant_pool_slots: int = Field(
        default=6,
        ge=1,
        le=1_000_000,
        description="Tasks of one tenant that run at once, where its own `pool_slots` says nothing else; fewer than "
        "`parallelism`, or a burst of one tenant holds up all others.",
    )
    event_retention_days: int = Field(
        default=90,
        ge=1,
        le=36_500,
        description="Days after which handled events go, with what was decided about them; a tenant may have its own.",
    )
    airflow_port: int = Field(
        default=8080, ge=1, le=65535, description="Preferred port of the Airflow UI; a busy one is avoided."
    )
    parallelism: int = Field(
        default=8,
        ge=1,
        le=32,
        description="Tasks the LocalExecutor runs at once (above 32 dispatch can deadlock).",
    )
    bundle_refresh_seconds: int = Field(
        default=1, ge=1, description="How often the DAG processor looks for newly published workflows."
    )
    forms_per_minute: int = Field(
        default=60,
        ge=1,
        description="How many submissions of one form link the API server takes from one address in a minute.",
    )
    mailboxes: str = Field(
        default="",
        description="Comma-separated tenant/connection pairs of the mailboxes that the local stack watches, e.g. "
        "`acme/oneo_imap,acme/support`; empty: none.",
    )
    capture: bool = Field(
        default=False,
        description="Whether the local stack reads the changes of tables of your own that hold records of pipelines.",
    )
    http_allow: str = Field(
        default="",
        description="Comma-separated hosts, host:port pairs or networks that nodes may reach although they are "
        "private or loopback, e.g. `127.0.0.1:9000,10.1.0.0/16,crm.internal`.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Comma-separated networks of the proxies in front of the API server, e.g. `10.0.0.0/8,::1`: what "
        "they say about the sender's address (`X-Forwarded-For`) is believed.",
    )
    public_url: str = Field(
        default="http://localhost:8080",
        description="Address of the Airflow UI as users see it; links start with it.",
    )
    record_url: str | None = Field(
        default=None,
        description="Address of a record in your CRM, with {pipeline_id} and {id}; nodes see it as `record.url`.",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for entry in filter(None, map(str.strip, value.split(","))):
            ip_network(entry)
        return value


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process. Tests call `settings.cache_clear()` after changing the environment.

    Raises:
        UserError: A variable of the environment or a line of `.env` does not fit; all of them are named.
    """
    try:
        loaded = Settings()
    except ValidationError as error:
        found = [
            f"ONEO_{str(one['loc'][0]).upper()}: {one['msg']}, got {one['input']!r}"
            for one in error.errors(include_url=False)
        ]
        raise UserError("; ".join(found), hint="docs/settings.md lists every setting") from None
    except SettingsError as error:
        raise UserError(
            f"a setting is not JSON: {error}", hint="docs/settings.md lists every setting"
        ) from None
    return loaded.model_copy(update={"home": Path(os.path.abspath(loaded.home.expanduser()))})  # noqa: PTH100
