"""Checks of what a run gets from outside its nodes: settings, clock, variables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dag_factory.checked import Checked
from dag_factory.definition import Variable, Workflow
from dag_factory.json_path import json_path
from dag_factory.variables import must_be_given, schema_of
from oneo.problems import Problem

# Tags that say which tenant and version a DAG belongs to; the dispatcher relies on them.
_OUR_TAGS = ("tenant:", "version:")
# What the dispatcher hands to a run besides the variables.
_OUR_VARIABLES = "oneo_"


def setting_problems(workflow: Workflow) -> list[Problem]:
    """What is wrong with the workflow's settings."""
    problems = []
    zone = workflow.settings.timezone
    try:
        ZoneInfo("UTC" if zone is None else zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        hint = "write an IANA name such as Europe/Berlin or America/New_York"
        problems.append(Problem("error", None, "$.settings.timezone", f"{zone!r} is no time zone", hint))
    for index, tag in enumerate(workflow.settings.tags):
        if tag.startswith(_OUR_TAGS):
            message = f"tag {tag!r} would pass for the tenant or version of the workflow"
            path = f"$.settings.tags[{index}]"
            problems.append(Problem("error", None, path, message, "choose a tag that begins differently"))
    return problems


def clock_problems(nodes: Sequence[Checked]) -> list[Problem]:
    """Airflow keeps one schedule per workflow, and it must have a next time."""
    problems = []
    first: Checked | None = None
    for one in nodes:
        try:
            schedule = one.type.schedule(one.node.config)
        except ValueError:
            schedule = None
            is_clock = True  # with options that are wrong, which is a problem of its own
        else:
            is_clock = schedule is not None
        if not is_clock:
            continue
        for cron in schedule.crons if schedule is not None else ():
            if _comes_round(cron):
                continue
            message = f"{cron!r} names a day that never comes"
            hint = "correct the day or the month: February has at most 29 days, four other months 30"
            problems.append(Problem("error", one.node.id, one.config_path, message, hint))
        if first is None:
            first = one
            continue
        message = "a workflow has one schedule, and another node gives it already"
        hint = f"remove it, and add its times to cron_expressions of node {first.node.id!r}"
        problems.append(Problem("error", one.node.id, f"$.nodes[{one.index}]", message, hint))
    return problems


def _comes_round(cron: str) -> bool:
    from croniter import CroniterBadDateError, croniter  # noqa: PLC0415 - needed at save time, not in tasks

    if cron.startswith("@"):
        return True
    try:
        # Any fixed moment: the answer must not depend on when it is asked.
        croniter(cron, datetime(2024, 1, 1, tzinfo=UTC), max_years_between_matches=12).get_next()
    except CroniterBadDateError:
        return False
    return True


def variable_problems(workflow: Workflow, trigger_types: list[str]) -> list[Problem]:
    """Variables whose schema is none, or whose default does not fit it."""
    problems = []
    for name, variable in workflow.variables.items():
        at = json_path(["variables", name])
        if name.startswith(_OUR_VARIABLES):
            message = f"variable {name!r} would pass for one of the system's"
            hint = f"choose a name that does not begin with {_OUR_VARIABLES}"
            problems.append(Problem("error", None, at, message, hint))
        problems += _schema_problems(variable, at, trigger_types)
    return problems


def _schema_problems(variable: Variable, at: str, trigger_types: list[str]) -> list[Problem]:
    from jsonschema import Draft202012Validator, FormatChecker  # noqa: PLC0415 - not needed in tasks
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415

    written = variable.model_dump(exclude_none=True, exclude_defaults=True)
    required = must_be_given(written, trigger_types)
    default = written.get("default")
    schema = schema_of(written, nullable=default is None and not required)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        message = f"no value can be checked against this: {error.message}"
        return [Problem("error", None, json_path(map(str, error.path), at), message, "correct or remove it")]
    if required:
        return []
    errors = Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(default)
    return [
        Problem("error", None, f"{at}.default", f"the default does not fit: {error.message}", "correct it")
        for error in errors
    ]
