"""The compose file and what it refers to, as plain data."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?:(:[-?])([^}]*))?\}")


@lru_cache(maxsize=1)
def text() -> str:
    return (ROOT / "docker-compose.airflow.yml").read_text()


@lru_cache(maxsize=1)
def compose() -> dict:
    return yaml.safe_load(text())


def services(own_only: bool = False) -> dict:
    found = compose()["services"]
    return {name: body for name, body in found.items() if not own_only or "build" in body}


def dockerfile() -> str:
    return (ROOT / "docker" / "Dockerfile").read_text()


def substituted(value: str, values: dict[str, str]) -> str:
    """As docker compose fills in variables; `$$` is one dollar."""

    def fill(match: re.Match[str]) -> str:
        name, mode, rest = match.groups()
        if name in values:
            return values[name]
        assert mode == ":-", f"{name} is required"
        return rest

    return VARIABLE.sub(fill, value).replace("$$", "$")


@lru_cache(maxsize=1)
def made_environment() -> dict[str, str]:
    """What docker/make-env.sh prints."""
    done = subprocess.run(
        ["sh", str(ROOT / "docker" / "make-env.sh")], capture_output=True, text=True, check=True
    )
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


_COMMANDS = """
import argparse, json
from airflow.cli.cli_parser import get_parser
def tree(parser):
    found = {"options": sorted(parser._option_string_actions), "commands": {}}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found["commands"] |= {name: tree(sub) for name, sub in action.choices.items()}
    return found
print("TREE" + json.dumps(tree(get_parser())))
"""


@lru_cache(maxsize=1)
def airflow_commands() -> dict:
    """Airflow's commands and options, providers' included, as its own parser knows them."""
    environment = {**os.environ, "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
    done = subprocess.run(
        [sys.executable, "-c", _COMMANDS], capture_output=True, text=True, env=environment, check=True
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("TREE"))
    return json.loads(line[4:])


def commands_of(service: dict) -> list[list[str]]:
    """The commands a service runs, those inside `sh -c` one by one."""
    command = service.get("command", [])
    if command[:1] != ["sh"]:
        return [command]
    joined = command[-1].replace("\\\n", " ")
    return [line.split() for line in joined.splitlines() if line.strip()]
