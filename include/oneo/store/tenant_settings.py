"""The settings of a tenant: what holds for all its workflows."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from oneo.errors import UserError
from oneo.suggest import did_you_mean

_MOST_DIGITS = 12
_MOST_DAYS = 36_500


def _whole_number(value: Any) -> Any:
    text = str(value)
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        raise ValueError("a whole number from 0, e.g. 1000")
    return int(text)


def _number_from_1(value: Any) -> Any:
    number = _whole_number(value)
    if number == 0:
        raise ValueError("a whole number from 1, e.g. 4")
    return number


def _days(value: Any) -> Any:
    number = _whole_number(value)
    if not 1 <= number <= _MOST_DAYS:
        raise ValueError(f"a whole number from 1 to {_MOST_DAYS:,}, e.g. 90")
    return number


def _zone(value: Any) -> Any:
    try:
        return ZoneInfo(str(value)).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("an IANA name such as Europe/Berlin or America/New_York") from None


def _country(value: Any) -> Any:
    text = str(value).upper()
    if not re.fullmatch(r"[A-Z]{2}(-[A-Z0-9]{1,3})?", text):
        raise ValueError("a country, or with its region: DE, DE-BY, US")
    return text


Quota = Annotated[int, BeforeValidator(_whole_number)]


class TenantSettings(BaseModel):
    """What holds for all workflows of a tenant; None where nothing was set."""

    # A later version may have left others.
    model_config = ConfigDict(extra="ignore", frozen=True)

    error_workflow: str | None = Field(
        default=None,
        description="ID: what runs after a failed execution of any workflow that names no other",
    )
    timezone: Annotated[str, BeforeValidator(_zone)] | None = Field(
        default=None, description="the zone of dates in workflows that name none; else UTC"
    )
    country: Annotated[str, BeforeValidator(_country)] | None = Field(
        default=None,
        description="where its people are, DE or DE-BY: phone numbers without a country code, holidays",
    )
    max_executions_per_hour: Quota | None = Field(default=None, description="further ones wait")
    max_active_executions: Quota | None = Field(default=None, description="further ones wait")
    max_records: Quota | None = Field(default=None, description="further ones are refused")
    max_storage_mb: Quota | None = Field(
        default=None,
        description="megabytes of all that is kept; above, new records and files are refused",
    )
    event_retention_days: Annotated[int, BeforeValidator(_days)] | None = Field(
        default=None,
        description="how many days its handled events are kept; else ONEO_EVENT_RETENTION_DAYS",
    )
    pool_slots: Annotated[int, BeforeValidator(_number_from_1)] | None = Field(
        default=None, description="how many of its tasks run at once; else ONEO_TENANT_POOL_SLOTS"
    )

    @property
    def phone_region(self) -> str | None:
        """The country without its region."""
        return self.country[:2] if self.country else None


NAMES: Final = tuple(TenantSettings.model_fields)


def described() -> str:
    """Every setting with its meaning, in one line."""
    return "; ".join(f"{name}: {field.description}" for name, field in TenantSettings.model_fields.items())


def checked(name: str, value: Any) -> Any:
    """The value as the setting keeps it; None, which takes it away, always fits.

    Raises:
        UserError: There is no such setting, or the value is none of it.
    """
    if name not in NAMES:
        raise UserError(f"tenants have no setting {name!r}", hint=did_you_mean(name, NAMES))
    if value is None:
        return None
    try:
        found = TenantSettings.model_validate({name: value})
    except ValidationError as error:
        message = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise UserError(f"{name} is {value!r}", hint=message) from None
    return getattr(found, name)
