"""Rules about the code itself: what may import what, what every node type gives, what is never done."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from dag_factory.forms import _models_in
from oneo_operators.catalogue import catalogue

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "dag_factory": ROOT / "dag_factory",
    "oneo": ROOT / "include/oneo",
    "oneo_operators": ROOT / "plugins/oneo_operators",
    "oneo_app": ROOT / "plugins/oneo_app",
}
SOURCES = sorted(path for folder in PACKAGES.values() for path in folder.rglob("*.py"))
PURE = {
    "binding", "catalogue", "check_bare_names", "check_branches", "check_calls", "check_edges", "check_errors",
    "check_inputs", "check_loops", "check_missing", "check_names", "check_outputs", "check_reads", "check_secrets",
    "check_skipped", "checked", "checks", "compile", "config", "definition", "error_handling", "examine", "forms",
    "graph", "json_path", "loops", "order", "outputs", "plan", "schema", "variables", "written",
}  # fmt: skip
DIALECTS = {f"dialects/{path.stem}" for path in (ROOT / "dag_factory/dialects").glob("*.py")}
EFFECTS = {
    "airflow", "asyncio", "glob", "httpcore", "httpx", "io", "os", "pathlib", "psycopg", "random", "secrets", "shutil",
    "socket", "sqlalchemy", "subprocess", "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip
CLOCKS = {"now", "utcnow", "today", "open", "getenv", "environ"}
HEAVY = {
    "alembic",
    "croniter",
    "holidays",
    "httpcore",
    "jsonschema",
    "phonenumbers",
    "psycopg",
    "rapidfuzz",
    "rich",
    "typer",
}
MAX_LINES = 400
TYPES = list(catalogue().types())


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, wherever the import stands; imports for type checkers left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.If) and isinstance(outer.test, ast.Name) and outer.test.id == "TYPE_CHECKING"
        for inner in ast.walk(outer)
    }
    for found in ast.walk(tree):
        if id(found) in for_types:
            continue
        if isinstance(found, ast.Import):
            yield from (alias.name for alias in found.names)
        elif isinstance(found, ast.ImportFrom):
            yield found.module or ""


def tops(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


def loaded(program: str) -> set[str]:
    """What a process has loaded after a program."""
    shown = subprocess.run(
        [sys.executable, "-c", f"import sys; {program}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout
    return set(shown.split())


def test_imports_point_downwards():
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout


def test_every_module_of_the_factory_is_pure_or_known_not_to_be():
    modules = {path.stem for path in (ROOT / "dag_factory").glob("*.py")}
    assert modules - PURE == {"__init__", "bundle", "publish", "reading", "render"}
    assert modules >= PURE


@pytest.mark.parametrize("module", sorted(PURE | DIALECTS))
def test_the_compiler_does_no_io_and_reads_no_clock(module: str):
    path = ROOT / f"dag_factory/{module}.py"
    assert tops(path) & EFFECTS == set()
    names = {
        found.attr if isinstance(found, ast.Attribute) else found.id
        for found in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(found, ast.Attribute | ast.Name)
    }
    assert names & CLOCKS == set()


def test_the_compiler_loads_neither_airflow_nor_a_database():
    names = loaded("import dag_factory.examine, dag_factory.reading")
    assert {name.partition(".")[0] for name in names} & {"airflow", "sqlalchemy", "jinja2", *HEAVY} == set()


def test_reading_touches_files_only_where_it_is_given_one():
    path = ROOT / "dag_factory/reading.py"
    assert tops(path) & EFFECTS == {"pathlib"}
    uses = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if "read_bytes" in line or "open(" in line
    ]
    assert len(uses) == 1


def test_only_render_and_bundle_know_airflow():
    assert {path.stem for path in (ROOT / "dag_factory").glob("*.py") if "airflow" in tops(path)} == {
        "render",
        "bundle",
    }


def test_the_store_and_the_language_know_no_airflow():
    assert [path for path in PACKAGES["oneo"].rglob("*.py") if "airflow" in tops(path)] == []


def test_finding_a_node_type_loads_no_airflow_and_nothing_heavy():
    names = {name.partition(".")[0] for name in loaded("import oneo_operators, oneo_operators.catalogue")}
    assert names & {"airflow", "sqlalchemy", "jinja2", "httpx", *HEAVY} == set()


def test_the_base_of_operators_loads_nothing_heavy_beyond_airflow_s_own():
    airflow = loaded(
        "from airflow.sdk import BaseOperator, RetryPolicy; from airflow.sdk.bases import skipmixin"
    )
    more = {name.partition(".")[0] for name in loaded("import oneo_operators.base") - airflow}
    assert more & {"sqlalchemy", "jinja2", "httpx", *HEAVY} == set()


def test_every_module_with_a_node_type_can_be_loaded():
    assert len(catalogue().all()) == len(TYPES) > 0
    assert catalogue().broken == {}


@pytest.mark.parametrize("name", TYPES)
def test_node_type_says_what_it_is(name: str):
    found = catalogue().get(name)
    assert found is not None
    for text in (found.__doc__, found.description, found.Config.__doc__):
        assert text
        assert text.strip().endswith(".")
    assert "__doc__" in vars(found)
    assert "type" in vars(found)
    assert found.category
    assert found.effect in ("pure", "store", "external")
    assert found.is_trigger == name.startswith("trigger_")
    assert tuple(found.template_fields) == ()


@pytest.mark.parametrize("name", TYPES)
def test_every_option_is_described(name: str):
    found = catalogue().get(name)
    assert found is not None
    pending: list[type[BaseModel]] = [found.Config]
    seen = set()
    while pending:
        model = pending.pop()
        if model in seen:
            continue
        seen.add(model)
        assert model.model_config.get("extra") == "forbid", model
        for field_name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{field_name}"
            pending += _models_in(field.annotation)


@pytest.mark.parametrize("name", TYPES)
def test_no_option_hides_an_argument_of_airflow(name: str):
    from airflow.sdk import BaseOperator

    found = catalogue().get(name)
    assert found is not None
    arguments = set(inspect.signature(BaseOperator.__init__).parameters) - {"self", "kwargs"}
    assert len(arguments) > 20
    assert found.Config.model_fields.keys() & (arguments | {"config"}) == set()


@pytest.mark.parametrize("name", TYPES)
def test_every_node_type_has_a_test_file(name: str):
    assert list((ROOT / "tests/nodes").rglob(f"test_{name}.py")) != []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_file_is_short_and_runs_no_text_as_code(path: Path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MAX_LINES
    called = {
        found.func.id
        for found in ast.walk(ast.parse(text))
        if isinstance(found, ast.Call) and isinstance(found.func, ast.Name)
    }
    assert called & {"eval", "exec", "__import__"} == set()


# Airflow's own use of a library it has not moved on with.
@pytest.mark.filterwarnings("ignore:GitWildMatchPattern")
def test_airflow_s_plugin_scan_finds_no_file_of_ours():
    from airflow._shared.module_loading.file_discovery import find_path_from_directory

    assert list((ROOT / "plugins").rglob("*.py")) != []
    assert list(find_path_from_directory(ROOT / "plugins", ".airflowignore", "glob")) == []
