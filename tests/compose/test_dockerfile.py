"""The image holds what the services need, and nothing runs as root."""

from __future__ import annotations

import re
import tomllib

from tests.compose.compose_files import ROOT, compose, dockerfile, services


def copied() -> list[str]:
    """What the build copies out of the repository."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", dockerfile(), re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def test_what_is_copied_exists_and_gets_past_the_ignore_file():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    assert set(copied()) == allowed
    assert all((ROOT / source).exists() for source in copied())


def test_every_package_of_the_project_is_copied():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {package.split("/")[0] for package in packages} <= set(copied())
    assert project["project"]["readme"] in copied()


def test_dependencies_come_from_the_lock_file_with_the_extra():
    syncs = re.findall(r"uv sync (.+?)(?:\s*\\)?$", dockerfile(), re.MULTILINE)
    assert len(syncs) == 2
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for sync in syncs:
        assert "--frozen" in sync
        assert "--no-dev" in sync
        assert re.search(r"--extra (\S+)", sync)[1] in project["optional-dependencies"]
    assert "UV_COMPILE_BYTECODE=1" in dockerfile()
    assert "compileall" in dockerfile()


def test_uv_is_the_one_that_wrote_the_lock_file():
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    version = next(one["version"] for one in lock["package"] if one["name"] == "uv")
    assert f"uv=={version}" in dockerfile()


def test_python_is_one_the_project_supports():
    from packaging.specifiers import SpecifierSet

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    versions = set(re.findall(r"^FROM python:(\d+\.\d+\.\d+)", dockerfile(), re.MULTILINE))
    assert len(versions) == 1, "the environment is copied from one stage to the other"
    assert SpecifierSet(project["requires-python"]).contains(versions.pop())


def test_the_last_user_is_not_root_and_owns_the_volumes():
    final = dockerfile().rpartition("FROM ")[2]
    assert re.findall(r"^USER (\S+)", final, re.MULTILINE) == ["oneo"]
    targets = [volume.split(":")[1] for volume in compose()["x-oneo"]["volumes"]]
    assert f"mkdir -p {' '.join(targets)}" in final
    uid = re.search(r"useradd --uid (\d+)", final)[1]
    assert f"uid={uid}," in services()["dispatcher"]["tmpfs"][0]


def test_paths_in_the_compose_file_exist():
    assert (ROOT / compose()["x-oneo"]["build"]["dockerfile"]).is_file()
    mounted = [volume for body in services().values() for volume in body.get("volumes", [])]
    for volume in mounted:
        source = volume.split(":")[0]
        assert (ROOT / source).exists() if source.startswith(".") else source in compose()["volumes"]
    workdir = re.findall(r"^WORKDIR (\S+)", dockerfile(), re.MULTILINE)
    assert set(workdir) == {"/opt/oneo"}
    inside = [
        value for value in compose()["x-airflow-environment"].values() if str(value).startswith("/opt/oneo/")
    ]
    assert inside
    assert all((ROOT / str(path).removeprefix("/opt/oneo/")).is_dir() for path in inside)
