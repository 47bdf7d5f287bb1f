"""A request of another system starts the workflow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from dag_factory.catalogue import Watch
from oneo import closed_schema
from oneo.events import Event
from oneo.filters import Condition, matches, parse
from oneo.verdicts import Refuses, Starts, Verdict
from oneo_operators.base import NodeConfig, TriggerOperator
from oneo_operators.filter_option import Filters
from oneo_operators.secret_option import misspelt

if TYPE_CHECKING:
    from jsonschema import ValidationError

WEBHOOK = "webhook"
# The signature covers the body, and there is none.
_SIGNS_BODY = frozenset({"standard", "hmac", "github", "stripe"})
_PATH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.~-]{0,127}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")


class TriggerWebhookConfig(NodeConfig):
    """Which requests start the workflow, and how they prove who sent them."""

    path: str | None = Field(
        default=None,
        description="Last part of the address: `/oneo/hooks/TENANT/PATH`; hard to guess is better.",
    )
    webhook_url: str | None = Field(
        default=None, description="Older spelling of `path`: an address of which the last part counts."
    )
    secret_key: str | list[str] = Field(
        default_factory=list,
        description="What sender and hook share, `{{ secrets.NAME }}`. Two, or several lines in one, are valid side by "
        "side while one replaces the other. A hook whose secret is missing or empty takes nothing.",
    )
    signature: Literal["standard", "hmac", "github", "stripe", "token", "none"] = Field(
        default="standard",
        description="How a request proves that its sender knows the secret. `standard`: Standard Webhooks; `hmac`: "
        "HMAC-SHA256 of the body, in hex or Base64; `github` and `stripe`: as those sign; `token`: the secret itself "
        "in a header; `none`: not at all.",
    )
    signature_header: str | None = Field(
        default=None,
        description="Header of `hmac` (default X-Signature) or `token` (X-Webhook-Token, or Authorization: Bearer).",
    )
    timestamp_header: str | None = Field(
        default=None,
        description="Header with the seconds since 1970 of an `hmac`, which then signs `TIMESTAMP.BODY`; it may be "
        "300 s off. Without it, a request that somebody recorded can be sent again.",
    )
    allowed_ips: list[str] = Field(
        default_factory=list, description="Addresses or networks of senders, e.g. 192.168.1.0/24; empty: any."
    )
    methods: list[Literal["POST", "PUT", "GET"]] = Field(
        default=["POST"], min_length=1, description="HTTP methods."
    )
    max_bytes: int = Field(
        default=1_048_576, ge=1, le=16_777_216, description="Bytes of a body at most, also decompressed."
    )
    validate_payload: bool = Field(
        default=False,
        description="Refuse payloads that do not fit `payload_schema`; without one, those that are no object. A schema "
        "implies it.",
    )
    payload_schema: dict[str, Any] | None = Field(default=None, description="JSON Schema of the payload.")
    dedupe: str | None = Field(
        default=None,
        description="Where the sender's id of the event stands: a header, or a path in the payload such as "
        "`$.data.id`; the same id again is the same event. Default: the usual headers; `none`: each request is a new "
        "event.",
    )
    filters: Filters = Field(
        default_factory=dict, description='Only payloads that fit: `{"type": "order.paid"}`.'
    )
    respond: Literal["accepted", "output"] = Field(
        default="accepted",
        description="`accepted`: at once; `output`: with the workflow's output, if it comes within `wait_seconds`.",
    )
    wait_seconds: float = Field(default=10, gt=0, le=60, description="How long the sender is kept waiting.")

    @field_validator("signature_header", "timestamp_header")
    @classmethod
    def _is_header(cls, value: str | None) -> str | None:
        if value is not None and not _HEADER.fullmatch(value):
            raise ValueError(f"{value!r} is no name of a header; write e.g. X-Signature")
        return value

    @field_validator("allowed_ips")
    @classmethod
    def _are_networks(cls, value: list[str]) -> list[str]:
        for entry in value:
            try:
                ip_network(entry)
            except ValueError as error:
                raise ValueError(f"{entry!r} is no network: {error}; write e.g. 192.168.1.0/24") from None
        return value

    @field_validator("payload_schema")
    @classmethod
    def _is_schema(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        problems = closed_schema.problems(value) if value is not None else []
        if problems:
            raise ValueError("; ".join(problems))
        return value

    @model_validator(mode="before")
    @classmethod
    def _schema_validates(cls, value: Any) -> Any:
        """A schema is given to be kept to."""
        if isinstance(value, dict) and value.get("payload_schema") and "validate_payload" not in value:
            return {**value, "validate_payload": True}
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> TriggerWebhookConfig:
        if not _PATH.fullmatch(self.topic):
            raise ValueError(
                'the hook needs a path of letters, digits and - _ . ~, e.g. "path": "orders-7d1f"'
            )
        problem = misspelt(self.secrets)
        if problem is not None:
            raise ValueError(f"secret_key: {problem}")
        if not self.secrets and self.signature != "none":
            raise ValueError(
                'secret_key is missing; a hook that everyone may call says so with "signature": "none"'
            )
        if "GET" in self.methods and self.signature in _SIGNS_BODY:
            raise ValueError(f'GET has no body that {self.signature!r} could sign; use "signature": "token"')
        return self

    @property
    def topic(self) -> str:
        """The hook's path."""
        return self.path if self.path is not None else (self.webhook_url or "").rstrip("/").rpartition("/")[2]

    @property
    def secrets(self) -> list[str]:
        """The options of the secret, as they are written."""
        return [self.secret_key] if isinstance(self.secret_key, str) else self.secret_key

    @cached_property
    def networks(self) -> Sequence[IPv4Network | IPv6Network]:
        """The senders' networks, read once."""
        return [ip_network(entry) for entry in self.allowed_ips]

    def misfits(self, payload: Any) -> Iterator[ValidationError]:
        """What about a payload does not fit the schema; without one, it has to be an object."""
        schema = self.payload_schema if self.payload_schema is not None else {"type": "object"}
        return closed_schema.errors(schema, payload)

    @cached_property
    def clauses(self) -> Sequence[Condition]:
        """The filters, read once."""
        return parse(self.filters)


class TriggerWebhookOperator(TriggerOperator):
    """Start with a request that another system sends."""

    type: ClassVar[str] = "trigger_webhook"
    description: ClassVar[str] = "Starts the workflow when another system sends a request to its address."
    Config = TriggerWebhookConfig

    @classmethod
    def raw_fields(cls) -> frozenset[str]:
        """The secret, which is looked up when a request comes in."""
        return frozenset({"secret_key"})

    @classmethod
    def cautions(cls, config: Mapping[str, Any]) -> Iterable[tuple[str, str, str]]:
        """A hook that everyone may call."""
        if config.get("signature") == "none":
            hint = "share a secret with the sender, and name it in secret_key"
            yield ".signature", "everyone who knows the address can start this workflow", hint

    @classmethod
    def watch(cls, config: Mapping[str, Any]) -> Watch:
        """The requests to its path."""
        return Watch((WEBHOOK,), (TriggerWebhookConfig.model_validate(config).topic,))

    @classmethod
    def consider(cls, options: TriggerWebhookConfig, event: Event) -> Verdict:
        """Those whose payload fits the filters."""
        payload = event.data.get("payload")
        fields = payload if isinstance(payload, Mapping) else {}
        clause = matches(options.clauses, fields)
        if clause is not None:
            return Refuses(f"the payload does not fit the filter {clause}")
        return Starts({**fields, **event.trigger_data()})
