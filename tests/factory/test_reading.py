"""Reading is strict: what would be lost, changed or refused later on is refused at once, with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dag_factory.reading import MAX_BYTES, MAX_DEPTH, parse_json, read, read_file
from oneo.errors import UserError
from tests.factory.documents import chain, notify


def refusal(raw: bytes) -> str:
    with pytest.raises(UserError) as caught:
        parse_json(raw, "lead.json")
    return str(caught.value)


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


REFUSED = {
    "duplicate key": (
        b'{"a": 1, "b": {"c": 1, "c": 2}}',
        ["'c' stands twice", "one of the two would be lost"],
    ),
    "NaN": (b'{"a": NaN}', ["NaN is not a JSON value"]),
    "infinity": (b'{"a": -Infinity}', ["-Infinity is not a JSON value"]),
    "number beyond floats": (b'{"a": [0, 1e999]}', ["$.a[1]", "too large"]),
    "NUL": (b'{"a": "x\\u0000y"}', ["$.a", "NUL"]),
    "NUL in a key": (b'{"a": {"x\\u0000y": 1}}', ["$.a", "NUL"]),
    "lone surrogate": (b'{"a": {"b": "\\ud83d"}}', ["$.a.b", "half of a surrogate pair"]),
    "lone surrogate in a key": (b'{"\\ude00": 1}', ["the key", "half of a surrogate pair"]),
    "65 levels": (nested(MAX_DEPTH + 1), ["nested too deeply", "at most 64 levels"]),
    "100,000 levels": (nested(100_000), ["nested too deeply", "at most 64 levels"]),
    "not UTF-8": ('{"a": "größe"}'.encode("latin-1"), ["is not UTF-8", "byte 9", "save it as UTF-8"]),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), ["is not UTF-8", "save it as UTF-8"]),
    "broken": (b'{\n  "a": 1\n  "b": 2}', ["line 3, column 3", "commas"]),
    "empty": (b"", ["is not JSON", "line 1, column 1"]),
    "two documents": (b"{} {}", ["is not JSON", "column 4"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_text_is_named_with_its_place(name: str):
    raw, words = REFUSED[name]
    message = refusal(raw)
    assert message.startswith("lead.json")
    for word in words:
        assert word in message


def test_a_document_of_more_than_five_megabytes_is_refused():
    assert "at most 5,000,000" in refusal(b'"' + b"x" * MAX_BYTES + b'"')


def test_the_limits_themselves_are_allowed():
    assert parse_json(nested(MAX_DEPTH), "x")
    assert len(parse_json(b'"' + b"x" * (MAX_BYTES - 2) + b'"', "x")) == MAX_BYTES - 2
    assert parse_json(b"1e308", "x") == 1e308


def test_whole_pairs_and_a_byte_order_mark_are_fine():
    assert parse_json(b'\xef\xbb\xbf{"a": "\\ud83d\\ude00"}', "x") == {"a": "😀"}


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"cannot read .*none\.json: No such file"):
        read_file(tmp_path / "none.json")


def test_a_file_is_read(tmp_path: Path):
    path = tmp_path / "w.json"
    path.write_text(json.dumps(chain(notify())))
    assert read(read_file(path)).workflow is not None


def test_all_problems_of_form_are_reported_at_once():
    document = chain({**notify(), "nam": "x"}, {"id": "b"}, settings={"tag": []}, nodess=[])
    assert sorted(problem.path for problem in read(document).problems) == [
        "$.nodes[1].nam",
        "$.nodes[2].type",
        "$.nodess",
        "$.settings.tag",
    ]


SHORT = {
    "number": (5, 5),
    "text": ("x", "x"),
    "list": ([1], [1]),
    "null": (None, None),
    "object that is data": ({"street": "Main"}, {"street": "Main"}),
    "empty object": ({}, {}),
    "data with a type of its own": ({"type": "home", "street": "Main"}, {"type": "home", "street": "Main"}),
}


@pytest.mark.parametrize("name", SHORT)
def test_a_variable_may_be_just_its_default(name: str):
    written, default = SHORT[name]
    workflow = read(chain(notify(), variables={"a": written})).workflow
    assert workflow is not None
    assert workflow.variables["a"].default == default
    assert workflow.variables["a"].type is None


LONG = (
    {"type": "number"},
    {"required": True},
    {"title": "Limit", "description": "x"},
    {"default": 1, "minimum": 0},
)


@pytest.mark.parametrize("written", LONG, ids=str)
def test_an_object_that_describes_a_variable_is_not_its_default(written: dict[str, object]):
    workflow = read(chain(notify(), variables={"a": written})).workflow
    assert workflow is not None
    assert workflow.variables["a"].model_dump(exclude_unset=True) == written
