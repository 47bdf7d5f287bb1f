"""What the documentation says holds: generated pages are current, commands, links and examples exist and work."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec

import pytest
from typer.main import get_command

from dag_factory.examine import examine
from oneo.settings import Settings
from oneo.store.pipelines import parse_spec
from oneo_app import docs
from oneo_app.cli import app
from oneo_operators.catalogue import catalogue
from tests.docs.documents import NAMES, ROOT, anchors, blocks, commands, links, read

DEFINITIONS = [
    *(path.relative_to(ROOT) for path in sorted((ROOT / "docs/examples").glob("*.json"))),
    *(path.relative_to(ROOT) for path in sorted((ROOT / "include/workflows").glob("*.json"))),
]


@pytest.fixture(scope="module")
def generated():
    return docs.pages()


@pytest.mark.parametrize("name", ["docs/nodes.md", "docs/expressions.md", "docs/settings.md"])
def test_generated_pages_are_current(generated, name):
    assert read(name) == generated[name], "run `.venv/bin/python -m oneo_app.docs`"


def test_the_reference_names_every_type_and_setting(generated):
    assert all(f"### {name}\n" in generated["docs/nodes.md"] for name in catalogue().types())
    assert all(f"`ONEO_{name.upper()}`" in generated["docs/settings.md"] for name in Settings.model_fields)


def test_no_secret_and_no_path_of_this_machine_is_in_a_page(generated):
    everything = "".join(generated.values())
    assert str(ROOT) not in everything
    assert not re.search(r"[A-Za-z0-9_-]{43}=", everything)


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name):
    for link in links(name):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("name", NAMES)
def test_commands_exist(name):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    variables = set(re.findall(r"^(\w+) \?=", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in commands(name):
        if words[0] == "make":
            given = {word.partition("=")[0] for word in words[1:] if "=" in word}
            assert {word for word in words[1:] if "=" not in word} <= targets, words
            assert given <= variables, words
        elif words[0] == "oneo":
            check_oneo(words[1:])
        elif "-m" in words:
            assert find_spec(words[words.index("-m") + 1]), words


def check_oneo(words: list[str]) -> None:
    command = get_command(app)
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        assert words[0] in command.commands, f"`oneo {words[0]}` does not exist"
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words if re.match(r"--?[a-z]", word)} <= known, (command.name, words)


@pytest.mark.parametrize("name", NAMES)
def test_settings_and_tenants_names_are_real(name):
    known = {f"ONEO_{field.upper()}" for field in Settings.model_fields}
    assert set(re.findall(r"\bONEO_[A-Z_]+\b", read(name))) <= known


@pytest.mark.parametrize("path", DEFINITIONS, ids=str)
def test_definitions_that_come_along_are_valid(path):
    found = examine(json.loads((ROOT / path).read_text()), catalogue())
    assert found.problems == []


@pytest.mark.parametrize("name", NAMES)
def test_definitions_in_documents_are_valid(name):
    documents = [json.loads(body) for body in blocks(name, "json")]
    for document in documents:
        if "nodes" in document:
            assert examine(document, catalogue()).problems == []
        elif "fields" in document:
            parse_spec(document, name)


def test_the_readme_shows_the_example_it_names():
    shown = next(json.loads(body) for body in blocks("README.md", "json"))
    assert shown == json.loads((ROOT / "docs/examples/welcome.json").read_text())


def test_every_node_example_in_the_reference_is_valid():
    from dag_factory.config import config_problems
    from dag_factory.definition import Node
    from oneo_app.docs.nodes import example_of

    for node_type in catalogue().all():
        node = Node.model_validate(example_of(node_type))
        assert node.type == node_type.type
        assert config_problems(node, node_type, "$") == []


def test_pages_are_written_where_they_differ(tmp_path, generated):
    names = {"nodes.md", "expressions.md", "settings.md", "workflow.schema.json"}
    assert {path.name for path in docs.write(tmp_path)} == names
    assert docs.write(tmp_path) == []
    (tmp_path / "docs/nodes.md").write_text("old")
    assert [path.name for path in docs.write(tmp_path)] == ["nodes.md"]


def test_an_example_is_built_for_a_type_that_nothing_shows(tmp_path):
    from oneo_app.docs.nodes import example_of

    for name, key in (("trigger_date_reached", "date_field"), ("create_follow_up_task", "title")):
        example = example_of(catalogue().get(name), tmp_path)
        assert example["config"][key]
        catalogue().get(name).Config.model_validate(example["config"])
