"""A secret is recognised in whatever form it comes back."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote_plus

import pytest

from oneo.expressions import Scope, resolve
from oneo_operators.redact import redact
from tests.nodes.bench import START, Bench

SECRET = "Canary-7f3a/Q+ö&9x'\"Zq"


@pytest.mark.parametrize(
    "way", ["upper", "lower", "title", "capitalize", "url_encode", "escape", "slug", "trim"]
)
def test_what_a_filter_makes_of_a_secret_is_masked(way: str) -> None:
    secret = "canary-7f3a-q9x-Zq42"
    scope = Scope({"secrets": {"key": secret}})
    made = resolve(f"say {{{{ secrets.key | {way} }}}}!", scope, path="x")
    assert redact({"said": made}, scope.revealed) == {"said": "say ***!"}


@pytest.mark.parametrize("before", ["", "u", "us", "use", "user:"])
@pytest.mark.parametrize("after", ["", "z", "zz", "zzz"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_base64_is_masked_whatever_stands_around_it(before: str, after: str, encode) -> None:
    text = encode(f"{before}{SECRET}{after}".encode()).decode()
    shown = redact(f"Basic {text}", [SECRET])
    assert "***" in shown
    # At most the letters that are mixed with their neighbours' are left.
    assert len(shown.replace("***", "")) <= len("Basic ") + 4 + 4 * (len(before + after) // 3 + 2)


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        SECRET.upper(),
        json.dumps({"a": SECRET}),
        json.dumps({"a": SECRET}, ensure_ascii=False),
        repr([SECRET]),
        quote_plus(SECRET),
        html.escape(SECRET),
        SECRET.encode().hex(),
    ],
)
def test_other_spellings_are_masked(text: str) -> None:
    shown = redact({"deep": [text]}, [SECRET])["deep"][0]
    assert "***" in shown
    assert "7f3a" not in shown.lower()


def test_other_texts_stay_as_they_are() -> None:
    said = {
        "name": "Ann",
        "n": 12,
        "text": "a canary sings",
        "base64": b64encode(b"nothing to see here").decode(),
    }
    assert redact(said, [SECRET, "1", "!!!!"]) == said


def test_a_secret_that_an_expression_has_cut_is_masked_for_the_most_part(bench: Bench) -> None:
    bench.vault.keep("key", SECRET)
    values = {
        "short": "{{ secrets.key | truncate(18) }}",
        "no_quotes": "{{ secrets.key | replace('\"', '') }}",
    }
    shown = bench.node("set_variable", {"variables": {**values, "other": "Canary birds"}})
    assert shown.output["other"] == "Canary birds"
    assert "7f3a" not in str(shown.node)
    assert "Q+" not in str(shown.node)


def test_a_secret_among_the_items_of_a_loop_is_masked_inside_it(bench: Bench) -> None:
    bench.vault.keep("key", SECRET)
    each = {"id": "each", "type": "for_each", "config": {"items_source": "{{ [1, 'x' ~ secrets.key] }}"}}
    inside = {"id": "inside", "type": "set_variable", "config": {"variables": {"item": "{{ item }}"}}}
    edges = [
        {"source": "start", "target": "each"},
        {"source": "each", "target": "inside", "loop": True},
        {"source": "inside", "target": "each", "loop_back": True},
    ]
    report = bench.run({"name": "w", "nodes": [START, each, inside], "edges": edges})
    assert report["nodes"]["inside[1]"]["output"] == {"item": "x***"}
    assert "7f3a" not in str(report)
