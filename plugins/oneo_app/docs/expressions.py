"""The reference of expressions, from the table of functions; every example is evaluated while the page is made."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from oneo.database import to_json
from oneo.expressions import DEFAULT_BUDGET, Budget, Scope, compile_template, reference
from oneo.expressions.functions import FunctionDoc
from oneo.expressions.predicates import TESTS
from oneo.expressions.scope import CLOCK_NAMES
from oneo.filters import GROUPS, OPERATORS
from oneo_app.docs.markdown import code, table
from oneo_app.docs.markdown import page as document

_NAMES = (
    ("record", "the record the execution is about, as it is now: its fields, `id`, `stage`, `owner`, `url`"),
    ("trigger, trigger_data", "what started the execution: an event's data, or what a person gave"),
    (
        "variables.NAME",
        "a variable of the workflow: what `set_variable` made it, else what the run gave, else its default",
    ),
    ("context.NAME", "what earlier nodes left for later ones, such as `context.contact_id`"),
    ("nodes.ID, outputs.ID, node_ID", "the output of a node that runs before this one"),
    ("secrets.NAME", "a secret of the tenant, else a shared one; never kept or shown"),
    ("workflow", "`id`, `name`, `version`, `tenant`"),
    ("execution", "`id`, `run_id`, `started_at`"),
    (
        "error",
        "behind a failure that was handled: its `type`, `message`, `hint`, `node`, `attempt`, of a loop also `round`",
    ),
)
_OPERATORS = (
    ("record.score + 2 * 3", "arithmetic: `+ - * / // %`"),
    ("7 // 2", "division without a rest"),
    ("'Dear ' ~ record.name", "`~` joins anything as text"),
    ("record.score >= 50 and not record.closed", "`== != < <= > >=`, `and or not`"),
    ("1 < record.score < 100", "comparisons in a row"),
    ("'vip' in record.tags", "`in`, `not in`: part of a list, a text, the names of an object"),
    ("'hot' if record.score > 60 else 'cold'", "a choice"),
    ("record.phone | default('none')", "a filter: the value stands before it"),
    ("record.tags[0]", "an item of a list, counted from 0; `[1:3]` is a part"),
    ("record['first name']", "a field whose name is no word"),
    ("{'a': [1, 2]}", "objects and lists"),
    ("record.phone is defined", "a test, see below"),
)
_SCOPE: dict[str, Any] = {
    "record": {"name": "Ann", "score": 72, "closed": False, "tags": ["vip", "eu"], "first name": "Ann"}
}
_NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
_TOPICS = {"general": "General", "text": "Text", "numbers": "Numbers", "lists": "Lists", "dates": "Dates"}


def page() -> str:
    """The whole page."""
    return document(
        "# Expressions",
        "`{{ … }}` stands in any text of a node's config. A text that is exactly one `{{ … }}` keeps the type of "
        "the value; anything else becomes text. Conditions may leave the braces out: `record.score > 80` and "
        "`{{ record.score }} > 80` are the same.",
        "Names are looked up, code is never run. Data is never parsed: a field that holds `{{ secrets.x }}` comes "
        "out as those characters. A name that is missing is an error that names the nearest known one, unless "
        "`default(…)` catches it. `oneo eval '{{ 1 + 2 }}' --context FILE` tries an expression.",
        "## Names",
        table(("name", "what it is"), [(", ".join(map(code, one[0].split(", "))), one[1]) for one in _NAMES]),
        "A bare name is looked for in `variables`, then `context`, then `trigger`. Moments: "
        + ", ".join(code(name) for name in CLOCK_NAMES)
        + ". They are fixed when a node's first attempt starts, so that a retry sees the same; so are `random()` "
        "and `uuid()`. They are shown in the workflow's `settings.timezone`.",
        "## Operators",
        f"With `record` = `{to_json(_SCOPE['record'])}`:",
        table(
            ("expression", "gives", "note"),
            [(code(one), code(evaluate(one)), note) for one, note in _OPERATORS],
        ),
        "## Tests",
        "Behind `is` or `is not`: " + ", ".join(map(code, sorted([*TESTS, "defined", "undefined"]))) + ".",
        "## Functions and filters",
        "Each can be written both ways: `round(record.score, 1)` or `record.score | round(1)`. Where a date "
        "function gets no date, it takes now: `date.add_days(3)`.",
        *_functions(),
        "## Filters of records",
        "`find_records` and the `field_filters` of record triggers use these operators: "
        '`{"status": "open", "score": {"$gte": 50}}`. All clauses must hold. '
        "[Filters](guides/filters.md) says more.",
        table(
            ("operator", "holds where the field"), [(code(name), text) for name, text in OPERATORS.items()]
        ),
        table(("beside the fields", "holds where"), [(code(name), text) for name, text in GROUPS.items()]),
        "## Budgets",
        "An expression that costs more is an error; it never slows the others down.",
        table(("limit", "value"), _budgets()),
    )


def evaluate(expression: str) -> str:
    """What an example gives, as the page shows it."""
    value = compile_template(f"{{{{ {expression} }}}}").evaluate(Scope(_SCOPE, now=_NOW, seed="docs"))
    return value if isinstance(value, str) else to_json(value)


def _functions() -> list[str]:
    topics: dict[str, list[FunctionDoc]] = defaultdict(list)
    for one in reference():
        topics[one.topic].append(one)
    parts = []
    for topic in sorted(topics, key=[*_TOPICS, *sorted(topics)].index):
        rows = [(code(one.signature), _meaning(one), _examples(one)) for one in topics[topic]]
        parts += [f"### {_TOPICS.get(topic, topic)}", table(("function", "gives", "example"), rows)]
    return parts


def _meaning(one: FunctionDoc) -> str:
    also = f" Also {', '.join(map(code, one.aliases))}." if one.aliases else ""
    return one.summary + also


def _examples(one: FunctionDoc) -> str:
    return "; ".join(f"{code(source)} → {code(result) or 'an empty text'}" for source, result in one.examples)


def _budgets() -> list[tuple[str, str]]:
    described = dict(re.findall(r"^\s+(\w+): (.+)$", Budget.__doc__ or "", re.MULTILINE))
    return [
        (described.get(field.name, field.name).rstrip("."), f"{getattr(DEFAULT_BUDGET, field.name):,}")
        for field in fields(Budget)
    ]
