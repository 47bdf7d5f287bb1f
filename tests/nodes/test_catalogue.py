"""Node types are found, loaded when asked for, and broken ones never hide the others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from airflow.sdk import DAG

import oneo_operators
from oneo_operators import nodes
from oneo_operators.catalogue import NodeCatalogue
from tests.nodes.bench import EXAMPLES, Bench

NODE = """
from typing import ClassVar
from pydantic import Field
from oneo_operators.base import NodeConfig, NodeOperator
from oneo_operators.result import NodeResult

class GreetConfig(NodeConfig):
    whom: str = Field(description="Who is greeted.")

class GreetOperator(NodeOperator):
    type: ClassVar[str] = "greet"
    category: ClassVar[str] = "acme"
    description: ClassVar[str] = "Greets."
    Config = GreetConfig

    async def run(self, config, context):
        return NodeResult({"greeting": f"Hello {config.whom}"})
"""


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NodeCatalogue:
    """A catalogue beside which a package offers node types, two of them broken."""
    (tmp_path / "acme_nodes.py").write_text(NODE)
    (tmp_path / "acme_broken.py").write_text("import a_module_nobody_has\n")
    info = tmp_path / "acme_nodes-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-nodes\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[oneo.nodes]\n"
        "greet = acme_nodes:GreetOperator\n"
        "greet_all = acme_nodes:GreetOperator\n"
        "torn = acme_broken:TornOperator\n"
        "condition = acme_nodes:GreetOperator\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return NodeCatalogue()


def test_every_type_is_found_by_its_modules_name() -> None:
    known = NodeCatalogue()
    assert set(EXAMPLES) <= set(known.types())
    found = known.all()
    assert [one.type for one in found] == list(known.types())
    assert known.broken == {}
    for one in found:
        assert one.__module__.rpartition(".")[2] == one.type
        assert tuple(one.template_fields) == ()
        assert one.description.endswith(".")
        assert all(field.description for field in one.Config.model_fields.values())


def test_a_type_nobody_has() -> None:
    assert NodeCatalogue().get("teleport") is None


def test_a_package_brings_its_own_node(acme: NodeCatalogue, bench: Bench) -> None:
    bench.catalogue = acme
    assert bench.node("greet", {"whom": "{{trigger.name}}"}, {"name": "Ada"}).output == {
        "greeting": "Hello Ada"
    }
    assert "option 'whom' of greet is missing" in bench.problems("greet", {})[0]


def test_a_broken_entry_point_is_reported_and_hides_nothing(acme: NodeCatalogue) -> None:
    assert acme.get("torn") is None
    broken = acme.broken["torn"]
    assert broken.source == "entry point acme_broken:TornOperator"
    assert broken.error == "ModuleNotFoundError: No module named 'a_module_nobody_has'"
    assert broken.hint == "fix or uninstall it; the other node types are not affected"
    assert {*EXAMPLES, "greet"} <= {one.type for one in acme.all()}


def test_an_entry_point_must_be_named_after_its_type(acme: NodeCatalogue) -> None:
    assert acme.get("greet_all") is None
    assert "no NodeOperator with type = 'greet_all'" in acme.broken["greet_all"].error


def test_a_package_cannot_replace_a_type_of_the_product(acme: NodeCatalogue) -> None:
    found = acme.get("condition")
    assert found is not None
    assert found.__name__ == "ConditionOperator"


def test_a_broken_module_is_reported_and_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "trial"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "torn_module.py").write_text("raise RuntimeError('half written')\n")
    (folder / "empty_module.py").touch()
    (folder / "_helper.py").touch()
    monkeypatch.setattr(nodes, "__path__", [*nodes.__path__, str(tmp_path)])
    known = NodeCatalogue()
    assert set(EXAMPLES) <= {one.type for one in known.all()}
    assert known.broken["torn_module"].source == "oneo_operators.nodes.trial.torn_module"
    assert known.broken["torn_module"].error == "RuntimeError: half written"
    assert "no NodeOperator with type = 'empty_module'" in known.broken["empty_module"].error
    assert "_helper" not in known.types()


def test_every_class_is_a_name_of_the_package() -> None:
    for one in NodeCatalogue().all():
        assert getattr(oneo_operators, one.__name__) is one
        assert one.__name__ in dir(oneo_operators)
    with pytest.raises(ImportError, match="TeleportOperator"):
        from oneo_operators import TeleportOperator  # noqa: F401
    with pytest.raises(AttributeError):
        oneo_operators.anything  # noqa: B018


def test_the_name_of_a_broken_class_says_why(acme: NodeCatalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oneo_operators.catalogue.catalogue", lambda: acme)
    with pytest.raises(ImportError, match="acme_broken:TornOperator: ModuleNotFoundError"):
        oneo_operators.TornOperator  # noqa: B018
    assert oneo_operators.GreetOperator.type == "greet"


def test_importing_the_package_costs_nothing() -> None:
    script = "import sys, oneo_operators; print([one for one in ('airflow', 'pydantic', 're') if one in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path += {sys.path!r}; {script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() in ("[]", "['re']")


def test_an_operator_stands_in_a_hand_written_dag() -> None:
    from oneo_operators import HttpRequestOperator

    with DAG("by_hand"):
        task = HttpRequestOperator(
            task_id="call", method="GET", url="https://x.example/{{ params.id }}", retries=4, pool="slow"
        )
        other = HttpRequestOperator(task_id="other", config={"method": "PUT", "url": "a"}, url="b")
        task >> other
    assert task.node_config == {"method": "GET", "url": "https://x.example/{{ params.id }}"}
    assert (task.retries, task.pool, tuple(task.template_fields)) == (4, "slow", ())
    assert other.node_config == {"method": "PUT", "url": "b"}
    assert other.upstream_task_ids == {"call"}
    with pytest.raises(TypeError, match="urll"):
        HttpRequestOperator(task_id="typo", urll="x")
