"""Templates inside JSON values."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest

from oneo.expressions import ResolutionError, Scope, is_template, resolve, templates_in


def test_every_string_is_resolved_and_the_input_kept(scope: Scope) -> None:
    config = {
        "to": "{{ record.name }}",
        "n": 3,
        "body": {"score": "{{record.score}}", "{{key}}": "plain", "list": ["a {{ record.vip }}", None, 1.5]},
    }
    before = copy.deepcopy(config)
    assert resolve(config, scope) == {
        "to": "Ann O'Brien",
        "n": 3,
        "body": {"score": 85, "{{key}}": "plain", "list": ["a true", None, 1.5]},
    }
    assert config == before


def test_errors_carry_the_path_and_the_position(scope: Scope) -> None:
    with pytest.raises(ResolutionError) as caught:
        resolve({"headers": [{"x y": "Bearer {{ record.scor }}"}]}, scope, path="$.config")
    assert caught.value.path == "$.config.headers[0]['x y']"
    assert caught.value.position == 17
    assert caught.value.message.startswith("$.config.headers[0]['x y']: record has no field 'scor'")
    assert caught.value.as_json()["path"] == caught.value.path


def test_deep_values_are_refused(scope: Scope) -> None:
    deep: object = "{{ 1 }}"
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(ResolutionError, match="64 levels"):
        resolve(deep, scope)
    with pytest.raises(ResolutionError, match="64 levels"):
        list(templates_in(deep))


def test_templates_are_listed_in_order() -> None:
    value = {"a": "{{ x }}", "b": ["plain", {"c": "y {{ z }}"}], "d": "{% if %}", "e": 1}
    assert list(templates_in(value)) == [("$.a", "{{ x }}"), ("$.b[1].c", "y {{ z }}"), ("$.d", "{% if %}")]
    assert is_template("a {{ b }}")
    assert not is_template("{ b }")


def test_importing_the_package_does_not_load_the_parser() -> None:
    code = "import sys, oneo.expressions; sys.exit('jinja2' in sys.modules or 'rapidfuzz' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
